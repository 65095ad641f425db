"""Runs jobs on several threads and hands the results over in the order of the jobs."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.thread_pool import ThreadPool


J = TypeVar("J")


class _Slot(Generic[J]):
    """A job that was taken, and whether it is done."""

    __slots__ = ("is_done", "job")

    def __init__(self, job: J) -> None:
        self.job = job
        self.is_done = False

    def finish(self) -> None:
        self.is_done = True


class OrderedPool(Generic[J]):
    """Does `work` for each job, up to `workers` at a time, at most `window` ahead of the reader.

    Jobs are taken one by one, when a worker is free, so that they can depend
    on what earlier ones have learned; the reader takes them, in its own
    thread. `jobs` may yield None where the next one is not there yet.
    """

    def __init__(
        self,
        jobs: Iterator[J | None],
        work: Callable[[J], None],
        *,
        loop: EventLoop,
        workers: int,
        window: int,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._loop = loop
        self._threads = ThreadPool(loop, workers=workers)
        self._window = window
        self._is_stopped = is_stopped
        self._taken: deque[_Slot[J]] = deque()
        self._is_exhausted = False

    def finished(self) -> Iterator[J | None]:
        """Yield the jobs, in order, as soon as each is done; None where the loop has to run first.

        Ends early when the run is stopped, without waiting for what is under
        way. An exception in `work` is raised in the loop.
        """
        try:
            while not self._is_stopped():
                self._loop.run_ready()
                self._take()
                if self._taken and self._taken[0].is_done:
                    yield self._taken.popleft().job
                elif self._is_exhausted and not self._taken:
                    return
                else:
                    yield None
        finally:
            self._threads.close()

    def unfinished(self) -> Iterator[J]:
        """Yield, in order, the jobs that were taken and not handed over."""
        while self._taken:
            yield self._taken.popleft().job

    def unstarted(self) -> Iterator[J]:
        """Yield the jobs that were never taken."""
        return (job for job in self._jobs if job is not None)

    def _take(self) -> None:
        while not self._is_exhausted and self._threads.has_room and len(self._taken) < self._window:
            try:
                job = next(self._jobs)
            except StopIteration:
                self._is_exhausted = True
                return
            if job is None:
                return
            slot = _Slot(job)
            self._taken.append(slot)
            self._threads.submit(lambda job=job: self._work(job), slot.finish)  # type: ignore[misc]
