"""Options of a watch, each with its range and its sentence of help."""

from dataclasses import dataclass
from typing import Annotated

import typer

from flux_cli.commands.options import OUTPUT, OutputOptions, duration
from flux_cli.engine.policies import Until, WatchPolicy
from flux_cli.output.formats import Format


TIMING = "When to look and to end"


@dataclass(frozen=True, eq=False, repr=False)
class WatchOutputOptions(OutputOptions):
    """The same of a watch, which has a live view."""

    format: Annotated[
        Format,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=OUTPUT,
            help="What to write to stdout. auto is the live view on a terminal, else jsonl: a line"
            " for each change. The others are printed once, at the end.",
        ),
    ] = Format.AUTO
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            rich_help_panel=OUTPUT,
            help="Show the pictures of each task as it succeeds, above the live view.",
        ),
    ] = False


@dataclass(frozen=True, eq=False, repr=False)
class WatchOptions(WatchPolicy):
    """When to poll, and when to end."""

    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            metavar="DURATION",
            parser=duration(least=1, most=3600),
            show_default=False,
            rich_help_panel=TIMING,
            help="Time between two looks; grows by half while nothing changes. [default: 5s]",
        ),
    ] = WatchPolicy.interval
    max_interval: Annotated[
        float,
        typer.Option(
            "--max-interval",
            metavar="DURATION",
            parser=duration(least=1, most=3600),
            show_default=False,
            rich_help_panel=TIMING,
            help="Most time between two looks. [default: 30s]",
        ),
    ] = WatchPolicy.max_interval
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            parser=duration(most=30 * 86400),
            show_default=False,
            rich_help_panel=TIMING,
            help="Stop watching after this long, with exit code 124; 0 looks once."
            " [default: never]",
        ),
    ] = WatchPolicy.timeout
    until: Annotated[
        Until,
        typer.Option(
            "--until",
            rich_help_panel=TIMING,
            help="Watch until all tasks are finished, or any one is.",
        ),
    ] = WatchPolicy.until
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", rich_help_panel=TIMING, help="Stop when the first task fails."),
    ] = WatchPolicy.fail_fast
    not_found_grace: Annotated[
        float,
        typer.Option(
            "--not-found-grace",
            metavar="DURATION",
            parser=duration(),
            show_default=False,
            rich_help_panel=TIMING,
            help="How long a task that is not found may still turn up. [default: 60s]",
        ),
    ] = WatchPolicy.not_found_grace
    give_up_after: Annotated[
        float,
        typer.Option(
            "--give-up-after",
            metavar="DURATION",
            parser=duration(),
            show_default=False,
            rich_help_panel=TIMING,
            help="Stop when the service has not answered, or asks not to be asked, for this long."
            " [default: 5m]",
        ),
    ] = WatchPolicy.give_up_after


@dataclass(frozen=True, eq=False, repr=False)
class NotifyOptions:
    """What is done, beside showing it, when tasks end."""

    command: Annotated[
        str | None,
        typer.Option(
            "--exec",
            metavar="COMMAND",
            show_default=False,
            rich_help_panel=OUTPUT,
            help="Run COMMAND in a shell for each task that ends, four at a time, with its record"
            " on stdin and in FLUX_TASK_ID, FLUX_TASK_STATE, FLUX_TASK_URL and others.",
        ),
    ] = None
    bell: Annotated[
        bool,
        typer.Option("--bell", rich_help_panel=OUTPUT, help="Ring the terminal's bell at the end."),
    ] = False
