"""Options of a watch, each with its range and its sentence of help."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from flux_cli.commands.options import OUTPUT, OutputOptions, duration
from flux_cli.engine.policies import Until, WatchPolicy
from flux_cli.output.formats import Format


@dataclass(eq=False, repr=False)
class WatchOutputOptions(OutputOptions):
    """The same of a watch, which has a live view."""

    format: Annotated[
        Format,
        typer.Option("--output", "-o"),
        "Output format. auto is a live view on a terminal, elsewhere jsonl: one line per"
        " change. Other formats are written once, at the end.",
    ] = Format.AUTO
    preview: Annotated[
        bool, "Show the pictures of each task as it succeeds, above the live view."
    ] = False


@dataclass(eq=False, repr=False)
class WatchOptions(WatchPolicy):
    """When to poll, and when to end."""

    panel: ClassVar = "Polling"
    interval: Annotated[
        float,
        duration(1, 3600),
        "Time between polls; grows by half while nothing changes. [default: 5s]",
    ] = WatchPolicy.interval
    max_interval: Annotated[
        float, duration(1, 3600), "Maximum time between polls. [default: 30s]"
    ] = WatchPolicy.max_interval
    timeout: Annotated[
        float | None,
        duration(0, 30 * 86400),
        "Stop watching after this long, with exit code 124; 0 polls once. [default: never]",
    ] = WatchPolicy.timeout
    until: Annotated[Until, "Watch until all tasks have finished, or until any one has."] = (
        WatchPolicy.until
    )
    fail_fast: Annotated[bool, "Stop when the first task fails."] = WatchPolicy.fail_fast
    not_found_grace: Annotated[
        float,
        duration(),
        "How long to wait for a task that is not found. [default: 60s]",
    ] = WatchPolicy.not_found_grace
    give_up_after: Annotated[
        float,
        duration(),
        "Stop if the service has not answered, or asks for a pause, for this long. [default: 5m]",
    ] = WatchPolicy.give_up_after


@dataclass(eq=False, repr=False)
class NotifyOptions:
    """What is done, beside showing it, when tasks end."""

    panel: ClassVar = OUTPUT
    command: Annotated[
        str | None,
        typer.Option("--exec", metavar="COMMAND"),
        "Run COMMAND in a shell for each task that finishes, up to four at a time, with its"
        " record on stdin and in FLUX_TASK_ID, FLUX_TASK_STATE, FLUX_TASK_URL and others.",
    ] = None
    notify: Annotated[bool, "Send a desktop notification at the end; needs a terminal."] = False
    bell: Annotated[bool, "Ring the terminal bell at the end."] = False
