"""Questions about tasks as the tools ask them: over the engine, in the thread of one call."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import uniform
from typing import Any

from flux_cli.api.backoff import LONGEST_PAUSE
from flux_cli.api.client import Client
from flux_cli.api.connection import Connection
from flux_cli.api.throttle import Throttle
from flux_cli.engine.batch import PageSize
from flux_cli.engine.check import Check
from flux_cli.engine.watch import Changed, Ending, Watch, WatchPolicy
from flux_cli.errors import GaveUp, InputError, RetryRule, ServiceError, Unanswered
from flux_cli.models.ids import TaskIds, flaw
from flux_cli.models.state import State
from flux_cli.models.task import Task, no_answer, not_found
from flux_cli.output.sanitize import one_line
from flux_cli.token import Token


BATCH_SIZE = 50
RETRIES = 2  # agents, and their clients, are less patient than people
_LONGEST_ECHO = 40  # characters of what is not an id
_SLICE = 0.2  # seconds of a wait, between two looks whether anybody still wants the answer


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


@dataclass(slots=True)
class Question:
    """The ids of one call: those that can be asked for, and what is wrong with the others."""

    ids: TaskIds = field(default_factory=TaskIds)
    duplicates: list[str] = field(default_factory=list)
    invalid: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, given: Any, token: Token) -> "Question":
        """Sort what was given. Raises InputError when nothing of it can be a task id."""
        question = cls()
        for text in given if isinstance(given, list) else [given]:
            reason = _flaw(text, token)
            if reason is not None:
                shown = one_line(token.hide(str(text)), _LONGEST_ECHO)
                question.invalid.append((shown, reason))
            elif not question.ids.add(text) and text not in question.duplicates:
                question.duplicates.append(text)
        if not question.ids:
            why = "; ".join(f'"{shown}" {reason}' for shown, reason in question.invalid[:5])
            raise InputError(
                f"none of these is a task id: {why}" if why else "task_ids is empty",
                hint="Give the ids that submissions returned as task_id",
            )
        return question


@dataclass(frozen=True, slots=True)
class Found:
    """Tasks in the order of the ids, and the pause in seconds that the service asked for."""

    tasks: list[Task]
    pause: float
    waited: float = 0.0
    timed_out: bool = False


Tell = Callable[[int, int], None]  # so many of so many tasks


class Queries:
    """Asks for tasks. A pause that the service asks for holds for later calls too."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        open_client: Callable[[Connection], Client],
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """`connect` finds out where to ask and with which token; it may raise NoToken."""
        self.connect = connect
        self._open_client = open_client
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._paused_until = clock()

    def poll(
        self,
        connection: Connection,
        ids: TaskIds,
        *,
        tell: Tell,
        is_cancelled: Callable[[], bool],
    ) -> Found:
        """Look once at every task. Raises ServiceError when none at all was answered for."""
        throttle = self._throttle(connection)
        tasks: list[Task] = []
        with self._open_client(connection) as client:
            check = self._check(client, connection, throttle, ids, len(ids), is_cancelled)
            for batch in check.results():
                tasks += batch
                tell(len(tasks), len(ids))
        self._keep_pause(throttle)
        _raise_if_silent(tasks, check.stopped_by or check.failure)
        return Found(tasks, throttle.pause_left())

    def wait(
        self,
        connection: Connection,
        ids: TaskIds,
        *,
        seconds: float,
        tell: Tell,
        is_cancelled: Callable[[], bool],
    ) -> Found:
        """Look again and again until every task has ended or the time is over."""
        throttle = self._throttle(connection)
        pages = PageSize(BATCH_SIZE)
        latest: dict[str, Task] = {}
        started = self._clock()
        with self._open_client(connection) as client:

            def poll(open_ids: Iterator[str]) -> Check:
                over = lambda: watch.is_over() or is_cancelled()  # noqa: E731 - one condition
                return self._check(client, connection, throttle, open_ids, len(ids), over, pages)

            watch = Watch(
                ids,
                poll,
                policy=WatchPolicy(
                    timeout=seconds, give_up_after=seconds, not_found_grace=seconds / 2
                ),
                clock=self._clock,
                wait=lambda pause: self._pause(pause, is_cancelled),
                uniform=uniform,
                pause_left=throttle.pause_left,
            )
            for event in watch.events():
                if is_cancelled():
                    raise Cancelled
                if isinstance(event, Changed):
                    latest[event.task.id] = event.task
                else:
                    if event.trouble is not None and not latest and _will_last(event.trouble):
                        raise event.trouble
                    tell(sum(not task.state.is_running for task in latest.values()), len(ids))
        self._keep_pause(throttle)
        tasks = [
            replace(latest.get(task_id) or self._unseen(watch, task_id), previous_state=None)
            for task_id in ids
        ]
        waited = self._clock() - started
        silence = Unanswered(
            f"the service did not answer within {waited:.0f} seconds",
            code="no_answer",
            hint="The tasks go on by themselves: ask again later",
        )
        _raise_if_silent(tasks, watch.error or watch.last_trouble or silence)
        return Found(tasks, throttle.pause_left(), waited, watch.ending is not Ending.DONE)

    def _throttle(self, connection: Connection) -> Throttle:
        left = max(0.0, self._paused_until - self._clock())
        if left > LONGEST_PAUSE:
            raise GaveUp(
                f"the service has asked for a pause, of which {left:.0f} seconds are left",
                code="too_many_requests",
                hint="Ask again then, not before",
            )
        return Throttle(
            concurrency=connection.concurrency, retries=RETRIES, clock=self._clock, pause=left
        )

    def _keep_pause(self, throttle: Throttle) -> None:
        self._paused_until = max(self._paused_until, self._clock() + throttle.pause_left())

    def _check(
        self,
        client: Client,
        connection: Connection,
        throttle: Throttle,
        ids: TaskIds | Iterator[str],
        count: int,
        is_over: Callable[[], bool],
        pages: PageSize | None = None,
    ) -> Check:
        return Check(
            ids,
            client.retrieve_batch,
            throttle=throttle,
            batch_size=BATCH_SIZE,
            workers=min(connection.concurrency, -(-count // BATCH_SIZE)),
            now=self._now,
            pages=pages,
            is_over=is_over,
        )

    def _pause(self, seconds: float, is_cancelled: Callable[[], bool]) -> None:
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            if is_cancelled():
                raise Cancelled
            self._sleep(min(left, _SLICE))

    def _unseen(self, watch: Watch, task_id: str) -> Task:
        if watch.state_of(task_id) is State.NOT_FOUND:
            return not_found(task_id, self._now())
        trouble = watch.last_trouble
        return no_answer(
            task_id,
            code=trouble.code if trouble else "no_answer",
            message=trouble.message if trouble else "no answer so far",
            observed_at=self._now(),
        )


def _flaw(given: Any, token: Token) -> str | None:
    if not isinstance(given, str):
        return "is not a string"
    return "is the API token, not a task id" if token.is_in(given) else flaw(given)


def _will_last(error: ServiceError) -> bool:
    """Tell whether waiting is no use: no balance, a wrong base URL, a bad certificate."""
    return error.retry_rule is RetryRule.STOP and not isinstance(error, GaveUp)


def _raise_if_silent(tasks: Sequence[Task], error: ServiceError | None) -> None:
    if error is not None and all(task.state is State.UNKNOWN for task in tasks):
        raise error
