"""Options of the commands that submit, each with its range and its sentence of help."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from flux_cli.commands.file_options import DownloadFolder
from flux_cli.commands.options import number, reads
from flux_cli.commands.run_options import JournalFile
from flux_cli.config.rates import parse_rate
from flux_cli.engine.policies import SubmitPolicy
from flux_cli.errors import UsageError


_RUN_NAME = re.compile(r"[^\W_][\w.-]{0,63}")


def _run_name(text: str) -> str:
    if not _RUN_NAME.fullmatch(text):
        raise UsageError(
            f"{text!r} cannot be the name of a run (letters, digits, dots, dashes, underscores)"
        )
    return text


@dataclass(eq=False, repr=False)
class PromptOptions:
    """Where prompts come from."""

    panel: ClassVar = "Input"
    prompts: Annotated[
        list[str] | None, typer.Argument(metavar="[PROMPT]..."), "Prompts, each in quotation marks."
    ] = None
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE"),
        "Read prompts from FILE (one per line, CSV, JSON lines), or - for stdin. Can be repeated.",
    ] = None


@dataclass(eq=False, repr=False)
class SubmitOptions(SubmitPolicy):
    """How fast, and what is sent."""

    panel: ClassVar = "Submitting"
    again_hint: ClassVar = ""  # how to submit something once more
    rate: Annotated[
        float,
        typer.Option(metavar="RATE", parser=reads(parse_rate)),
        "Maximum rate of submissions, such as 5/s or 30/m. [default: 1/s]",
    ] = SubmitPolicy.rate
    dry_run: Annotated[bool, "Print the requests as JSON lines, and send nothing."] = False
    max: Annotated[
        int | None, number(least=0), "Send nothing if it would be more than N images or videos."
    ] = None
    yes: Annotated[
        bool, typer.Option("-y"), "Submit more than 10 images or videos without asking."
    ] = False
    retry_refused: Annotated[bool, "Also submit what the service refused before."] = (
        SubmitPolicy.retry_refused
    )
    resend_unconfirmed: Annotated[
        bool,
        "Also submit what may have been accepted but cannot be found. You may pay for it twice.",
    ] = SubmitPolicy.resend_unconfirmed

    @property
    def run_name(self) -> str | None:
        """The run that was asked for."""
        return None

    @property
    def is_new(self) -> bool:
        """Whether all is to be submitted once more."""
        return False


@dataclass(eq=False, repr=False)
class PromptRunOptions(SubmitOptions):
    """The same for prompts, of which a run is made."""

    again_hint: ClassVar = "To submit everything once more, and pay again, add --again"
    run: Annotated[
        str | None,
        typer.Option(metavar="NAME", parser=reads(_run_name)),
        "Name of the run. [default: the run that has these prompts, else the file's name]",
    ] = None
    journal: JournalFile = None
    again: Annotated[bool, "Start a new run: submit everything once more, and pay again."] = False

    @property
    def run_name(self) -> str | None:
        return self.run

    @property
    def is_new(self) -> bool:
        return self.again


@dataclass(eq=False, repr=False)
class RetryOptions(SubmitOptions):
    """The same for failed tasks."""

    again_hint: ClassVar = "If a retry has failed too, give its own id"
    all: Annotated[bool, "Also retry what content moderation rejected."] = False


@dataclass(eq=False, repr=False)
class GoingOnOptions:
    """What is done with what was accepted."""

    watch: Annotated[
        bool,
        typer.Option(rich_help_panel="Polling"),
        "Watch the accepted tasks until all have finished.",
    ] = False
    download_to: DownloadFolder = None
