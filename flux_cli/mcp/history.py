"""The account's own tasks, a page at a time: each page begins where the one before ended."""

import math
from dataclasses import dataclass, field

from flux_cli.config.moments import format_moment
from flux_cli.engine.beside import beside
from flux_cli.engine.listing import Bounds
from flux_cli.errors import ServiceError, UsageError
from flux_cli.mcp.answers import Answer, frame_of, next_steps, page_answer
from flux_cli.mcp.calls import Call, Cancelled
from flux_cli.mcp.pages import Page, View
from flux_cli.mcp.queries import Queries, is_over, silence
from flux_cli.models.ids import flaw
from flux_cli.models.task import Task


_SEPARATOR = ","  # which no id has in it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: with the tasks created at `until` or before, but for `but`."""

    until: float = math.inf
    but: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: str | None) -> "Place":
        """Return the place that a cursor tells. Raises UsageError."""
        if cursor is None:
            return cls()
        first, *but = cursor.split(_SEPARATOR)
        try:
            until = float(first)
        except ValueError:
            until = math.nan
        if not math.isfinite(until) or any(flaw(task_id) for task_id in but):
            raise UsageError("cursor must be the next_cursor of an answer, as it was")
        return cls(until, tuple(but))

    @classmethod
    def after(cls, tasks: list[Task], before: "Place") -> "Place | None":
        """Return the place after `tasks`; None where they do not tell."""
        until = tasks[-1].created_at if tasks else None
        if until is None:
            return None
        same = [task.id for task in tasks if task.created_at == until]
        return cls(until, (*(before.but if until == before.until else ()), *same))

    def __str__(self) -> str:
        return _SEPARATOR.join([repr(self.until), *self.but])

    def bounds(self, since: float, until: float | None, kind: str | None) -> Bounds:
        """Return the bounds of the rest, both in Unix seconds. Raises UsageError."""
        end = math.inf if until is None else until
        if end < since:
            raise UsageError("until must not be before since")
        return Bounds(since, min(end, self.until), kind)


@dataclass(slots=True)
class History:
    """What was looked through for one page."""

    page: Page
    place: Place
    bounds: Bounds
    tasks: list[Task] = field(default_factory=list)
    pause: float = 0.0
    is_cut: bool = False  # there was no time for more


def list_tasks(queries: Queries, call: Call, bounds: Bounds, place: Place, view: View) -> History:
    """Look through the account's tasks, newest first, until a page is full.

    Raises NoToken, and ServiceError where nothing came before it.
    """
    history = History(Page(view), place, bounds)
    found: list[Task] = []
    shown = 0
    has_more = False
    with queries.session(call) as session:
        try:
            for tasks in beside(session.list(bounds), lambda: is_over(session, call)):
                fresh = [task for task in tasks if task.id not in place.but]
                found += fresh
                shown += sum(map(view.shows, fresh))
                call.progress = f"{len(found):,} tasks looked through"
                if has_more := shown > view.limit:
                    break
            else:
                history.is_cut = call.left <= 0
                if history.is_cut and not found:
                    raise silence(call)
        except ServiceError:
            if not found:
                raise
            history.is_cut = True
        history.pause = session.pause_left()
    if call.is_cancelled():
        raise Cancelled
    found.sort(key=lambda task: math.inf if task.created_at is None else -task.created_at)
    shown = 0
    for task in found:
        shown += view.shows(task)
        if shown > view.limit:
            break
        history.page.add(task)
        history.tasks.append(task)
    if has_more or history.is_cut:
        history.page.end(len(found) + 1)
    return history


def history_answer(history: History) -> Answer:
    """Return a page of the account's tasks."""
    page = history.page

    def cursor(position: int) -> str | None:
        place = Place.after(history.tasks[:position], history.place)
        return None if place is None else str(place)

    frame = frame_of(page, history.pause)
    steps = [f"{page.counts.summary()}."]
    if not page.counts.total:
        since = format_moment(history.bounds.since)
        nothing = f"The service lists no more tasks since {since}"
        why = "it may have dropped older ones, or the token may belong to another account"
        steps = [f"{nothing}: {why}."]
    elif page.open:
        steps += next_steps(page, frame)
    if history.is_cut:
        steps.append("The service did not answer in time for more.")
    return page_answer(page, frame, steps, rest="with the same arguments", cursor=cursor)
