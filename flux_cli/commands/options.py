"""Options that several commands share, each with its range and its sentence of help."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from flux_cli.config.durations import parse_duration
from flux_cli.engine.watch import Until
from flux_cli.errors import UsageError
from flux_cli.output.formats import Format
from flux_cli.tasks.state import State


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


Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Task ids.", show_default=False),
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        show_default=False,
        help="Read ids from FILE (text, JSON, JSON lines or CSV); - is stdin. May be repeated.",
    ),
]
Output = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
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
        help=f"Show only tasks in these states: {', '.join(State)}.",
    ),
]
Raw = Annotated[
    bool, typer.Option("--raw", help="Add the service's own record to JSON and CSV, as raw.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No notes and no summary on stderr.")]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        show_default=False,
        help="The service to ask. [default: https://api.acedata.cloud]",
    ),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, help="Most requests at the same time.")
]
BatchSize = Annotated[
    int, typer.Option("--batch-size", min=1, max=50, help="Most ids in one request.")
]
RequestTimeout = Annotated[
    float,
    typer.Option(
        "--request-timeout",
        metavar="DURATION",
        parser=duration(least=0.1, most=3600),
        show_default=False,
        help="Most time for one request, from connecting to the last byte. [default: 30s]",
    ),
]
Retries = Annotated[
    int, typer.Option("--retries", min=0, max=20, help="Most times to ask again after a failure.")
]
WatchOutput = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
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
        help="Stop watching after this long, with exit code 124; 0 looks once. [default: never]",
    ),
]
UntilOption = Annotated[
    Until, typer.Option("--until", help="Watch until all tasks are finished, or any one is.")
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop when the first task fails.")]
NotFoundGrace = Annotated[
    float,
    typer.Option(
        "--not-found-grace",
        metavar="DURATION",
        parser=duration(),
        show_default=False,
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
        help="Stop when the service has not answered for this long. [default: 5m]",
    ),
]
Command = Annotated[
    str | None,
    typer.Option(
        "--exec",
        metavar="COMMAND",
        show_default=False,
        help="Run COMMAND in a shell for each task that ends, four at a time, with its record on"
        " stdin and in FLUX_TASK_ID, FLUX_TASK_STATE, FLUX_TASK_URL and others.",
    ),
]
Bell = Annotated[bool, typer.Option("--bell", help="Ring the terminal's bell at the end.")]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show requests and replies on stderr, without the token.")
]
