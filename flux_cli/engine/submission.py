"""Submits the rows of a run. What may have been accepted is never sent again by itself.

The journal says on the disk what happens before it does: that a request leaves,
before its bytes do; the id of its task, before anything else is done with it.
What certainly was not taken is planned again, and sent again; what may have
been taken is searched for in the account's history, and told when it is not found.
"""

import contextlib
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flux_cli.api.acceptance import Acceptance
from flux_cli.api.throttle import Stopped, Throttle
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.history import History
from flux_cli.engine.ordered_pool import OrderedPool
from flux_cli.engine.pace import Pace
from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.request_locks import RequestLocks
from flux_cli.engine.submission_fate import fate_of, reason_of, refusal_of_all, was_not_taken
from flux_cli.engine.thread_pool import ThreadPool
from flux_cli.errors import BadRequest, FluxError, ServiceError, UsageError
from flux_cli.models.submission import RunInfo, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.journal import Journal


Submit = Callable[[str, Mapping[str, Any]], Acceptance]

SEARCHES = (0.5, 2.0, 5.0)  # seconds before each; a new task may not be listed at once
_LISTED_AFTER = 20.0  # seconds; by then the history lists a task, if it ever does
_AHEAD = 32  # rows for each worker that may be done before their turn to be shown
_MOST_REFUSALS = 20  # with nothing accepted: then it is not the prompts that are wrong
_TICK = 0.1  # seconds between two looks at what is under way
_UNCONFIRMED = TaskError("unconfirmed", "flux ended before the reply came")
_TAKEN_ID = TaskError("bad_reply", "the reply names a task that another submission became")


