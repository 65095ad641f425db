"""Runs jobs on several threads and hands the results over in the order of the jobs."""

import itertools
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar


J = TypeVar("J")
_TICK = 0.1  # seconds; some systems deliver a signal only between two waits


class Fanout(Generic[J]):
    """Does `work` for each job, up to `workers` at a time, at most `window` ahead of the reader.

    Jobs are taken one by one, when a worker is free, so that they can depend
    on what earlier ones have learned. The threads are daemons: leaving the
    loop early leaves nothing to wait for.
    """

    def __init__(
        self,
        jobs: Iterator[J],
        work: Callable[[J], None],
        *,
        workers: int,
        window: int,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._workers = workers
        self._is_stopped = is_stopped
        self._lock = threading.Lock()
        self._room = threading.Semaphore(window)
        self._taken: dict[int, J] = {}
        self._numbers = itertools.count()
        self._done: SimpleQueue[int | BaseException | None] = SimpleQueue()
        self._closed = False

    def finished(self) -> Iterator[J]:
        """Yield the jobs, in order, as soon as each is done.

        Ends early when the run is stopped, without waiting for what is under
        way. An exception in `work` is raised here.
        """
        for _ in range(self._workers):
            threading.Thread(target=self._serve, daemon=True).start()
        ready: set[int] = set()
        following, idle = 0, 0
        try:
            while not self._is_stopped() and (idle < self._workers or following in ready):
                if following in ready:
                    ready.discard(following)
                    with self._lock:
                        job = self._taken.pop(following)
                    following += 1
                    self._room.release()
                    yield job
                    continue
                try:
                    event = self._done.get(timeout=_TICK)
                except Empty:
                    continue
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    idle += 1
                else:
                    ready.add(event)
        finally:
            self._closed = True
            for _ in range(self._workers):
                self._room.release()

    def begun(self) -> list[J]:
        """Return, in order, the jobs that a worker took and that were not handed over."""
        with self._lock:
            return [job for _, job in sorted(self._taken.items())]

    def untouched(self) -> Iterator[J]:
        """Yield the jobs that no worker took. Only for after the run was stopped."""
        with self._lock:
            yield from self._jobs

    def _serve(self) -> None:
        try:
            while (number := self._take()) is not None:
                self._work(self._taken[number])
                self._done.put(number)
        except BaseException as error:  # noqa: BLE001 - raised again where the results are read
            self._done.put(error)
        else:
            self._done.put(None)

    def _take(self) -> int | None:
        self._room.acquire()
        with self._lock:
            if self._closed or self._is_stopped():
                return None
            job = next(self._jobs, None)
            if job is None:
                return None
            number = next(self._numbers)
            self._taken[number] = job
            return number
