"""The options that name a run and the journal that it is in."""

from pathlib import Path
from typing import Annotated

import typer


JournalFile = Annotated[
    Path | None,
    typer.Option("--journal", metavar="FILE", envvar=None),
    "Journal of submissions. [default: FLUX_JOURNAL, else a file in the user's data folder]",
]
