"""Runs and their rows, as the tables of the journal hold them."""

import json
from collections.abc import Sequence
from typing import Any

from flux_cli.models.submission import RunInfo, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.database import Execute


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


def rows_of(execute: Execute, run: RunInfo) -> list[Submission]:
    """Return the rows of a run, in their order."""
    rows = execute(
        "SELECT s.number, e.row, s.path, s.body, s.key, e.labels, s.state, s.sent_at,"
        " s.task_id, s.trace_id, s.error_code, s.error_message"
        " FROM entries e JOIN submissions s ON s.number = e.submission"
        " WHERE e.run = ? ORDER BY e.row",
        [run.number],
    )
    return list(map(_submission, rows))


def _submission(row: Sequence[Any]) -> Submission:
    number, position, path, body, key, labels, state, sent_at, task_id, trace_id, *error = row
    code, message = error
    return Submission(
        number=number,
        row=position,
        path=path,
        body=json.loads(body),
        key=key,
        labels={} if labels == "{}" else json.loads(labels),
        state=SubmissionState(state),
        sent_at=sent_at,
        task_id=task_id,
        trace_id=trace_id,
        error=TaskError(code, message) if code or message else None,
    )
