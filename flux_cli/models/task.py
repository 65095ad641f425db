"""A task as flux knows it, and how a record of the service becomes one."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flux_cli.models.state import State, derive_state, output_entries


_DEEPEST = 100  # levels of a record that is kept as it came
_END_OF_TIME = 253_402_300_800  # 10000-01-01, the first second that RFC 3339 cannot write


@dataclass(frozen=True, slots=True)
class TaskError:
    """Why a task failed, or why there is no answer for it."""

    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class File:
    """What became of an output that was to be saved: a file of `size` bytes, or an error."""

    path: str | None
    size: int | None
    sha256: str | None
    is_new: bool
    error: TaskError | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One image or video of a finished task; sizes in pixels, `seconds` of play."""

    url: str
    kind: str
    width: float | None = None
    height: float | None = None
    seconds: float | None = None
    seed: float | None = None
    file: File | None = None  # only once it was to be saved


@dataclass(frozen=True, slots=True)
class Task:
    """One task at one moment. Times are Unix seconds, `elapsed` is seconds."""

    id: str
    state: State
    observed_at: float
    previous_state: State | None = None
    type: str | None = None
    action: str | None = None
    model: str | None = None
    prompt: str | None = None
    size: str | None = None
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    elapsed: float | None = None
    outputs: tuple[Output, ...] = ()
    error: TaskError | None = None
    trace_id: str | None = None
    raw: Mapping[str, Any] | None = None


def parse_task(
    task_id: str, record: Mapping[str, Any], observed_at: float, *, keep_raw: bool = False
) -> Task:
    """Read one record of the service; what is absent or makes no sense is None.

    `task_id` is the id as the user spelled it. Never raises, whatever the
    record holds.
    """
    state = derive_state(record)
    request = _mapping(record.get("request"))
    response = _mapping(record.get("response"))
    entries = output_entries(record)
    outputs = tuple(
        Output(
            url=url,
            kind=kind,
            width=_number(entry.get("width")),
            height=_number(entry.get("height")),
            seconds=_number(entry.get("seconds")),
            seed=_number(entry.get("seed")),
        )
        for kind, url, entry in entries
    )
    details = entries[0][2] if entries else {}
    started_at = _time(record.get("started_at"))
    finished_at = _time(record.get("finished_at")) or _time(response.get("finished_at"))
    return Task(
        id=task_id,
        state=state,
        observed_at=observed_at,
        type=_text(record.get("type")) or (f"{outputs[0].kind}s" if outputs else None),
        action=_text(request.get("action")),
        model=_text(request.get("model")) or _text(details.get("model")),
        prompt=_text(request.get("prompt")) or _text(details.get("prompt")),
        size=_text(request.get("size")) or _text(request.get("resolution")),
        created_at=_time(record.get("created_at")),
        started_at=started_at,
        finished_at=finished_at,
        elapsed=_elapsed(record.get("elapsed"), started_at, finished_at),
        outputs=outputs,
        error=_error(response, record) if state is State.FAILED else None,
        trace_id=_text(record.get("trace_id")) or _text(response.get("trace_id")),
        raw=record if keep_raw and _is_shallow(record) else None,
    )


def _is_shallow(value: Any) -> bool:
    """Tell whether `value` nests no deeper than can be written again; real records have six."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [entry for outer in level for entry in _inside(outer)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Iterator[Any]:
    """Yield the objects and lists in an object or a list."""
    if isinstance(value, dict | list):
        entries = value.values() if isinstance(value, dict) else value
        yield from (entry for entry in entries if isinstance(entry, dict | list))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    """Return a finite number as it is; anything else, booleans too, is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(value: Any) -> float | None:
    number = _number(value)
    return number if number is not None and 0 < number < _END_OF_TIME else None


def _elapsed(value: Any, started_at: float | None, finished_at: float | None) -> float | None:
    elapsed = _number(value)
    if elapsed is None and started_at is not None and finished_at is not None:
        elapsed = round(finished_at - started_at, 3)
    return elapsed if elapsed is not None and elapsed >= 0 else None


def _error(response: Mapping[str, Any], record: Mapping[str, Any]) -> TaskError | None:
    error = response.get("error") or record.get("error")
    if isinstance(error, str):
        return TaskError(code=None, message=error)
    if isinstance(error, dict):
        code, message = _text(error.get("code")), _text(error.get("message"))
        if code or message:
            return TaskError(code, message)
    return None


def no_answer(task_id: str, *, code: str, message: str, observed_at: float) -> Task:
    """Return the task for an id that the service gave no answer for."""
    return Task(task_id, State.UNKNOWN, observed_at, error=TaskError(code, message))


def not_found(task_id: str, observed_at: float) -> Task:
    """Return the task for an id that the service was proven not to know."""
    return Task(task_id, State.NOT_FOUND, observed_at)


_RANK = {State.SUCCEEDED: 2, State.FAILED: 2, State.PROCESSING: 1}


def more_advanced(first: Task, second: Task) -> Task:
    """Return whichever of two answers for one id is further along; a tie goes to the first."""
    return second if _RANK.get(second.state, 0) > _RANK.get(first.state, 0) else first


def read_record(task_id: str, record: Mapping[str, Any]) -> Task | None:
    """Read one of flux's own records of a task that has ended; None when it is no such thing.

    A task that has ended never changes: nobody needs to be asked about it.
    """
    state, observed_at = _text(record.get("state")), _rfc3339(record.get("observed_at"))
    outputs = tuple(_outputs_of(record.get("outputs")))
    is_known = state == State.FAILED or (state == State.SUCCEEDED and outputs)
    if state is None or not is_known or observed_at is None:
        return None
    error = _mapping(record.get("error"))
    return Task(
        id=task_id,
        state=State(state),
        observed_at=observed_at,
        type=_text(record.get("type")),
        action=_text(record.get("action")),
        model=_text(record.get("model")),
        prompt=_text(record.get("prompt")),
        size=_text(record.get("size")),
        created_at=_rfc3339(record.get("created_at")),
        started_at=_rfc3339(record.get("started_at")),
        finished_at=_rfc3339(record.get("finished_at")),
        elapsed=_elapsed(record.get("elapsed"), None, None),
        outputs=outputs,
        error=TaskError(_text(error.get("code")), _text(error.get("message"))) if error else None,
        trace_id=_text(record.get("trace_id")),
        raw=_mapping(record.get("raw")) or None,
    )


def _outputs_of(value: Any) -> Iterator[Output]:
    for entry in map(_mapping, value if isinstance(value, list) else []):
        if url := _text(entry.get("url")):
            yield Output(
                url=url,
                kind="video" if entry.get("kind") == "video" else "image",
                width=_number(entry.get("width")),
                height=_number(entry.get("height")),
                seconds=_number(entry.get("seconds")),
                seed=_number(entry.get("seed")),
            )


def _rfc3339(value: Any) -> float | None:
    try:
        time = datetime.fromisoformat(value)
        return _time(time.timestamp()) if time.tzinfo is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
