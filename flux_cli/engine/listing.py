"""The account's own tasks, page by page, from a service that documents little about it.

Pages go back in time from the oldest task seen, as the service's own web page
does. Whether bounds are honoured, or inclusive, in which order tasks come, and
how many a reply may hold is unknown: each reply is compared with what was
asked, and another way is tried where something seems to be missing.
"""

import itertools
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flux_cli.api.responses import BatchResponse
from flux_cli.errors import BadRequest, Refused
from flux_cli.models.ids import flaw, record_key
from flux_cli.models.task import Task, parse_task


PageQuery = Mapping[str, Any]  # fields of the wire contract
Ask = Callable[[PageQuery], BatchResponse]

PAGE = 30  # new tasks in a page: on large accounts, larger ones were seen to time out
_LARGEST_PAGE = 500
MOST_PAGES = 20_000  # a service that makes tasks up must not be listened to for ever
_USUAL_PAGES = frozenset({10, 12, 20})  # what services of this kind send at most by themselves


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which tasks are listed: those created from `since` to `until`, both Unix seconds."""

    since: float = -math.inf
    until: float = math.inf
    type: str | None = None

    def hold(self, task: Task) -> bool:
        """Tell whether `task` is within; one that does not say when it was created is."""
        is_of_type = self.type is None or task.type in (None, self.type)
        at = task.created_at
        return is_of_type and (at is None or self.since <= at <= self.until)


@dataclass(slots=True)
class _Page:
    """What one reply held, compared with what was asked and what had been seen before."""

    tasks: list[Task]  # within the bounds, and new
    ids: set[str] = field(default_factory=set)
    has_new: bool = False  # within the bounds or not
    is_full: bool = False  # so that more may fit the same query
    is_descending: bool = True
    reaches_bound: bool = False  # holds a task that is as new as was asked, or newer
    leaves_bounds: bool = False  # holds a task that was not asked for
    is_past_since: bool = False


class Lister:
    """Asks for the tasks of one account until nothing new comes; no task comes twice.

    `ask` sends one query with its retries. Always ends: every further one
    depends on the last one having brought something new.
    """

    def __init__(
        self, ask: Ask, bounds: Bounds, *, now: Callable[[], float], keep_raw: bool = False
    ) -> None:
        self._ask = ask
        self._bounds = bounds
        self._now = now
        self._keep_raw = keep_raw
        self._seen: set[str] = set()
        self._oldest, self._newest = math.inf, -math.inf
        self._at_oldest = 0  # tasks that share the oldest time
        self._largest_page = 0
        self._count = 0  # as the service said with the first page
        self._truncates_bounds = False
        self._is_descending = True
        self._pages_left = MOST_PAGES

    def pages(self) -> Iterator[list[Task]]:
        """Yield the tasks of each reply. Raises what `ask` raises."""
        first = self._look()
        tasks = first.tasks
        if first.is_full and not first.is_descending:  # the newest need not be among them
            tasks = [*tasks, *itertools.chain.from_iterable(self._newer())]
        yield tasks
        if not first.has_new or first.is_past_since or self._is_all(first):
            return
        is_first = True
        while True:
            before = len(self._seen)
            last = yield from self._older()
            has_older = len(self._seen) > before
            # Where the oldest come first, nothing older follows them.
            is_backwards = is_first and first.is_full and not (has_older or self._has_counted())
            if self._is_complete(last) and not is_backwards:
                return
            is_first = False
            before = len(self._seen)
            for way in (self._by_offset, self._before_oldest, self._newer):
                yield from way()
                if len(self._seen) > before:
                    break
            else:
                return

    def _is_all(self, first: _Page) -> bool:
        """Tell whether the first page is proven to hold everything."""
        return self._has_counted() and not (first.is_full or first.leaves_bounds)

    def _is_complete(self, last: _Page) -> bool:
        lacks = self._count > len(self._seen)
        is_suspicious = last.is_full or last.leaves_bounds or lacks
        return last.is_past_since or self._has_counted() or not is_suspicious

    def _has_counted(self) -> bool:
        """Tell whether there are as many as the service said; a page's size need not be a count."""
        is_page_size = self._count == self._largest_page and self._count in _USUAL_PAGES
        return self._count == len(self._seen) and not is_page_size

    def _older(self) -> Generator[list[Task], None, _Page]:
        """Go back in time from the oldest task."""
        while True:
            oldest = self._oldest
            page = self._look(newest=self._just_after(oldest))
            if not (page.reaches_bound or self._truncates_bounds):
                # It cuts bounds to whole seconds: look at all of that second again.
                self._truncates_bounds = True
                yield page.tasks
                page = self._look(newest=self._just_after(oldest))
            yield page.tasks
            if not page.has_new or page.is_past_since:
                return page

    def _by_offset(self) -> Generator[list[Task], None, None]:
        """Skip what was seen: where bounds are ignored, or one moment has too many tasks.

        Where tasks come in no order by time, nobody knows which those are: all are asked for.
        """
        offset = len(self._seen) if self._is_descending else 0
        ids: set[str] = set()
        while True:
            page = self._probe(partial(self._look, offset=offset))
            yield page.tasks
            if not page.ids or page.ids == ids or not (page.has_new or offset < len(self._seen)):
                return
            ids, offset = page.ids, offset + len(page.ids)

    def _before_oldest(self) -> Generator[list[Task], None, None]:
        """Leave the moment of the oldest task behind, which holds more than a page can."""
        page = self._probe(lambda: self._look(newest=math.nextafter(self._oldest, -math.inf)))
        yield page.tasks

    def _newer(self) -> Generator[list[Task], None, None]:
        """Go forward in time from the newest task: where the oldest come first."""
        yield from self._while_new(lambda: self._look(oldest=self._newest - 1))

    def _while_new(self, look: Callable[[], _Page]) -> Generator[list[Task], None, None]:
        while (page := self._probe(look)).has_new:
            yield page.tasks
            if page.is_past_since:
                return

    def _probe(self, look: Callable[[], _Page]) -> _Page:
        """Look in a way that the service need not understand."""
        try:
            return look()
        except (BadRequest, Refused):
            return _Page([])

    def _just_after(self, moment: float) -> float:
        """Return a bound that holds what was created at `moment`, inclusive or not."""
        return (
            math.floor(moment) + 1 if self._truncates_bounds else math.nextafter(moment, math.inf)
        )

    def _look(
        self, *, newest: float = math.inf, oldest: float = -math.inf, offset: int = 0
    ) -> _Page:
        """Ask for one page of tasks, and compare it with the query."""
        newest, oldest = min(newest, self._bounds.until), max(oldest, self._bounds.since)
        if self._pages_left == 0:
            return _Page([])
        self._pages_left -= 1
        limit = min(PAGE + self._at_oldest, _LARGEST_PAGE)
        query: dict[str, Any] = {"limit": limit}
        if math.isfinite(newest):
            query["created_at_max"] = newest
        if math.isfinite(oldest):
            query["created_at_min"] = oldest
        if self._bounds.type is not None:
            query["type"] = self._bounds.type
        if offset:
            query["offset"] = offset
        reply = self._ask(query)
        self._count = self._count or reply.total
        self._largest_page = max(self._largest_page, reply.size)
        says_all = reply.total == reply.size < limit and self._count >= len(self._seen)
        page = _Page([], is_full=reply.size >= min(limit, self._largest_page) and not says_all)
        times: list[float] = []
        for task in self._tasks(reply):
            if task.created_at is not None:
                times.append(task.created_at)
            page.ids.add(task.id)
            if task.id not in self._seen:
                self._seen.add(task.id)
                page.has_new = True
                self._note_time(task.created_at)
                if self._bounds.hold(task):
                    page.tasks.append(task)
        page.is_descending = all(a >= b for a, b in itertools.pairwise(times))
        self._is_descending &= page.is_descending
        bound = math.nextafter(newest, -math.inf)
        page.reaches_bound = not math.isfinite(newest) or any(at >= bound for at in times)
        page.leaves_bounds = any(not oldest - 1 <= at <= newest + 1 for at in times)
        page.is_past_since = page.is_descending and any(at < self._bounds.since - 1 for at in times)
        return page

    def _tasks(self, reply: BatchResponse) -> Iterator[Task]:
        observed_at = self._now()
        for item in reply.items:
            task_id = record_key(item)
            if task_id is not None and flaw(task_id) is None:
                yield parse_task(task_id, item, observed_at, keep_raw=self._keep_raw)

    def _note_time(self, at: float | None) -> None:
        if at is None:
            return
        if at <= self._oldest:
            self._at_oldest = self._at_oldest + 1 if at == self._oldest else 1
        self._oldest, self._newest = min(self._oldest, at), max(self._newest, at)
