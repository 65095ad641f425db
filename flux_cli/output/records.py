"""The record: one task as flux's own JSON object. Its keys and their order are a contract."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flux_cli.models.task import File, Task


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC; naming the zone costs half as much again
KEYS = (
    "id",
    "state",
    "previous_state",
    "type",
    "action",
    "model",
    "prompt",
    "size",
    "created_at",
    "started_at",
    "finished_at",
    "elapsed",
    "outputs",
    "error",
    "cost",
    "trace_id",
    "observed_at",
)

ROW, LABEL = RUN_KEYS = (
    "row",
    "label",
)  # of a task that a run submitted; there where a run is shown
RAW = "raw"  # the service's own record, which is there only where it is asked for


def as_record(task: Task, keys: Sequence[str] = KEYS) -> dict[str, Any]:
    """Return the record of `task`, with `keys` alone and in their order.

    RUN_KEYS and RAW may be among them. Where a submission brought no id, it is None.
    """
    record: dict[str, Any] = {
        "id": task.id or None,
        "state": task.state.value,
        "previous_state": task.previous_state and task.previous_state.value,
        "type": task.type,
        "action": task.action,
        "model": task.model,
        "prompt": task.prompt,
        "size": task.size,
        "created_at": rfc3339(task.created_at),
        "started_at": rfc3339(task.started_at),
        "finished_at": rfc3339(task.finished_at),
        "elapsed": task.elapsed,
        "outputs": [
            {
                "url": output.url,
                "kind": output.kind,
                "width": output.width,
                "height": output.height,
                "seconds": output.seconds,
                "seed": output.seed,
            }
            for output in task.outputs
        ],
        "error": task.error and {"code": task.error.code, "message": task.error.message},
        "cost": task.cost and {"amount": task.cost.amount, "currency": task.cost.currency},
        "trace_id": task.trace_id,
        "observed_at": rfc3339(task.observed_at),
    }
    if task.outputs and task.outputs[0].file is not None:
        for entry, output in zip(record["outputs"], task.outputs, strict=True):
            entry.update(_file(output.file))
    if keys is KEYS:
        return record
    record |= {ROW: task.row, LABEL: task.labels, RAW: task.raw}
    return {key: record[key] for key in keys}


def whole_record(task: Task) -> dict[str, Any]:
    """Return the record of `task` with all that is known of it, but for RAW."""
    return as_record(task, KEYS if task.row is None else (*KEYS, *RUN_KEYS))


def _file(file: File | None) -> dict[str, Any]:
    if file is None:
        return {}
    return {
        "path": file.path,
        "bytes": file.size,
        "sha256": file.sha256,
        "error": file.error and {"code": file.error.code, "message": file.error.message},
    }


def rfc3339(seconds: float | None) -> str | None:
    """Return Unix seconds as `2025-01-08T02:51:09.779Z`."""
    if seconds is None:
        return None
    time = _EPOCH + timedelta(0, seconds)
    return time.isoformat("T", "milliseconds") + "Z"
