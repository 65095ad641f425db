"""The options that name a run and the journal that it is in."""

from pathlib import Path
from typing import Annotated

import typer

from flux_cli.output.shell_words import quote


JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", envvar=None),
    "File that records what was submitted. [default: FLUX_JOURNAL, else one in your data folder]",
]


def in_journal(file: Path | None) -> str:
    """Return what a command that is shown needs, to read the journal that this one was given."""
    return "" if file is None else f" --journal {quote(str(file))}"
