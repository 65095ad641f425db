"""Options of `flux tasks show`, each with its sentence of help."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from flux_cli.commands.options import OUTPUT
from flux_cli.errors import UsageError
from flux_cli.output.formats import Writer
from flux_cli.output.preview.method import Method
from flux_cli.output.terminal import Stdout


if TYPE_CHECKING:
    from flux_cli.models.task import Task
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


@dataclass(eq=False, repr=False)
class ShowOutputOptions:
    """What is shown, and how."""

    panel: ClassVar = OUTPUT
    format: Annotated[
        CardFormat,
        typer.Option("--output", "-o"),
        "Output format. auto is a card on a terminal, JSON lines elsewhere; json is indented.",
    ] = CardFormat.AUTO
    raw: Annotated[
        bool, "Write the service's own record instead, indented; null where there is none."
    ] = False
    preview: Annotated[Method, "How to draw pictures below the card. auto asks the terminal."] = (
        Method.AUTO
    )
    opens: Annotated[
        bool,
        typer.Option("--open"),
        "Open the outputs in the browser; over ssh or without a display, print the links.",
    ] = False
    quiet: Annotated[bool, typer.Option("-q"), "Suppress notes on stderr."] = False

    def apply(self, runtime: "Runtime") -> None:
        """Prepare the streams. Raises UsageError where options do not go together."""
        runtime.stderr.is_quiet = self.quiet
        if self.raw and self.format is CardFormat.CARD:
            raise UsageError(
                "--raw prints the service's own record, which -o card does not show",
                hint="Leave one of them out",
            )
        kind = self.format.on(runtime.stdout, raw=self.raw)
        if kind is not CardFormat.CARD and self.preview not in (Method.AUTO, Method.OFF):
            raise UsageError(
                f"--preview {self.preview} draws below the card, which -o {kind} does not show",
                hint="Add -o card",
            )

    def make_writer(
        self,
        runtime: "Runtime",
        show_pictures: "Callable[[Task], None] | None" = None,
        *,
        is_run: bool = False,
    ) -> Writer:
        """Return what writes tasks to stdout, those of a run or any; `show_pictures` draws them."""
        from flux_cli.output.records import KEYS, RUN_KEYS

        stdout = runtime.stdout
        kind = self.format.on(stdout, raw=self.raw)
        if kind is CardFormat.CARD:
            from flux_cli.commands.program_name import program_name
            from flux_cli.output.card import CardWriter

            return CardWriter(
                stdout,
                now=runtime.now,
                program=program_name(runtime),
                show_pictures=show_pictures,
            )
        from flux_cli.output.jsonl import JsonLinesWriter

        return JsonLinesWriter(
            stdout,
            keys=(*KEYS, *RUN_KEYS) if is_run else KEYS,
            indented=kind is CardFormat.JSON,
            is_raw=self.raw,
        )
