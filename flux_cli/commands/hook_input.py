"""What a command of `--exec` is told of a task: the record on stdin, and variables."""

import os
from collections.abc import Mapping

from flux_cli.models.task import Task
from flux_cli.output.jsonl import encode_record
from flux_cli.output.records import whole_record


_LONGEST = 65536  # bytes of one variable


def describe_task(task: Task) -> tuple[bytes, Mapping[str, str]]:
    """Return what a command finds on its stdin, and in its environment."""
    return encode_record(whole_record(task)).encode(), _variables(task)


def _variables(task: Task) -> dict[str, str]:
    paths = [output.file.path for output in task.outputs if output.file and output.file.path]
    values = {
        "ID": task.id,
        "STATE": task.state.value,
        "MODEL": task.model,
        "PROMPT": task.prompt,
        "URL": task.outputs[0].url if task.outputs else None,
        "URLS": "\n".join(output.url for output in task.outputs),
        "PATH": paths[0] if paths else None,
        "PATHS": "\n".join(paths),
        "ERROR_CODE": task.error.code if task.error else None,
        "ERROR_MESSAGE": task.error.message if task.error else None,
        "TRACE_ID": task.trace_id,
    }
    return {f"FLUX_TASK_{name}": as_variable(value) for name, value in values.items()}


def as_variable(value: object) -> str:
    """Return `value` as an environment variable can hold it."""
    text = "" if value is None else str(value)
    return os.fsdecode(text.replace("\0", "").encode("utf-8", "replace")[:_LONGEST])
