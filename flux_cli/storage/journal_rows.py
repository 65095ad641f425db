"""Runs and their rows, as the tables of the journal hold them."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flux_cli.models.submission import PlannedRequest, RunInfo, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.database import Execute


_JSON = json.JSONEncoder()  # what is no UTF-8 stays readable in ASCII


def make_run(
    execute: Execute, name: str, base_url: str, created_at: float, *, is_named: bool
) -> RunInfo:
    """Add a run called `name`, by its user or after its input; a number tells it from others."""
    taken = {row[0] for row in execute("SELECT name FROM runs")}
    number, wanted = 1, name
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}"
    cursor = execute(
        "INSERT INTO runs (name, is_named, base_url, created_at) VALUES (?, ?, ?, ?)",
        [wanted, is_named, base_url, created_at],
    )
    return RunInfo(cursor.lastrowid or 0, wanted, base_url, created_at)


def numbers_for(
    execute: Execute, requests: Iterable[PlannedRequest], candidates: Mapping[str, deque[int]]
) -> Iterator[int]:
    """Yield the number of the submission for each request: one of its candidates, or a new one."""
    for request in requests:
        known = candidates.get(request.key)
        if known:
            yield known.popleft()
            continue
        cursor = execute(
            "INSERT INTO submissions (key, path, body, retry_of, state) VALUES (?, ?, ?, ?, ?)",
            [
                request.key,
                request.path,
                _JSON.encode(request.body),
                request.retry_of,
                SubmissionState.PLANNED,
            ],
        )
        yield cursor.lastrowid or 0


def rows_of(execute: Execute, run: RunInfo) -> list[Submission]:
    """Return the rows of a run, in their order. Raises ValueError where one is damaged."""
    rows = execute(
        "SELECT s.number, e.row, s.path, s.body, s.key, e.labels, s.state, s.sent_at,"
        " s.clock_skew, s.task_id, s.trace_id, s.error_code, s.error_message"
        " FROM entries e JOIN submissions s ON s.number = e.submission"
        " WHERE e.run = ? ORDER BY e.row",
        [run.number],
    )
    return list(map(_submission, rows))


def _submission(row: Sequence[Any]) -> Submission:
    number, position, path, body, key, labels, state, *known, code, message = row
    sent_at, clock_skew, task_id, trace_id = known
    return Submission(
        number=number,
        row=position,
        path=path,
        body=_object(body),
        key=key,
        labels=_object(labels),
        state=SubmissionState(state),
        sent_at=sent_at,
        clock_skew=clock_skew,
        task_id=task_id,
        trace_id=trace_id,
        error=TaskError(code, message) if code or message else None,
    )


def _object(text: str) -> dict[str, Any]:
    value = {} if text == "{}" else json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - it is the text that is damaged
    return value
