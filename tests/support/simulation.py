"""A service and processes of flux in one, in virtual time: they crash, and begin again.

What is simulated is the world: the service with its history, the clocks, and the instants at
which a process ends. The journal is a real file, and the submitter is the real one.
"""

import math
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from flux_cli.api.acceptance import Acceptance, parse_acceptance
from flux_cli.api.responses import ResponseHead
from flux_cli.api.throttle import Throttle
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.history import History
from flux_cli.engine.listing import Bounds
from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.submission import Submitter
from flux_cli.errors import ConnectionFault
from flux_cli.models.submission import PlannedRequest, Submission
from flux_cli.models.task import Task, parse_task
from flux_cli.storage.database import Database, Execute
from flux_cli.storage.journal import Journal
from tests.support.patience import until
from tests.support.submitting import NOW, open_run


class Listed(Enum):
    """What the service says of the account's own tasks."""

    AT_ONCE = "at once"
    LATE = "late"  # up to 15 seconds after they were made
    IN_PART = "in part"  # and it breaks off, too
    NEVER = "never"


class Crash(BaseException):
    """The process is no more."""


class Clock:
    """Seconds that pass only when somebody waits, for all threads of all processes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        if seconds is None:
            condition.wait(60)
        else:
            self.advance(seconds)


class Made(NamedTuple):
    """A task that the service has taken, and is paid for."""

    id: str
    path: str
    body: Mapping[str, Any]
    created_at: float


class Service:
    """Takes what is submitted, or does not, and answers, or does not; at a rate of faults."""

    def __init__(
        self, clock: Clock, seed: int, *, faults: float, listed: Listed, skew: float
    ) -> None:
        self.made: list[Made] = []
        self.faults = faults
        self.listed = listed
        self.requests = 0
        self.clock = clock
        self._chance = random.Random(seed)
        self._skew = skew
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time by the service's own clock."""
        return NOW + self._skew + self.clock()

    def bodies(self) -> Counter[str]:
        """Return how often each body was taken."""
        return Counter(PlannedRequest(task.path, task.body).key for task in self.made)

    def submit(self, path: str, body: Mapping[str, Any]) -> Acceptance:
        """Answer a submission. Raises what a client raises."""
        with self._lock:
            self.requests += 1
            chance = self._chance
            self.clock.advance(chance.choice((0.01, 0.3, 3.0)))
            fault = chance.choice(_FAULTS) if chance.random() < self.faults else _Fault(200)
            if "refuse" in str(body.get("prompt")):
                fault = _Fault(400, "bad_request")
            task_id = ""
            if fault.takes:
                task_id = f"task-{len(self.made) + 1}"
                self.made.append(Made(task_id, path, body, self.now()))
                self.clock.advance(chance.choice((0.0, 0.0, 1.0, 29.0)))
        return fault.answer(task_id)

    def tasks(self, bounds: Bounds) -> Iterator[Sequence[Task]]:
        """Yield the account's tasks as a listing of the client does. Raises what that raises."""
        with self._lock:
            tasks = [self._task(made) for made in reversed(self.made)]
            if self.listed is Listed.NEVER:
                tasks = []
            elif self.listed is Listed.LATE:
                latest = self.now() - self._chance.choice((1.0, 6.0, 15.0))
                tasks = [task for task in tasks if (task.created_at or math.inf) <= latest]
            elif self.listed is Listed.IN_PART:
                tasks = [task for task in tasks if self._chance.random() < 0.6]
            breaks = self.listed is Listed.IN_PART and self._chance.random() < 0.4
            if self._chance.random() < self.faults:
                tasks, breaks = tasks[::2], True
        yield [task for task in tasks if bounds.hold(task)]
        if breaks:
            raise ConnectionFault("lost", code="reply_cut")

    def _task(self, made: Made) -> Task:
        kind = made.path.rpartition("/")[2]
        record: dict[str, Any] = {"id": made.id, "request": dict(made.body), "type": kind}
        record["created_at"] = round(made.created_at, 3)
        return parse_task(made.id, record, self.now(), keep_raw=True)


class _Fault(NamedTuple):
    """How a submission ends: with a reply, or with none, where the status is 0."""

    status: int
    code: str = ""
    takes_anyway: bool = False
    body: bytes = b""
    is_certain: bool = False

    @property
    def takes(self) -> bool:
        return self.takes_anyway or (self.status == 200 and not self.code and not self.body)

    def answer(self, task_id: str) -> Acceptance:
        if not self.status:
            raise ConnectionFault(
                "the connection failed", code="lost", may_have_taken_effect=not self.is_certain
            )
        body = self.body or (
            b'{"error": {"code": "%s", "message": "no"}}' % self.code.encode()
            if self.code
            else b'{"task_id": "%s", "trace_id": "trace"}' % task_id.encode()
        )
        return parse_acceptance(ResponseHead(self.status), body)


