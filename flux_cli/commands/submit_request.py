"""What is submitted: requests, the name of their run, and how."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from flux_cli.commands.options import OutputOptions
from flux_cli.commands.submit_options import SubmitOptions
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode
from flux_cli.models.ids import TaskIds
from flux_cli.models.submission import PlannedRequest, RunInfo, Submission
from flux_cli.storage.journal import Journal


_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 40  # characters
GoOn = Callable[
    [Session, TaskIds, str], ExitCode
]  # for some ids, of a run that is named as on a command line


class SubmitRequest(NamedTuple):
    """What is submitted, how, and what is shown. `describe` says in words what a number of
    requests is: "12 images with flux-dev, 1:1".

    `go_on`, where it is given, watches what was accepted, and returns the exit code.
    """

    requests: Sequence[PlannedRequest]
    suggestion: str  # a name for the run
    options: SubmitOptions
    journal: Path | None
    output: OutputOptions
    describe: Callable[[Sequence[PlannedRequest]], str]
    go_on: GoOn | None = None


def open_run(
    journal: Journal, session: Session, request: SubmitRequest, *, is_trial: bool = False
) -> tuple[RunInfo, list[Submission]]:
    """Return the run of a request and its rows. Raises UsageError, NoToken and JournalError."""
    return journal.open_run(
        request.requests,
        base_url=session.connection.base_url,
        name=request.options.run_name,
        suggestion=request.suggestion,
        is_new=request.options.is_new,
        is_trial=is_trial,
    )


def name_for(files: Sequence[str], requests: Sequence[PlannedRequest]) -> str:
    """Return what to call a run: as its first file, or its first prompt."""
    file = next((Path(file).stem for file in files if file != "-"), "")
    prompt = str(requests[0].body.get("prompt", "")) if requests else ""
    for text in (file, prompt):
        name = _NAME.sub("-", text.lower())[:_LONGEST_NAME].strip("-._")
        if name:
            return name
    return "run"
