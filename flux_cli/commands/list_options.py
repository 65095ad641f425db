"""The options that say which of the account's own tasks are meant."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from flux_cli.config.moments import Moment, parse_moment
from flux_cli.engine.listing import Bounds
from flux_cli.errors import UsageError


SELECTION = "Selection"


class TaskType(StrEnum):
    """What `--type` takes."""

    IMAGES = "images"
    VIDEOS = "videos"


def moment(text: str | Moment) -> Moment:
    """Parse an option that is a moment. Raises BadParameter."""
    if isinstance(text, Moment):
        return text  # the default
    try:
        return parse_moment(text)
    except UsageError as error:
        raise typer.BadParameter(error.message) from None


@dataclass(frozen=True, eq=False, repr=False)
class ListOptions:
    """Which tasks are listed, and how many."""

    since: Annotated[
        Moment,
        typer.Option(
            "--since",
            metavar="WHEN",
            parser=moment,
            show_default=False,
            rich_help_panel=SELECTION,
            help="Only tasks created since then: 24h, 7d, 2026-11-20. [default: 7d]",
        ),
    ] = Moment("7d", ago=7 * 86400.0)
    until: Annotated[
        Moment | None,
        typer.Option(
            "--until",
            metavar="WHEN",
            parser=moment,
            show_default=False,
            rich_help_panel=SELECTION,
            help="Only tasks created until then.",
        ),
    ] = None
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            "-L",
            metavar="N",
            min=1,
            rich_help_panel=SELECTION,
            help="Maximum number of tasks.",
        ),
    ] = 50
    all: Annotated[
        bool,
        typer.Option("--all", rich_help_panel=SELECTION, help="No maximum."),
    ] = False
    type: Annotated[
        TaskType | None,
        typer.Option(
            "--type",
            show_default=False,
            rich_help_panel=SELECTION,
            help="Only images, or only videos.",
        ),
    ] = None

    def bounds(self, now: float) -> Bounds:
        """Return the bounds in Unix seconds. Raises UsageError when no time is between them."""
        since = self.since.resolve(now)
        if self.until is None:
            return Bounds(since, type=self.type)
        until = self.until.resolve(now)
        if until < since:
            raise UsageError(f"--until {self.until.text} is before --since {self.since.text}")
        return Bounds(since, until, self.type)
