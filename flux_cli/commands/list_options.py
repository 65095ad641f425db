"""The options that say which of the account's own tasks are meant."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from flux_cli.commands.options import ServiceOptions, moment, number
from flux_cli.commands.run_options import JournalFile
from flux_cli.config.moments import Moment
from flux_cli.engine.listing import Bounds
from flux_cli.errors import UsageError


class TaskType(StrEnum):
    """What `--type` takes."""

    IMAGES = "images"
    VIDEOS = "videos"


_WEEK = Moment("7d", ago=7 * 86400.0)


@dataclass(frozen=True, eq=False, repr=False)
class ListOptions:
    """Which tasks are listed, and how many."""

    panel: ClassVar = "Selection"
    since: Annotated[
        Moment, moment(), "Only tasks created since this time: 24h, 7d, 2026-11-20. [default: 7d]"
    ] = _WEEK
    until: Annotated[Moment | None, moment(), "Only tasks created until this time."] = None
    limit: Annotated[int, number(least=1), "Maximum number of tasks."] = 50
    all: Annotated[bool, "List every task, however many there are."] = False
    type: Annotated[TaskType | None, "Only images, or only videos."] = None
    local: Annotated[
        bool, "List the tasks submitted from this machine, from its journal, without a request."
    ] = False
    journal: JournalFile = None

    def bounds(self, now: float) -> Bounds:
        """Return the bounds in Unix seconds. Raises UsageError when no time is between them."""
        since = self.since.resolve(now)
        if self.until is None:
            return Bounds(since, type=self.type)
        until = self.until.resolve(now)
        if until < since:
            raise UsageError(f"--until {self.until.text} is before --since {self.since.text}")
        return Bounds(since, until, self.type)


@dataclass(eq=False, repr=False)
class ListServiceOptions(ServiceOptions):
    """Which service is asked, and how: for one page after the other, by no ids."""

    concurrency: int = field(default=1, init=False)
    batch_size: int = field(default=ServiceOptions.batch_size, init=False)
