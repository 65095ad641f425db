"""The options that name a run and the journal that it is in."""

from pathlib import Path
from typing import Annotated

import typer


JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", envvar=None),
    "File that records what was submitted. [default: FLUX_JOURNAL, else one in your data folder]",
]
