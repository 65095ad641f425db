"""The options of `flux mcp`: where it listens, and what it allows agents to spend."""

from dataclasses import dataclass
from typing import Annotated

import typer

from flux_cli.commands.options import number
from flux_cli.commands.run_options import JournalFile


@dataclass(frozen=True, eq=False, repr=False)
class HttpOptions:
    """Where it listens, if it does."""

    http: Annotated[bool, "Serve over streamable HTTP instead of stdio."] = False
    host: Annotated[str, typer.Option(metavar="HOST"), "Address to listen on, with --http."] = (
        "127.0.0.1"
    )
    port: Annotated[
        int,
        number(0, 65535, metavar="PORT"),
        "Port to listen on, with --http; 0 picks a free one.",
    ] = 8000


@dataclass(frozen=True, eq=False, repr=False)
class SpendingOptions:
    """Whether agents may submit, how much, and where that is noted."""

    allow_submit: Annotated[
        bool, "Offer tools that submit tasks, which cost credits; clients may ask their user."
    ] = False
    max_tasks: Annotated[
        int, number(least=1), "Tasks that agents may submit in all, with --allow-submit."
    ] = 50
    journal: JournalFile = None

    def arguments(self, *, is_portable: bool) -> list[str]:
        """Return what has a server allow the same."""
        if not self.allow_submit:
            return []
        journal = self.journal if is_portable or self.journal is None else self.journal.absolute()
        noted = [] if journal is None else ["--journal", str(journal)]
        return ["--allow-submit", "--max-tasks", str(self.max_tasks), *noted]
