"""What is submitted: requests, the name of their run, and how."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from flux_cli.commands.options import OutputOptions
from flux_cli.commands.submit_options import SubmitOptions
from flux_cli.engine.runs import RunRequest
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode
from flux_cli.models.ids import TaskIds
from flux_cli.models.submission import PlannedRequest


_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 40  # characters
GoOn = Callable[[Session, TaskIds, str], ExitCode]  # the text names the run, as options


class SubmitRequest(NamedTuple):
    """What is submitted, how, and what is shown.

    `describe` says in words what a number of requests is: "12 images with flux-dev at 1:1".
    `prepare` sees to it, before anything is sent, that what follows can be done. `go_on`,
    where it is given, watches what was accepted, and returns the exit code.
    """

    requests: Sequence[PlannedRequest]
    suggestion: str  # a name for the run
    options: SubmitOptions
    journal: Path | None
    output: OutputOptions
    describe: Callable[[Sequence[PlannedRequest]], str]
    go_on: GoOn | None = None
    prepare: Callable[[Session], None] = lambda _: None

    @property
    def run(self) -> RunRequest:
        """The run that they are submitted in."""
        options = self.options
        return RunRequest(self.requests, self.suggestion, options.run_name, options.is_new)


def name_for(files: Sequence[str], requests: Sequence[PlannedRequest]) -> str:
    """Return what to call a run: as its first file, or its first prompt."""
    file = next((Path(file).stem for file in files if file != "-"), "")
    prompt = str(requests[0].body.get("prompt", "")) if requests else ""
    for text in (file, prompt):
        name = _NAME.sub("-", text.lower())[:_LONGEST_NAME].strip("-._")
        if name:
            return name
    return "run"
