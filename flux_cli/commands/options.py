"""Options that several commands share, each with its range and its sentence of help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from flux_cli.config.durations import parse_duration
from flux_cli.engine.policies import Until
from flux_cli.errors import UsageError
from flux_cli.models.state import State
from flux_cli.output.formats import Format


def duration(*, least: float = 0.0, most: float = 86400.0) -> Callable[[str], float]:
    """Return a parser of durations from `least` to `most` seconds."""

    def parse(text: str | float) -> float:
        if not isinstance(text, str):
            return text  # the default, which is a number already
        try:
            return parse_duration(text, least=least, most=most)
        except UsageError as error:
            raise typer.BadParameter(error.message) from None

    return parse


def _states(text: str | frozenset[State]) -> frozenset[State]:
    if not isinstance(text, str):
        return text
    try:
        return frozenset(State(word.strip().lower()) for word in text.split(","))
    except ValueError:
        allowed = ", ".join(State)
        raise typer.BadParameter(f"{text!r} is not a list of states ({allowed})") from None


INPUT, OUTPUT, TIMING, SERVICE = "Input", "Output", "When to look and to end", "Service"

Ids = Annotated[
    list[str] | None,
    typer.Argument(rich_help_panel=INPUT, metavar="[ID]...", help="Task ids.", show_default=False),
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        show_default=False,
        rich_help_panel=INPUT,
        help="Read ids from FILE (text, JSON, JSON lines or CSV); - is stdin. May be repeated.",
    ),
]
Output = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        rich_help_panel=OUTPUT,
        help="What to write to stdout. auto is the table on a terminal, else JSON lines.",
    ),
]
States = Annotated[
    frozenset[State] | None,
    typer.Option(
        "--state",
        metavar="STATE[,STATE]",
        parser=_states,
        show_default=False,
        rich_help_panel=OUTPUT,
        help=f"Show only tasks in these states: {', '.join(State)}.",
    ),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        rich_help_panel=OUTPUT,
        help="Add the service's own record to JSON and CSV, as raw.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", rich_help_panel=OUTPUT, help="No notes and no summary on stderr."
    ),
]
ExitStatus = Annotated[
    bool,
    typer.Option(
        "--exit-status",
        rich_help_panel=OUTPUT,
        help="Exit with 3 if a task failed, 6 if one was not found, 8 if one still runs.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        show_default=False,
        rich_help_panel=SERVICE,
        help="The service to ask. [default: https://api.acedata.cloud]",
    ),
]
Concurrency = Annotated[
    int,
    typer.Option(
        "--concurrency",
        metavar="N",
        min=1,
        max=64,
        rich_help_panel=SERVICE,
        help="Most requests at the same time.",
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="N",
        min=1,
        max=50,
        rich_help_panel=SERVICE,
        help="Most ids in one request.",
    ),
]
RequestTimeout = Annotated[
    float,
    typer.Option(
        "--request-timeout",
        metavar="DURATION",
        parser=duration(least=0.1, most=3600),
        show_default=False,
        rich_help_panel=SERVICE,
        help="Most time for one request, from resolving the name to the last byte. [default: 30s]",
    ),
]
Retries = Annotated[
    int,
    typer.Option(
        "--retries",
        metavar="N",
        min=0,
        max=20,
        rich_help_panel=SERVICE,
        help="Most times to ask again after a failure.",
    ),
]
WatchOutput = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        rich_help_panel=OUTPUT,
        help="What to write to stdout. auto is the live view on a terminal, else jsonl: a line"
        " for each change. The others are printed once, at the end.",
    ),
]
Interval = Annotated[
    float,
    typer.Option(
        "--interval",
        metavar="DURATION",
        parser=duration(least=1, most=3600),
        show_default=False,
        rich_help_panel=TIMING,
        help="Time between two looks; grows by half while nothing changes. [default: 5s]",
    ),
]
MaxInterval = Annotated[
    float,
    typer.Option(
        "--max-interval",
        metavar="DURATION",
        parser=duration(least=1, most=3600),
        show_default=False,
        rich_help_panel=TIMING,
        help="Most time between two looks. [default: 30s]",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        parser=duration(most=30 * 86400),
        show_default=False,
        rich_help_panel=TIMING,
        help="Stop watching after this long, with exit code 124; 0 looks once. [default: never]",
    ),
]
UntilOption = Annotated[
    Until,
    typer.Option(
        "--until", rich_help_panel=TIMING, help="Watch until all tasks are finished, or any one is."
    ),
]
FailFast = Annotated[
    bool,
    typer.Option("--fail-fast", rich_help_panel=TIMING, help="Stop when the first task fails."),
]
NotFoundGrace = Annotated[
    float,
    typer.Option(
        "--not-found-grace",
        metavar="DURATION",
        parser=duration(),
        show_default=False,
        rich_help_panel=TIMING,
        help="How long a task that is not found may still turn up. [default: 60s]",
    ),
]
GiveUpAfter = Annotated[
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
]
Command = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="COMMAND",
        show_default=False,
        rich_help_panel=OUTPUT,
        help="Run COMMAND in a shell for each task that ends, four at a time, with its record on"
        " stdin and in FLUX_TASK_ID, FLUX_TASK_STATE, FLUX_TASK_URL and others.",
    ),
]
Bell = Annotated[
    bool,
    typer.Option("--bell", rich_help_panel=OUTPUT, help="Ring the terminal's bell at the end."),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        rich_help_panel=SERVICE,
        help="Show requests and replies on stderr, without the token.",
    ),
]
