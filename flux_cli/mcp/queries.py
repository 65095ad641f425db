"""Questions about tasks as the tools ask them: over the engine, in the thread of one call."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from flux_cli.api.backoff import LONGEST_PAUSE
from flux_cli.engine.policies import WatchPolicy
from flux_cli.engine.session import Session
from flux_cli.engine.watch import Changed, Ending
from flux_cli.errors import GaveUp, InputError, RetryRule, ServiceError, Unanswered
from flux_cli.models.ids import TaskIds, flaw
from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.sanitize import one_line
from flux_cli.token import Token


_LONGEST_ECHO = 40  # characters of what is not an id
_SLICE = 0.2  # seconds of a wait, between two checks whether anybody still wants the answer


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


@dataclass(slots=True)
class RequestedIds:
    """The ids of one call: those that can be asked for, and what is wrong with the others."""

    ids: TaskIds = field(default_factory=TaskIds)
    duplicates: list[str] = field(default_factory=list)
    invalid: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, given: Any, token: Token) -> "RequestedIds":
        """Sort what was given. Raises InputError when nothing of it can be a task id."""
        requested = cls()
        for text in given if isinstance(given, list) else [given]:
            reason = _flaw(text, token)
            if reason is not None:
                shown = one_line(token.hide(str(text)), _LONGEST_ECHO)
                requested.invalid.append((shown, reason))
            elif not requested.ids.add(text) and text not in requested.duplicates:
                requested.duplicates.append(text)
        if not requested.ids:
            why = "; ".join(f'"{shown}" {reason}' for shown, reason in requested.invalid[:5])
            raise InputError(
                f"none of these is a task id: {why}" if why else "task_ids is empty",
                hint="Pass the ids that submissions returned as task_id",
            )
        return requested


class Call(Protocol):
    """One call of a tool: hears how far the answer is, and may be given up."""

    def progressed(self, done: int, total: int, what: str) -> None:
        """So many of so many tasks are `what`."""

    def is_cancelled(self) -> bool:
        """Tell whether nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class TaskResults:
    """Tasks in the order of the ids, and the pause in seconds that the service asked for."""

    requested: RequestedIds
    tasks: list[Task]
    pause: float
    waited: float = 0.0
    timed_out: bool = False


class Queries:
    """Asks for tasks. A pause that the service asks for holds for later calls too."""

    def __init__(
        self,
        open_session: Callable[[float], Session],
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """`open_session` is given the seconds that are left of a pause; it may raise NoToken."""
        self._open_session = open_session
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._paused_until = clock()

    def poll(self, given: Any, call: Call) -> TaskResults:
        """Ask once for every task. Raises InputError, and what ended it before any answer."""
        with self._session() as session:
            requested = _requested(given, session)
            ids = requested.ids
            tasks: list[Task] = []
            check = session.check(ids, is_over=call.is_cancelled)
            for batch in check.results():
                tasks += batch
                call.progressed(len(tasks), len(ids), "answered for")
            _raise_if_silent(tasks, check.stopped_by or check.failure)
            return TaskResults(requested, tasks, session.pause_left())

    def wait(self, given: Any, call: Call, *, seconds: float) -> TaskResults:
        """Ask again and again until every task has ended or the time is over; raises likewise."""
        with self._session() as session:
            return self._wait(session, _requested(given, session), call, seconds)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Session]:
        """Open the session of one call."""
        with self._open_session(max(0.0, self._paused_until - self._clock())) as session:
            try:
                yield session
            finally:
                until = self._clock() + session.pause_left()
                self._paused_until = max(self._paused_until, until)

    def _wait(
        self, session: Session, requested: RequestedIds, call: Call, seconds: float
    ) -> TaskResults:
        ids = requested.ids
        latest: dict[str, Task] = {}
        started = self._clock()
        watch = session.watch(
            ids,
            WatchPolicy(timeout=seconds, give_up_after=seconds, not_found_grace=seconds / 2),
            wait=lambda pause: self._pause(pause, call),
            is_cancelled=call.is_cancelled,
        )
        for event in watch.events():
            if call.is_cancelled():
                raise Cancelled
            if isinstance(event, Changed):
                latest[event.task.id] = event.task
            else:
                if event.trouble is not None and not latest and _will_last(event.trouble):
                    raise event.trouble
                ended = sum(not task.state.is_running for task in latest.values())
                call.progressed(ended, len(ids), "ended")
        tasks = [
            (latest.get(task_id) or watch.latest(task_id, self._now()))._replace(
                previous_state=None
            )
            for task_id in ids
        ]
        waited = self._clock() - started
        silence = Unanswered(
            f"the service did not answer within {waited:.0f} seconds",
            code="no_answer",
            hint="The tasks keep running on the service: ask again later",
        )
        _raise_if_silent(tasks, watch.error or watch.last_trouble or silence)
        timed_out = watch.ending is not Ending.DONE
        return TaskResults(requested, tasks, session.pause_left(), waited, timed_out)

    def _pause(self, seconds: float, call: Call) -> None:
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            if call.is_cancelled():
                raise Cancelled
            self._sleep(min(left, _SLICE))


def _flaw(given: Any, token: Token) -> str | None:
    if not isinstance(given, str):
        return "is not a string"
    return "is the API token, not a task id" if token.is_in(given) else flaw(given)


def _requested(given: Any, session: Session) -> RequestedIds:
    """Return what can be asked for now. Raises InputError, NoToken and GaveUp."""
    requested = RequestedIds.of(given, session.connection.token)
    if (left := session.pause_left()) > LONGEST_PAUSE:
        raise GaveUp(
            f"the service has asked for a pause, with {left:.0f} seconds left",
            code="too_many_requests",
            hint="Ask again then, not before",
        )
    return requested


def _will_last(error: ServiceError) -> bool:
    """Tell whether waiting is no use: no balance, a wrong base URL, a bad certificate."""
    return error.retry_rule is RetryRule.STOP and not isinstance(error, GaveUp)


def _raise_if_silent(tasks: Sequence[Task], error: ServiceError | None) -> None:
    if error is not None and all(task.state is State.UNKNOWN for task in tasks):
        raise error
