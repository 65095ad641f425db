"""Options that several commands share, in groups, each with its range and its sentence of help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli.config.durations import parse_duration
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import UsageError
from flux_cli.models.state import State
from flux_cli.output.formats import Format, Writer, make_writer


if TYPE_CHECKING:
    from flux_cli.models.task import Task
    from flux_cli.runtime import Runtime


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


def _fields(text: str | Sequence[str]) -> Sequence[str]:
    if not isinstance(text, str):
        return text
    from flux_cli.output.records import KEYS, RAW

    fields = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    for field in fields:
        if field not in (*KEYS, RAW):
            allowed = ", ".join((*KEYS, RAW))
            raise typer.BadParameter(f"{field!r} is not a field ({allowed})")
    return fields


INPUT, OUTPUT, SERVICE = "Input", "Output", "Service"

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
Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        rich_help_panel=SERVICE,
        help="Show requests and replies on stderr, without the token.",
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


@dataclass(frozen=True, eq=False, repr=False)
class InputOptions:
    """Where ids come from."""

    ids: Annotated[
        list[str] | None,
        typer.Argument(
            rich_help_panel=INPUT, metavar="[ID]...", help="Task ids.", show_default=False
        ),
    ] = None
    files: Annotated[
        list[str] | None,  # a path would make "-" of "./-"
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            show_default=False,
            rich_help_panel=INPUT,
            help="Read ids from FILE (text, JSON, JSON lines or CSV); - is stdin. May be repeated.",
        ),
    ] = None
    find_ids: Annotated[
        bool,
        typer.Option(
            "--find-ids",
            rich_help_panel=INPUT,
            help="Take every UUID in files and stdin for an id, whatever text is around it.",
        ),
    ] = False


@dataclass(frozen=True, eq=False, repr=False)
class OutputOptions:
    """What is shown, and how."""

    format: Annotated[
        Format,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=OUTPUT,
            help="What to write to stdout. auto is the table on a terminal, else JSON lines.",
        ),
    ] = Format.AUTO
    states: Annotated[
        frozenset[State] | None,
        typer.Option(
            "--state",
            metavar="STATE[,STATE]",
            parser=_states,
            show_default=False,
            rich_help_panel=OUTPUT,
            help=f"Show only tasks in these states: {', '.join(State)}.",
        ),
    ] = None
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            rich_help_panel=OUTPUT,
            help="Add the service's own record to JSON and CSV, as raw.",
        ),
    ] = False
    fields: Annotated[
        Sequence[str] | None,
        typer.Option(
            "--fields",
            metavar="FIELD[,FIELD]",
            parser=_fields,
            show_default=False,
            rich_help_panel=OUTPUT,
            help="Write only these keys of a record, in this order, as JSON lines, JSON or CSV.",
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", rich_help_panel=OUTPUT, help="No notes and no summary on stderr."
        ),
    ] = False

    def apply(self, runtime: "Runtime") -> None:
        """Prepare the streams. Raises UsageError where options do not go together."""
        runtime.stderr.is_quiet = self.quiet
        kind = self.format.on(runtime.stdout)
        if self.fields is not None and not kind.has_records:
            raise UsageError(
                f"--fields picks the keys of records, which -o {kind} does not show",
                hint="Add -o jsonl, -o json or -o csv",
            )

    @property
    def keeps_raw(self) -> bool:
        """Whether the service's own record is to be shown."""
        return self.raw or "raw" in (self.fields or ())

    def make_writer(self, runtime: "Runtime", *, has_files: bool = False) -> Writer:
        """Return what writes tasks to stdout; `has_files` says that outputs were to be saved."""
        from flux_cli.output.records import KEYS, RAW

        keys = self.fields or KEYS
        if self.raw and RAW not in keys:
            keys = (*keys, RAW)
        return make_writer(
            self.format,
            runtime.stdout,
            keys=keys,
            now=runtime.now(),
            note=runtime.stderr.note,
            has_files=has_files,
        )

    def shows(self, task: "Task") -> bool:
        """Tell whether `task` is in a state that is to be shown."""
        return self.states is None or task.state in self.states


@dataclass(frozen=True, eq=False, repr=False)
class ServiceOptions(ServiceSettings):
    """Which service is asked, and how."""

    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            metavar="N",
            min=1,
            max=64,
            rich_help_panel=SERVICE,
            help="Most requests at the same time.",
        ),
    ] = ServiceSettings.concurrency
    batch_size: Annotated[
        int,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            max=50,
            rich_help_panel=SERVICE,
            help="Most ids in one request.",
        ),
    ] = ServiceSettings.batch_size
    request_timeout: RequestTimeout = ServiceSettings.request_timeout
    retries: Annotated[
        int,
        typer.Option(
            "--retries",
            metavar="N",
            min=0,
            max=20,
            rich_help_panel=SERVICE,
            help="Most times to ask again after a failure.",
        ),
    ] = ServiceSettings.retries
    base_url: BaseUrl = ServiceSettings.base_url
    debug: Debug = ServiceSettings.debug
