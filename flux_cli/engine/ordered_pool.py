"""Runs jobs on several threads and hands the results over in the order of the jobs."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.thread_pool import ThreadPool


J = TypeVar("J")
Step = Callable[[], None]


class _Slot(Generic[J]):
    """A job that was taken, and how many steps of it are not done."""

    __slots__ = ("job", "left", "steps")

    def __init__(self, job: J) -> None:
        self.job = job
        self.steps: Sequence[Step] = ()
        self.left = 1  # to begin with

    def begin(self, work: Callable[[J], Sequence[Step] | None]) -> None:
        self.steps = work(self.job) or ()

    def finish_step(self) -> None:
        self.left -= 1


class OrderedPool(Generic[J]):
    """Does `work` for each job, up to `workers` at a time, at most `window` ahead of the reader.

    `work` may return steps that remain, each for a worker of its own; they come
    before other jobs, and the job is done when they are. Jobs are taken one by
    one, when a worker is free, so that they can depend on what earlier ones
    have learned; the reader takes them, in its own thread. `jobs` may yield
    None where the next one is not there yet.
    """

    def __init__(
        self,
        jobs: Iterator[J | None],
        work: Callable[[J], Sequence[Step] | None],
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
        self._steps: deque[tuple[_Slot[J], Step]] = deque()
        self._is_exhausted = False

    def finished(self) -> Generator[J | None, None, None]:
        """Yield the jobs, in order, as soon as each is done; None where the loop has to run first.

        Ends early when the run is stopped, without waiting for what is under
        way. An exception in `work` is raised in the loop.
        """
        try:
            while not self._is_stopped():
                self._loop.run_ready()
                self._take()
                if self._taken and not self._taken[0].left:
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
        while self._threads.has_room:
            if self._steps:
                slot, step = self._steps.popleft()
                self._threads.submit(step, slot.finish_step)
            elif (next_slot := self._next_slot()) is not None:
                self._taken.append(next_slot)
                self._threads.submit(
                    partial(next_slot.begin, self._work), partial(self._begun, next_slot)
                )
            else:
                return

    def _next_slot(self) -> _Slot[J] | None:
        if self._is_exhausted or len(self._taken) >= self._window:
            return None
        try:
            job = next(self._jobs)
        except StopIteration:
            self._is_exhausted = True
            return None
        return None if job is None else _Slot(job)

    def _begun(self, slot: _Slot[J]) -> None:
        slot.left += len(slot.steps)
        self._steps.extend((slot, step) for step in slot.steps)
        slot.finish_step()
