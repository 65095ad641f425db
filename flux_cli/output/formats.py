"""The output formats, and the one function that makes a writer for each."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from flux_cli.output.terminal import Stdout


if TYPE_CHECKING:
    from flux_cli.models.task import Task


class Format(StrEnum):
    """What `--output` takes."""

    AUTO = "auto"
    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    IDS = "ids"
    URLS = "urls"
    REASONS = "reasons"

    def on(self, stdout: Stdout) -> "Format":
        """Return what this is there: `auto` is the table on a terminal, else JSON lines."""
        if self is not Format.AUTO:
            return self
        return Format.TABLE if stdout.is_terminal else Format.JSONL

    @property
    def has_records(self) -> bool:
        """Whether it shows records, whose keys may be chosen."""
        return self in (Format.JSONL, Format.JSON, Format.CSV)


class Writer(Protocol):
    """Takes results a batch at a time and writes them to stdout."""

    def write(self, tasks: "Iterable[Task]") -> int:
        """Write `tasks`; return how many were taken, which is all but for a reader that stalls.

        Raises OutputClosed and OutputError.
        """

    def close(self) -> None:
        """Write what a whole output needs at its end; called after an interrupt too."""


def make_writer(
    kind: Format,
    stdout: Stdout,
    *,
    keys: Sequence[str],
    now: float,
    note: Callable[[str], None],
    labels: Sequence[str] = (),
    has_files: bool = False,
    shows_age: bool = False,
) -> Writer:
    """Return the writer for `kind`.

    `keys` are those of a record. `now` (Unix seconds) is what the table's ages
    count from; `note` is told, in one line, what had to be left out. `labels`
    are all that CSV has columns for, `has_files` says that outputs were to be saved,
    `shows_age` that a table is to tell ages.
    """
    kind = kind.on(stdout)
    if kind is Format.TABLE:
        from flux_cli.output.table import TableWriter

        return TableWriter(stdout, now=now, shows_age=shows_age)
    if kind is Format.CSV:
        from flux_cli.output.csv_rows import CsvWriter

        return CsvWriter(stdout, keys=keys, labels=labels, has_files=has_files)
    if kind in (Format.IDS, Format.URLS):
        from flux_cli.output.ids_and_urls import IdWriter, UrlWriter

        return IdWriter(stdout) if kind is Format.IDS else UrlWriter(stdout, note=note)
    if kind is Format.REASONS:
        from flux_cli.output.reasons import ReasonWriter

        return ReasonWriter(stdout)
    from flux_cli.output.jsonl import JsonArrayWriter, JsonLinesWriter

    make = JsonArrayWriter if kind is Format.JSON else JsonLinesWriter
    return make(stdout, keys=keys)
