"""Options of `flux tasks show`, each with its sentence of help."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli.commands.options import OUTPUT
from flux_cli.errors import UsageError
from flux_cli.output.formats import Writer
from flux_cli.output.terminal import Stdout


if TYPE_CHECKING:
    from flux_cli.runtime import Runtime


class CardFormat(StrEnum):
    """What `--output` of show takes."""

    AUTO = "auto"
    CARD = "card"
    JSONL = "jsonl"
    JSON = "json"

    def on(self, stdout: Stdout, *, raw: bool) -> "CardFormat":
        """Return what this is there: `auto` is the card on a terminal, else JSON lines."""
        if self is not CardFormat.AUTO:
            return self
        if raw:
            return CardFormat.JSON
        return CardFormat.CARD if stdout.is_terminal else CardFormat.JSONL


@dataclass(frozen=True, eq=False, repr=False)
class ShowOutputOptions:
    """What is shown, and how."""

    format: Annotated[
        CardFormat,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=OUTPUT,
            help="What to write to stdout. auto is the card on a terminal, else JSON lines; json"
            " indents each record.",
        ),
    ] = CardFormat.AUTO
    raw: Annotated[
        bool,
        typer.Option(
            "--raw",
            rich_help_panel=OUTPUT,
            help="Write the service's own record instead, indented; null where there is none.",
        ),
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", rich_help_panel=OUTPUT, help="No notes on stderr.")
    ] = False

    def apply(self, runtime: "Runtime") -> None:
        """Prepare the streams. Raises UsageError where options do not go together."""
        runtime.stderr.is_quiet = self.quiet
        if self.raw and self.format is CardFormat.CARD:
            raise UsageError(
                "--raw writes the service's own record, which -o card does not show",
                hint="Leave one of them out",
            )

    def make_writer(self, runtime: "Runtime") -> Writer:
        """Return what writes tasks to stdout."""
        from flux_cli.output.records import KEYS

        stdout = runtime.stdout
        kind = self.format.on(stdout, raw=self.raw)
        if kind is CardFormat.CARD:
            from flux_cli.commands.program_name import program_name
            from flux_cli.output.card import CardWriter

            return CardWriter(stdout, now=runtime.now, program=program_name(runtime))
        from flux_cli.output.jsonl import JsonLinesWriter

        return JsonLinesWriter(stdout, keys=KEYS, indented=kind is CardFormat.JSON, is_raw=self.raw)