_PAGE = b"<html><title>Bad gateway</title></html>"
_FAULTS = (
    _Fault(0, is_certain=True),  # no connection
    _Fault(0),
    _Fault(0, takes_anyway=True),
    _Fault(429, "too_many_requests"),
    _Fault(500, "api_error"),
    _Fault(500, "api_error", takes_anyway=True),
    _Fault(502, body=_PAGE),
    _Fault(502, body=_PAGE, takes_anyway=True),
    _Fault(503, "service_unavailable"),
    _Fault(503, body=_PAGE, takes_anyway=True),
    _Fault(504, "timeout", takes_anyway=True),
    _Fault(200, body=b'{"success": true}', takes_anyway=True),
    _Fault(200, body=b'{"task_id": "task-', takes_anyway=True),
    _Fault(302, body=_PAGE, takes_anyway=True),
)


class Process:
    """One flux, which may end at any write of its journal, or around any request of its own."""

    def __init__(
        self, journal: Path, service: Service, clock: Clock, *, crash_at: int | None = None
    ) -> None:
        """`crash_at` counts the instants at which it could end; None for a long life."""
        self.path = journal
        self.is_dead = False
        self.instants = 0
        self._service = service
        self._clock = clock
        self._crash_at = crash_at
        self._lock = threading.Lock()
        self._skew: float | None = None

    def instant(self) -> None:
        """Go on, or be no more."""
        with self._lock:
            self.instants += 1
            self.is_dead |= self.instants == self._crash_at
            if self.is_dead:
                raise Crash

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Open the journal; each transaction has an instant before its end, and one after."""
        process = self

        class Mortal(Database):
            @contextmanager
            def write(self, *, is_trial: bool = False) -> Iterator[Execute]:
                with super().write(is_trial=is_trial) as execute:
                    yield execute
                    process.instant()
                process.instant()

        with mock.patch("flux_cli.storage.journal.Database", Mortal):
            journal = Journal(self.path, now=self._now)
        with journal:
            yield journal

    def run(
        self,
        planned: Sequence[PlannedRequest],
        policy: SubmitPolicy | None = None,
        *,
        name: str | None = None,
        workers: int = 3,
    ) -> list[Submission] | None:
        """Submit as the command does; return the rows that were shown, None after a crash."""
        before = set(threading.enumerate())
        try:
            with self.journal() as journal:
                run, rows = open_run(journal, planned, name=name)
                with journal.locked(run, wait=time.sleep):
                    submitter = Submitter(
                        journal,
                        run,
                        rows,
                        self._submit,
                        History(self._list, skew=lambda: self._skew, is_taken=journal.has_task),
                        throttle=Throttle(
                            concurrency=workers,
                            retries=3,
                            clock=self._clock,
                            uniform=lambda _, most: most,
                            wait=self._clock.wait,
                        ),
                        policy=policy or SubmitPolicy(rate=100.0),
                        most=len(planned),
                        workers=workers,
                        loop=EventLoop(),
                        now=self._now,
                        clock=self._clock,
                    )
                    submitter.settle()
                    return list(submitter.results())
        except Crash:
            pass
        until(lambda: not self._has_threads(before))
        return None

    def _has_threads(self, before: set[threading.Thread]) -> bool:
        return any(
            thread.name.startswith("Thread") and "_serve" in thread.name
            for thread in set(threading.enumerate()) - before
        )

    def _now(self) -> float:
        return NOW + self._clock()

    def _submit(self, path: str, body: Mapping[str, Any]) -> Acceptance:
        self.instant()
        try:
            return self._service.submit(path, body)
        finally:
            self._hear()
            self.instant()

    def _list(self, bounds: Bounds) -> Iterator[Sequence[Task]]:
        self.instant()
        self._hear()
        yield from self._service.tasks(bounds)

    def _hear(self) -> None:
        """Learn the service's time from its reply: the header Date has whole seconds."""
        self._skew = math.floor(self._service.now()) - self._now()


def after_the_crash(journal: Path, folder: Path) -> Path:
    """Return a copy of what is on the disk: what a process had in memory is gone."""
    folder.mkdir()
    for name in (journal.name, f"{journal.name}-wal"):
        if (journal.parent / name).exists():
            shutil.copy(journal.parent / name, folder / name)
    return folder / journal.name
