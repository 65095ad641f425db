"""Polls again and again at the tasks that are still open: a generator of events.

Everything that takes time or chance is passed in, so that a day of watching
can be tested in a second.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from flux_cli.engine.batch import unanswered
from flux_cli.engine.policies import Until, WatchPolicy
from flux_cli.errors import ServiceError, TokenRejected
from flux_cli.models.state import State
from flux_cli.models.task import Task, no_answer, not_found


_GROWTH = 1.5  # of the interval, while nothing changes
_JITTER = 0.1  # of the interval, at most, added to it
_ALONE_RATE = 4.0  # tasks a second, at most and on average, that are each asked for alone
_BREATH = 1.0  # seconds, at least, between the end of a poll and the next one


class Ending(Enum):
    """Why a watch ended."""

    DONE = "what it waited for has happened"
    FAILED_FAST = "a task failed, and --fail-fast was given"
    TIMED_OUT = "--timeout ran out"
    NO_ANSWER = "the token was rejected, or the service did not answer for too long"


class Changed(NamedTuple):
    """A task was seen for the first time, or in another state; `task.previous_state` says which."""

    task: Task


class Polled(NamedTuple):
    """A poll is over: seconds to the next one, and what went wrong, if anything did."""

    next_in: float
    trouble: ServiceError | None


Event = Changed | Polled


class Poll(Protocol):
    """One poll of some tasks: what `engine.check.Check` is."""

    failure: ServiceError | None
    asked_alone: int  # questions so far, for one task each

    @property
    def stopped_by(self) -> ServiceError | None:
        """The error that ended the poll early."""

    def results(self) -> Iterator[list[Task]]:
        """Yield every task that was asked for."""


class Watch:
    """Watches `ids`; never asks again for a task that has ended.

    A poll that fails keeps the last known states. An id that is not found is
    settled after `not_found_grace`, one that alone is not answered after
    `give_up_after`.
    """

    def __init__(
        self,
        ids: Iterable[str],
        poll: Callable[[Iterator[str]], Poll],
        *,
        policy: WatchPolicy,
        clock: Callable[[], float],
        wait: Callable[[float], None],
        uniform: Callable[[float, float], float],
        pause_left: Callable[[], float] = lambda: 0.0,
        annotate: Callable[[Task], Task] = lambda task: task,
    ) -> None:
        """`poll` begins a poll of some ids, `pause_left` is what the service asked for.

        `annotate` adds what is known here to a task that no poll has answered for.

        `clock` is monotonic; it, `wait` and the policy are in seconds.
        """
        self._ids = ids
        self._poll = poll
        self._policy = policy
        self._clock = clock
        self._wait = wait
        self._uniform = uniform
        self._pause_left = pause_left
        self._annotate = annotate
        self._states: dict[str, State] = {}
        self._settled: set[str] = set()  # ended without success or failure
        self._absent_since: dict[str, float] = {}
        self.ending: Ending | None = None
        self.error: ServiceError | None = None  # that ended it
        self.trouble: ServiceError | None = None  # of the latest poll
        self.last_trouble: ServiceError | None = None  # of any poll
        self.deadline: float | None = None
        self._latest_poll: Poll | None = None

    def events(self) -> Iterator[Event]:
        """Yield what happens until the watch ends; `ending` then says why."""
        policy = self._policy
        silent_since: float | None = None  # the start of the first poll without an answer
        self.deadline = None if policy.timeout is None else self._clock() + policy.timeout
        interval = policy.interval
        most = max(interval, policy.max_interval)
        while True:
            polled_at = self._clock()
            poll = self._latest_poll = self._poll(self.open_ids())
            changes = answers = 0
            for task in (task for tasks in poll.results() for task in tasks):
                answers += task.state is not State.UNKNOWN
                if (change := self._take(task)) is not None:
                    changes += 1
                    self._weigh(change)
                    yield Changed(change)
            now = self._clock()
            if answers:
                silent_since = None
            elif silent_since is None:
                silent_since = polled_at
            self.trouble = poll.stopped_by or poll.failure
            self.last_trouble = self.trouble or self.last_trouble
            if self._has_ended(now, silent_since):
                return
            interval = policy.interval if changes else min(interval * _GROWTH, most)
            delay = max(interval, poll.asked_alone / _ALONE_RATE)
            delay += self._uniform(0.0, _JITTER * delay)
            next_at = max(polled_at + delay, now + _BREATH, now + self._pause_left())
            if self.deadline is not None:
                next_at = min(next_at, self.deadline)
            yield Polled(next_at - now, self.trouble)
            self._wait(next_at - now)
            if self._is_late(self._clock()):
                self.ending = Ending.TIMED_OUT
                return

    @property
    def trouble_so_far(self) -> ServiceError | None:
        """What went wrong in the latest poll, which may be under way."""
        poll = self._latest_poll
        return None if poll is None else poll.stopped_by or poll.failure

    def is_over(self) -> bool:
        """Tell whether the time of the whole watch is over, for a poll that is under way.

        Without any time at all, one poll is made, and made to its end.
        """
        return bool(self._policy.timeout) and self._is_late(self._clock())

    def open_ids(self) -> Iterator[str]:
        """Yield the ids whose tasks have not ended."""
        for task_id in self._ids:
            state = self._states.get(task_id)
            if not (state is not None and state.is_final) and task_id not in self._settled:
                yield task_id

    def state_of(self, task_id: str) -> State:
        """Return the last known state of a task."""
        return self._states.get(task_id, State.UNKNOWN)

    def was_reported(self, task_id: str) -> bool:
        """Tell whether a task has been in an event: it was seen, or settled."""
        state = self._states.get(task_id)
        return state not in (None, State.NOT_FOUND) or task_id in self._settled

    def latest(self, task_id: str, now: float) -> Task:
        """Return what is known of a task whose records nobody has kept."""
        return self._annotate(self._latest(task_id, now))

    def _latest(self, task_id: str, now: float) -> Task:
        state = self.state_of(task_id)
        if state is State.NOT_FOUND:
            return not_found(task_id, now)
        if state is not State.UNKNOWN:
            return Task(task_id, state, now)
        if (trouble := self.error or self.last_trouble) is not None:
            return unanswered(task_id, trouble, now)
        return no_answer(task_id, code="no_answer", message="no answer yet", observed_at=now)

    def _take(self, task: Task) -> Task | None:
        """Note an answer; return the task, with its previous state, when that is news."""
        before = self._states.get(task.id)
        if task.state in (State.NOT_FOUND, State.UNKNOWN):
            return self._take_absence(task, before)
        self._absent_since.pop(task.id, None)
        self._states[task.id] = task.state
        if before is State.NOT_FOUND:
            before = None  # that was never shown
        return None if task.state is before else task._replace(previous_state=before)

    def _take_absence(self, task: Task, before: State | None) -> Task | None:
        """Settle an id that was not found, or not answered for, long enough."""
        now = self._clock()
        if task.state is State.NOT_FOUND and before is None:
            self._states[task.id] = State.NOT_FOUND
        is_lost = task.state is State.NOT_FOUND
        patience = self._policy.not_found_grace if is_lost else self._policy.give_up_after
        if now - self._absent_since.setdefault(task.id, now) < patience:
            return None
        self._states[task.id] = task.state
        self._settled.add(task.id)
        return task._replace(previous_state=None if before is State.NOT_FOUND else before)

    def _is_late(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    def _weigh(self, change: Task) -> None:
        """Note when a change is what was waited for; the poll under way goes on to its end."""
        if self._policy.fail_fast and change.state is State.FAILED:
            self.ending = Ending.FAILED_FAST
        elif self._policy.until is Until.ANY and not change.state.is_running:
            self.ending = self.ending or Ending.DONE

    def _has_ended(self, now: float, silent_since: float | None) -> bool:
        """Tell whether to poll no more.

        A pause that lasts longer than a silence may is not waited for: nothing
        can be heard before its end.
        """
        trouble = self.trouble
        silence = now + self._pause_left() - (now if silent_since is None else silent_since)
        is_silent = trouble is not None and silence >= self._policy.give_up_after
        if isinstance(trouble, TokenRejected):
            self.ending, self.error = Ending.NO_ANSWER, trouble
        elif self.ending is not None:
            return True
        elif is_silent and silent_since is not None:  # also where that has settled the last ids
            self.ending, self.error = Ending.NO_ANSWER, trouble
        elif next(self.open_ids(), None) is None:
            self.ending = Ending.DONE
        elif is_silent:
            self.ending, self.error = Ending.NO_ANSWER, trouble
        elif self._is_late(now):
            self.ending = Ending.TIMED_OUT
        return self.ending is not None
