"""A task as flux knows it, and how a record of the service becomes one."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flux_cli.models.fields import (
    as_duration,
    as_number,
    as_object,
    as_text,
    as_time,
    error_code,
    output_entries,
    response_of,
)
from flux_cli.models.state import State, derive_state


_DEEPEST = 100  # levels of a record that is kept as it came
_HIGHEST_COST = 1e12
_MOST_ROWS = 1 << 31  # of a run


class TaskError(NamedTuple):
    """Why a task failed, or why there is no answer for it."""

    code: str | None
    message: str | None


class Cost(NamedTuple):
    """What a task has cost."""

    amount: float
    currency: str | None

    @property
    def credits(self) -> float:
        """The amount where it is in credits, the service's own currency; else 0."""
        return self.amount if (self.currency or "").lower() in ("credit", "credits") else 0


class File(NamedTuple):
    """What became of an output that was to be saved: a file of `size` bytes, or an error.

    Neither of them where it was saved before, and moved or deleted since.
    """

    path: str | None
    size: int | None
    sha256: str | None
    is_new: bool
    error: TaskError | None = None

    @property
    def is_archived(self) -> bool:
        """Whether it was saved before, and is not where it would be now."""
        return self.path is None and self.error is None


class Output(NamedTuple):
    """One image or video of a finished task; sizes in pixels, `seconds` of play."""

    url: str
    kind: str
    width: float | None = None
    height: float | None = None
    seconds: float | None = None
    seed: float | None = None
    file: File | None = None  # only once it was to be saved


class Task(NamedTuple):
    """One task at one moment. Times are Unix seconds, `elapsed` is seconds.

    The id is empty where a submission brought none.
    """

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
    cost: Cost | None = None
    trace_id: str | None = None
    raw: Mapping[str, Any] | None = None
    row: int | None = None  # of the run that submitted it, with its labels
    labels: Mapping[str, str] | None = None


def parse_task(
    task_id: str, record: Mapping[str, Any], observed_at: float, *, keep_raw: bool = False
) -> Task:
    """Read one record of the service; what is absent or makes no sense is None.

    `task_id` is the id as the user spelled it. Never raises, whatever the
    record holds.
    """
    entries = output_entries(record)
    state = derive_state(record, has_output=bool(entries))
    request = as_object(record.get("request")) or {}
    response = response_of(record) or {}
    outputs = tuple(
        Output(
            url=url,
            kind=kind,
            width=as_number(entry.get("width")),
            height=as_number(entry.get("height")),
            seconds=as_duration(entry.get("seconds")),
            seed=as_number(entry.get("seed")),
        )
        for kind, url, entry in entries
    )
    details = entries[0][2] if entries else {}
    started_at = as_time(record.get("started_at"))
    finished_at = as_time(record.get("finished_at")) or as_time(response.get("finished_at"))
    error = _error(response.get("error")) or _error(record.get("error"))
    cost = _cost(response.get("cost")) or _cost(record.get("cost"))
    return Task(
        id=task_id,
        state=state,
        observed_at=observed_at,
        type=as_text(record.get("type")) or (f"{outputs[0].kind}s" if outputs else None),
        action=as_text(request.get("action")),
        model=as_text(request.get("model")) or as_text(details.get("model")),
        prompt=as_text(request.get("prompt")) or as_text(details.get("prompt")),
        size=as_text(request.get("size")) or as_text(request.get("resolution")),
        created_at=as_time(record.get("created_at")),
        started_at=started_at,
        finished_at=finished_at,
        elapsed=_elapsed(record.get("elapsed"), started_at, finished_at),
        outputs=outputs,
        error=error if state is State.FAILED else None,
        cost=cost if state.is_final else None,
        trace_id=as_text(record.get("trace_id")) or as_text(response.get("trace_id")),
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


def _elapsed(value: Any, started_at: float | None, finished_at: float | None) -> float | None:
    if as_number(value) is None and started_at is not None and finished_at is not None:
        value = round(finished_at - started_at, 3)
    return as_duration(value)


def _error(value: Any) -> TaskError | None:
    details = as_object(value)
    if details is None:
        return TaskError(None, value) if isinstance(value, str) and value.strip() else None
    code, message = error_code(details), as_text(details.get("message"))
    return TaskError(code, message) if code or message else None


def _cost(value: Any) -> Cost | None:
    is_object = isinstance(value, dict)
    amount = as_number(value.get("amount") if is_object else value)
    if amount is None or not 0 <= amount < _HIGHEST_COST:
        return None
    return Cost(amount, as_text(value.get("currency")) if is_object else None)


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
    state, observed_at = as_text(record.get("state")), as_time(record.get("observed_at"))
    outputs = tuple(_outputs_of(record.get("outputs")))
    is_known = state == State.FAILED or (state == State.SUCCEEDED and outputs)
    if state is None or not is_known or observed_at is None:
        return None
    row, labels = read_run_keys(record) or (None, None)
    return Task(
        id=task_id,
        state=State(state),
        observed_at=observed_at,
        type=as_text(record.get("type")),
        action=as_text(record.get("action")),
        model=as_text(record.get("model")),
        prompt=as_text(record.get("prompt")),
        size=as_text(record.get("size")),
        created_at=as_time(record.get("created_at")),
        started_at=as_time(record.get("started_at")),
        finished_at=as_time(record.get("finished_at")),
        elapsed=_elapsed(record.get("elapsed"), None, None),
        outputs=outputs,
        error=_error(record.get("error")),
        cost=_cost(record.get("cost")),
        trace_id=as_text(record.get("trace_id")),
        raw=as_object(record.get("raw")) or None,
        row=row,
        labels=labels,
    )


def read_run_keys(record: Mapping[str, Any]) -> tuple[int, Mapping[str, str]] | None:
    """Return row and labels out of one of flux's own records of a run; None for any other."""
    row, labels = record.get("row"), record.get("label")
    if type(row) is not int or not 0 < row < _MOST_ROWS or not isinstance(labels, dict):
        return None
    if as_time(record.get("observed_at")) is None:
        return None  # somebody else's record
    return row, {name: text for name, text in labels.items() if isinstance(text, str)}


def _outputs_of(value: Any) -> Iterator[Output]:
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict) and (url := as_text(entry.get("url"))):
            yield Output(
                url=url,
                kind="video" if entry.get("kind") == "video" else "image",
                width=as_number(entry.get("width")),
                height=as_number(entry.get("height")),
                seconds=as_duration(entry.get("seconds")),
                seed=as_number(entry.get("seed")),
            )
