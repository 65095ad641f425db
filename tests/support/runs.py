"""Runs in a journal, as submitting leaves them."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.journal import Journal


class Row(NamedTuple):
    """What became of one prompt: the id of its task, else the state that it is left in."""

    fate: str | SubmissionState
    labels: Mapping[str, str] = {}
    prompt: str = ""
    path: str = "/flux/images"


def plant_run(
    path: Path, name: str, base_url: str, rows: list[Row], *, at: float | None = None
) -> list[Submission]:
    """Put a run into the journal at `path`, submitted now or at `at`, in Unix seconds."""
    requests = [
        PlannedRequest(
            row.path,
            {"action": "generate", "prompt": row.prompt or f"{name} {number}", "size": "1:1"},
            row.labels,
        )
        for number, row in enumerate(rows, 1)
    ]
    with Journal(path, now=lambda: at or time.time()) as journal:
        run, planned = journal.open_run(requests, base_url=base_url, name=name, suggestion=name)
        for row, submission in zip(rows, planned, strict=True):
            if row.fate is SubmissionState.PLANNED:
                continue
            assert journal.mark_sending(submission, run)
            if row.fate is SubmissionState.REFUSED:
                journal.mark(submission, row.fate, TaskError("forbidden", "not allowed"))
            elif row.fate is SubmissionState.UNKNOWN:
                journal.mark(submission, row.fate, TaskError("reply_cut", "the reply was cut"))
            elif row.fate is not SubmissionState.SENDING:
                assert journal.mark_accepted(submission, row.fate, None)
        return journal.submissions(run)
