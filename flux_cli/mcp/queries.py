"""Questions about tasks as the tools ask them: over the engine, in the thread of one call."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flux_cli.engine.policies import WatchPolicy
from flux_cli.engine.session import Session
from flux_cli.engine.watch import Changed
from flux_cli.errors import GaveUp, InputError, RetryRule, ServiceError, Unanswered
from flux_cli.mcp.calls import Call, Cancelled
from flux_cli.mcp.pages import Page, View
from flux_cli.models.ids import TaskIds, flaw
from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.sanitize import one_line
from flux_cli.token import Token


_LONGEST_ECHO = 40  # characters of what is not an id
_NOT_FOUND_GRACE = 12.0  # seconds: the third poll at the latest, and over before 20

OpenSession = Callable[[float, float], Session]


@dataclass(slots=True)
class RequestedIds:
    """The ids of one call: those that can be asked for, and what is wrong with the others."""

    ids: TaskIds = field(default_factory=TaskIds)
    invalid: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, given: list[Any], token: Token, sanitized: Callable[[str], str]) -> "RequestedIds":
        """Sort what was given. Raises InputError when nothing of it can be a task id."""
        requested = cls()
        for text in given:
            reason = _flaw(text, token)
            if reason is None:
                requested.ids.add(text)
            else:
                shown = one_line(sanitized(str(text)), _LONGEST_ECHO)
                requested.invalid.append((shown, reason))
        if not requested.ids:
            why = "; ".join(f'"{shown}" {reason}' for shown, reason in requested.invalid[:5])
            raise InputError(
                f"none of these is a task id: {why}" if why else "task_ids is empty",
                hint="Pass the ids that submissions returned as task_id",
            )
        return requested


@dataclass(slots=True)
class TaskResults:
    """What a call learned; `pause` is the seconds that the service asked to be left alone."""

    requested: RequestedIds
    page: Page
    pause: float = 0.0
    waited: float = 0.0


class Queries:
    """Asks for tasks. A pause that the service asks for holds for later calls too."""

    def __init__(
        self,
        open_session: OpenSession,
        *,
        sanitized: Callable[[str], str],
        now: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        """`open_session` is given the seconds that are left of a pause, and the longest silence.

        It may raise NoToken and UsageError. `sanitized` returns a text as one
        line without any token in it.
        """
        self.sanitized = sanitized
        self._open_session = open_session
        self.now = now
        self._clock = clock
        self._paused_until = clock()

    def look(self, given: list[Any], view: View, call: Call) -> TaskResults:
        """Ask once for the tasks, in the time that there is for `call`.

        From the second page on for that page alone. Raises InputError, NoToken,
        and what ended it before any answer.
        """
        with self.session(call) as session:
            requested = self.requested(given, session)
            results = TaskResults(requested, Page(view))
            end = view.start + view.limit if view.start and view.only is None else None
            page, total = results.page, len(requested.ids)
            check = session.check(
                itertools.islice(requested.ids, view.start, end),
                is_over=lambda: is_over(session, call) or (view.start > 0 and page.is_full),
            )
            for batch in check.results():
                for task in batch:
                    if not (view.start and page.is_full):
                        page.add(task)
                call.progress = f"{page.counts.total:,} of {total:,} tasks answered for"
            if call.is_cancelled():
                raise Cancelled
            page.end(total)
            raise_if_silent(page, check.stopped_by or check.failure)
            results.pause = session.pause_left()
            return results

    def look_at_one(self, task_id: str, call: Call) -> tuple[Task, TaskResults]:
        """Ask once for one task; raises likewise."""
        with self.session(call) as session:
            return self.one(session, task_id, call)

    def one(self, session: Session, task_id: str, call: Call) -> tuple[Task, TaskResults]:
        """Ask once for one task in a session that is open; raises likewise."""
        results = TaskResults(self.requested([task_id], session), Page(View()))
        check = session.check(results.requested.ids, is_over=lambda: is_over(session, call))
        (task,) = itertools.chain.from_iterable(check.results())
        if call.is_cancelled():
            raise Cancelled
        results.page.add(task)
        raise_if_silent(results.page, check.stopped_by or check.failure)
        results.pause = session.pause_left()
        return task, results

    def wait(self, given: list[Any], view: View, call: Call) -> TaskResults:
        """Ask again and again until every task has ended or the time is over; raises likewise."""
        with self.session(call) as session:
            requested = self.requested(given, session)
            results = TaskResults(requested, Page(view))
            for task in self.watched(session, requested.ids, call, call.left):
                results.page.add(task._replace(previous_state=None))
            results.waited = call.elapsed
            results.pause = session.pause_left()
            return results

    @contextlib.contextmanager
    def session(self, call: Call) -> Iterator[Session]:
        """Open the session of one call. Raises GaveUp while the service wants to be left alone."""
        pause = max(0.0, self._paused_until - self._clock())
        with self._open_session(pause, call.left) as session:
            if pause > call.left:
                raise GaveUp(
                    f"the service has asked for a pause, with {pause:.0f} seconds left",
                    code="too_many_requests",
                    hint="Ask again then, not before",
                )
            try:
                yield session
            finally:
                until = self._clock() + session.pause_left()
                self._paused_until = max(self._paused_until, until)

    def requested(self, given: list[Any], session: Session) -> RequestedIds:
        """Sort what was given. Raises InputError and NoToken."""
        return RequestedIds.of(given, session.connection.token, self.sanitized)

    def watched(self, session: Session, ids: TaskIds, call: Call, seconds: float) -> Iterator[Task]:
        """Yield what is known of every task when all have ended, or the time is over.

        Raises Cancelled, and what kept every task from being answered for.
        """
        latest: dict[str, Task] = {}
        watch = session.watch(
            ids,
            WatchPolicy(
                timeout=seconds,
                give_up_after=seconds,
                not_found_grace=min(_NOT_FOUND_GRACE, seconds / 2),
            ),
            wait=call.sleep,
            is_cancelled=call.is_cancelled,
        )
        ended = 0
        for event in watch.events():
            if call.is_cancelled():
                raise Cancelled
            if isinstance(event, Changed):
                latest[event.task.id] = event.task
                ended += not event.task.state.is_running
            elif event.trouble is not None and not latest and _will_last(event.trouble):
                raise event.trouble
            call.progress = f"{ended:,} of {len(ids):,} tasks ended"
        tasks = [latest.get(i) or watch.latest(i, self.now()) for i in ids]
        if all(task.state is State.UNKNOWN for task in tasks):
            raise watch.error or watch.last_trouble or silence(call)
        yield from tasks


def _flaw(given: Any, token: Token) -> str | None:
    if not isinstance(given, str):
        return "is not a string"
    return "is the API token, not a task id" if token.is_in(given) else flaw(given)


def is_over(session: Session, call: Call) -> bool:
    """Tell whether to ask no more: nobody waits, or the time is over, which is then the reason."""
    if call.left <= 0:
        session.stop(silence(call))
        return True
    return call.is_cancelled()


def silence(call: Call) -> Unanswered:
    return Unanswered(
        f"the service did not answer within {call.seconds:.0f} seconds",
        code="no_answer",
        hint="The tasks keep running on the service: ask again later",
    )


def _will_last(error: ServiceError) -> bool:
    """Tell whether waiting is no use: no balance, a wrong base URL, a bad certificate."""
    return error.retry_rule is RetryRule.STOP and not isinstance(error, GaveUp)


def raise_if_silent(page: Page, error: ServiceError | None) -> None:
    """Raise `error` where nothing at all was answered."""
    unknown = page.counts.by_state[State.UNKNOWN]
    if error is not None and unknown == page.counts.total > 0:
        raise error
