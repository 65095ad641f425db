"""Options that several commands share, in groups, each with its range and its sentence of help."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NewType

import typer

from flux_cli.commands.run_options import JournalFile
from flux_cli.config.durations import parse_duration
from flux_cli.config.moments import Moment, parse_moment
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import UsageError
from flux_cli.models.state import State
from flux_cli.output.formats import Format, Writer, make_writer


if TYPE_CHECKING:
    from flux_cli.models.task import Task
    from flux_cli.runtime import Runtime


def reads(parse: Callable[[str], object]) -> Callable[[Any], Any]:
    """Return `parse` as typer wants a parser: a UsageError of it is about the option."""

    def read(text: Any) -> Any:
        if not isinstance(text, str):
            return text  # the default, which has been read already
        try:
            return parse(text)
        except UsageError as error:
            raise typer.BadParameter(error.message) from None

    return read


def duration(least: float = 0.0, most: float = 86400.0) -> Any:
    """Return an option that takes a duration from `least` to `most` seconds."""
    parse = partial(parse_duration, least=least, most=most)
    return typer.Option(metavar="DURATION", parser=reads(parse))


def moment() -> Any:
    """Return an option that takes a moment: how long ago, or a date."""
    return typer.Option(metavar="WHEN", parser=reads(parse_moment))


def number(least: float | None = None, most: float | None = None, *, metavar: str = "N") -> Any:
    """Return an option that takes a number from `least` to `most`, if there are such ends."""

    def refuse_nan(value: Any) -> Any:
        if value is not None and math.isnan(value):  # which compares with neither end
            raise typer.BadParameter(f"{value} is not in the range {least}<=x<={most}.")
        return value

    return typer.Option(metavar=metavar, min=least, max=most, callback=refuse_nan)


States = NewType("States", frozenset[State])  # what typer takes lists of has a plain name
Fields = NewType("Fields", tuple[str, ...])


def _states(text: str) -> States:
    words = [word.strip().lower() for word in text.split(",")]
    for word in words:
        if word not in set(State):
            raise UsageError(f"{word!r} is not a state ({', '.join(State)})")
    return States(frozenset(map(State, words)))


def _fields(text: str) -> Fields:
    from flux_cli.output.records import KEYS, RAW, RUN_KEYS

    known = (*KEYS, *RUN_KEYS, RAW)
    fields = tuple(word.strip().lower() for word in text.split(","))
    for field in fields:
        if field not in known:
            raise UsageError(f"{field!r} is not a field ({', '.join(known)})")
    return Fields(fields)


OUTPUT = "Output"
ExitStatus = Annotated[
    bool,
    typer.Option(rich_help_panel=OUTPUT),
    "Exit with 3 if a task failed, 6 if one was not found, 8 if one is still running.",
]


@dataclass(eq=False, repr=False)
class InputOptions:
    """Where ids come from."""

    panel: ClassVar = "Input"
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]..."), "Task ids."] = None
    files: Annotated[
        list[str] | None,  # a path would make "-" of "./-"
        typer.Option("--file", "-f", metavar="FILE"),
        "Read ids from FILE (text, JSON, JSON lines or CSV), or - for stdin. Can be repeated.",
    ] = None
    find_ids: Annotated[
        bool, "Extract every UUID from files and stdin, whatever the text around it."
    ] = False
    since: Annotated[
        Moment | None,
        moment(),
        "Use the account's own tasks created since this time instead of ids: 2h, 7d, 2026-11-20.",
    ] = None
    run: Annotated[
        str | None,
        typer.Option(metavar="NAME"),
        "Use the tasks of a run instead of ids; see `flux runs list`.",
    ] = None
    journal: JournalFile = None


@dataclass(eq=False, repr=False)
class OutputOptions:
    """What is shown, and how."""

    panel: ClassVar = OUTPUT
    format: Annotated[
        Format,
        typer.Option("--output", "-o"),
        "Output format. auto is a table on a terminal, JSON lines elsewhere.",
    ] = Format.AUTO
    states: Annotated[
        list[States] | None,
        typer.Option("--state", metavar="STATE[,STATE]", parser=reads(_states)),
        f"Show only tasks in these states: {', '.join(State)}. Can be repeated.",
    ] = None
    raw: Annotated[bool, "Add the service's own record to JSON and CSV, as the field raw."] = False
    fields: Annotated[
        list[Fields] | None,
        typer.Option(metavar="FIELD[,FIELD]", parser=reads(_fields)),
        "Write only these fields, in this order (JSON lines, JSON, CSV). Can be repeated.",
    ] = None
    quiet: Annotated[bool, typer.Option("-q"), "Suppress notes and the summary on stderr."] = False

    def apply(self, runtime: "Runtime") -> None:
        """Prepare the streams. Raises UsageError where options do not go together."""
        runtime.stderr.is_quiet = self.quiet
        kind = self.format.on(runtime.stdout)
        if self.fields and not kind.has_records:
            raise UsageError(
                f"--fields selects fields of records, which -o {kind} does not print",
                hint="Add -o jsonl, -o json or -o csv",
            )

    @property
    def keeps_raw(self) -> bool:
        """Whether the service's own record is to be shown."""
        return self.raw or "raw" in self._chosen

    @property
    def _chosen(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(self.fields or ())))

    def make_writer(
        self,
        runtime: "Runtime",
        labels: Sequence[str] | None,
        *,
        has_files: bool = False,
        shows_age: bool = False,
    ) -> Writer:
        """Return what writes tasks to stdout: those of a run, with `labels`, unless it is None.

        For the rest see `formats.make_writer`.
        """
        from flux_cli.output.records import KEYS, RAW, RUN_KEYS

        keys = self._chosen or (KEYS if labels is None else (*KEYS, *RUN_KEYS))
        if self.raw and RAW not in keys:
            keys = (*keys, RAW)
        return make_writer(
            self.format,
            runtime.stdout,
            keys=keys,
            now=runtime.now(),
            note=runtime.stderr.note,
            labels=labels or (),
            has_files=has_files,
            shows_age=shows_age,
        )

    def shows(self, task: "Task") -> bool:
        """Tell whether `task` is in a state that is to be shown."""
        return not self.states or any(task.state in states for states in self.states)


Profile = Annotated[
    str | None,
    typer.Option(metavar="NAME"),
    "Account to use, even if FLUX_API_TOKEN is set; see `flux auth list`.",
]
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL"),
    "Base URL of the service. [default: the profile's, else https://api.acedata.cloud]",
]
Debug = Annotated[bool, "Log requests and replies to stderr, without the token."]
RequestTimeout = Annotated[
    float,
    duration(0.1, 3600),
    "Maximum time for one request, from DNS lookup to last byte. [default: 30s]",
]


@dataclass(eq=False, repr=False)
class ServiceOptions(ServiceSettings):
    """Which service is asked, and how."""

    panel: ClassVar = "Service"
    concurrency: Annotated[int, number(1, 64), "Maximum concurrent requests."] = (
        ServiceSettings.concurrency
    )
    batch_size: Annotated[int, number(1, 50), "Maximum ids per request."] = (
        ServiceSettings.batch_size
    )
    request_timeout: RequestTimeout = ServiceSettings.request_timeout
    retries: Annotated[int, number(0, 20), "Maximum number of retries."] = ServiceSettings.retries
    profile: Profile = ServiceSettings.profile
    base_url: BaseUrl = ServiceSettings.base_url
    debug: Debug = ServiceSettings.debug