class Submitter:
    """Submits what is planned among `submissions`, `workers` at a time, `policy.rate` a second.

    Once: first `settle`, then `results`. Whoever uses it holds the lock of the run, and
    has agreed to `most` submissions.
    """

    def __init__(
        self,
        journal: Journal,
        run: RunInfo,
        submissions: Sequence[Submission],
        submit: Submit,
        history: History,
        *,
        throttle: Throttle,
        policy: SubmitPolicy,
        most: int,
        workers: int,
        loop: EventLoop,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run = run
        self._journal = journal
        # Another process may have worked on them until just now.
        self._rows = [journal.reload(submission) for submission in submissions]
        self._submit = submit
        self._history = history
        self._throttle = throttle
        self._round = throttle.begin()
        self._policy = policy
        self._most = most
        self._workers = workers
        self._loop = loop
        self._now = now
        self._clock = clock
        self._locks = RequestLocks()
        self._pace = Pace(policy.rate, clock=clock)
        self._searched: set[int] = set()  # rows in doubt that could be searched for
        self._refused = 0
        self._has_accepted = any(row.state is SubmissionState.ACCEPTED for row in self._rows)
        self._written = 0  # rows that were yielded
        self._active = 0  # requests that leave, or have left, and whose fate is not noted
        self._count = threading.Lock()
        self.failure: ServiceError | None = None  # the first that left a row unsent or in doubt

    @property
    def stopped_by(self) -> ServiceError | None:
        """Why the run ended early."""
        return self._round.reason

    @property
    def rows(self) -> Sequence[Submission]:
        """All rows as they are."""
        return self._rows

    def planned(self) -> list[Submission]:
        """Return the rows that are to be sent."""
        return [row for row in self._rows if row.state is SubmissionState.PLANNED]

    def settle(self) -> None:
        """Search for what an earlier run left in doubt, and plan again what the policy says.

        What could not be searched for is not planned again. Raises Interrupted, JournalError,
        and UsageError where there is more to send than was agreed to.
        """
        if any(row.state.is_in_doubt for row in self._rows):
            is_done: list[bool] = []
            with contextlib.closing(ThreadPool(self._loop, workers=1)) as threads:
                threads.submit(self._settle_leftovers, lambda: is_done.append(True))
                self._loop.run_while(lambda: not is_done)
        again = [row for row in self._rows if self._is_to_be_planned_again(row)]
        if again:
            self._journal.plan_again(again)
            for row in again:
                self._update(row)
        if len(self.planned()) > self._most:
            raise UsageError(
                "the journal has changed meanwhile: this would submit more than was agreed to",
                hint="Nothing was sent. Run the same command again",
            )

    def results(self) -> Iterator[Submission]:
        """Send, and yield every row once, in order, when its fate is known, or is not to be.

        Raises Interrupted, and JournalError when the journal fails; see `interrupt`.
        """
        states = [row.state for row in self._rows]  # as they are now; workers change the rows
        to_send = [i for i, state in enumerate(states) if state is SubmissionState.PLANNED]
        pool = OrderedPool(
            itertools.takewhile(lambda _: not self._round.is_stopped, to_send),
            self._work,
            loop=self._loop,
            workers=self._workers,
            window=self._workers * _AHEAD,
            is_stopped=lambda: False,  # what has been sent is waited for
        )
        with contextlib.closing(pool.finished()) as finished:
            done = self._loop.each(finished)
            for index, state in enumerate(states):
                if state is SubmissionState.PLANNED:
                    next(done, None)  # this one, unless the run was stopped before its turn
                self._written = index + 1
                yield self._rows[index]

    def interrupt(self, patience: float) -> Iterator[Submission]:
        """Send no more, wait for what is under way, `patience` seconds at most; yield the rest."""
        self.stop()
        end = self._clock() + patience
        while self._active > 0 and self._clock() < end:
            with contextlib.suppress(FluxError):  # the first that was raised is why it ends
                self._loop.run_once(_TICK)
        yield from self._rows[self._written :]

    @property
    def under_way(self) -> int:
        """How many requests were sent whose reply has not come."""
        return self._active

    def stop(self) -> None:
        """Send no more."""
        self._round.stop()

    def _work(self, index: int) -> None:
        """Send one row, and note what became of it. Raises JournalError."""
        row = self._rows[index]
        try:
            with self._locks.sending(row.subject):
                self._round.send(lambda: self._attempt(row), is_repeatable=was_not_taken)
        except Stopped:
            pass
        except ServiceError as error:
            if not isinstance(error, BadRequest):
                self.failure = self.failure or error
        except BaseException:
            self.stop()
            raise
        row = self._update(row)
        if row.state is SubmissionState.UNKNOWN:
            self._search(row)

    def _attempt(self, row: Submission) -> None:
        """Send one request, once. Raises the ServiceError that answers it, and Stopped."""
        self._wait_for_turn()
        with self._being_under_way():
            self._round.sleep(0.0)  # which ends it where the run was stopped
            if not self._journal.mark_sending(row, self.run, clock_skew=self._history.skew()):
                return  # it has been sent by somebody else
            try:
                accepted = self._submit(row.path, row.body)
            except ServiceError as error:
                self._note(row, error)
                raise
            self._take(row, accepted)

    def _take(self, row: Submission, accepted: Acceptance) -> None:
        """Write down the id of the task, which must not be lost even where that fails."""
        self._has_accepted = True
        self._rows[row.row - 1] = row._replace(
            state=SubmissionState.ACCEPTED, task_id=accepted.task_id, trace_id=accepted.trace_id
        )
        if not self._journal.mark_accepted(row, accepted.task_id, accepted.trace_id):
            self._journal.mark(row, SubmissionState.UNKNOWN, _TAKEN_ID)

    def _note(self, row: Submission, error: ServiceError) -> None:
        """Write down what `error` means for the row."""
        state = fate_of(error)
        if state is SubmissionState.REFUSED:
            self._refused += 1
            if self._refused >= _MOST_REFUSALS and not self._has_accepted:
                self._round.stop(refusal_of_all(error, _MOST_REFUSALS))
        self._journal.mark(row, state, reason_of(error), trace_id=error.trace_id)

    def _wait_for_turn(self) -> None:
        """Wait until the pace, and the service, allow one more request. Raises Stopped."""
        while wait := self._throttle.pause_left() or self._pace.take_turn():
            self._round.sleep(wait)

    def _search(self, row: Submission) -> None:
        """Look for a row in doubt, a few times: new tasks may be listed late."""
        for delay in SEARCHES if self._history.is_promising else SEARCHES[:1]:
            try:
                self._round.sleep(delay)
            except Stopped:
                return
            with self._locks.searching(row.subject):
                self._adopt([row])
            if self._update(row).state is SubmissionState.ACCEPTED:
                return

    def _settle_leftovers(self) -> None:
        """Find what earlier runs left in doubt; what is not found stays so."""
        leftovers = [
            row
            for row in self._rows
            if row.state.is_in_doubt and not self._journal.is_being_sent(row, self.run)
        ]
        for row in leftovers:
            if row.state is SubmissionState.SENDING:
                self._journal.mark(row, SubmissionState.UNKNOWN, _UNCONFIRMED)
        self._adopt(leftovers)
        if self._policy.resend_unconfirmed:
            self._wait_until_listed([self._update(row) for row in leftovers])
        for row in leftovers:
            self._update(row)
        self.failure = self._history.trouble
        if self.failure is None:
            self._searched = {row.number for row in leftovers}

    def _wait_until_listed(self, rows: Sequence[Submission]) -> None:
        """Before rows are sent again: give the history time to list those sent a moment ago."""
        doubtful = [row for row in rows if row.state is SubmissionState.UNKNOWN]
        youngest = max((row.sent_at or 0.0 for row in doubtful), default=-math.inf)
        wait = youngest + _LISTED_AFTER - self._now()
        if wait > 0:
            with contextlib.suppress(Stopped):
                self._round.sleep(min(wait, _LISTED_AFTER))
                self._adopt(doubtful)

    def _adopt(self, rows: Sequence[Submission]) -> None:
        for row, task in self._history.find(rows):
            if not self._journal.is_being_sent(row, self.run):  # which this may be the task of
                self._journal.mark_accepted(row, task.id, task.trace_id, is_adopted=True)

    def _is_to_be_planned_again(self, row: Submission) -> bool:
        is_refused = row.state is SubmissionState.REFUSED
        is_unknown = row.state is SubmissionState.UNKNOWN
        return (is_refused and self._policy.retry_refused) or (
            is_unknown and self._policy.resend_unconfirmed and row.number in self._searched
        )

    def _update(self, row: Submission) -> Submission:
        """Take over what the journal says of a row."""
        row = self._rows[row.row - 1] = self._journal.reload(row)
        return row

    @contextlib.contextmanager
    def _being_under_way(self) -> Iterator[None]:
        """Count a request from before it is noted that it leaves, until its fate is noted."""
        with self._count:
            self._active += 1
        try:
            yield
        finally:
            with self._count:
                self._active -= 1
