"""Saves the outputs of many tasks at once, and hands the tasks over in their order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from flux_cli.engine.download_queue import INTERRUPTED, PendingDownload, SaveOutput
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.ordered_pool import OrderedPool
from flux_cli.models.state import State
from flux_cli.models.task import Task


_AHEAD = 4  # files for each worker that may be done before their turn


@dataclass(slots=True, eq=False, repr=False)
class _Job:
    """One output of a task, or a task that has nothing to save (`number` 0)."""

    download: PendingDownload
    number: int

    @property
    def is_last(self) -> bool:
        return self.number == len(self.download.files) or not self.number


class Download:
    """Saves every output of `tasks`; a task is handed over when all of its own are done."""

    def __init__(
        self,
        tasks: Iterator[Task | None],
        save: SaveOutput,
        *,
        loop: EventLoop,
        workers: int,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        """`tasks` may yield None where the next one is not there yet.

        `is_over` ends it early when it turns true; see `interrupt`.
        """

        def work(job: _Job) -> None:
            if job.number:
                save(job.download.task, job.number, partial(job.download.keep, job.number))

        self._loop = loop
        self._pool = OrderedPool(
            _jobs(tasks),
            work,
            loop=loop,
            workers=workers,
            window=workers * _AHEAD,
            is_stopped=is_over,
        )
        self._current: PendingDownload | None = None  # whose outputs are being handed over

    def results(self) -> Iterator[Task]:
        """Yield the tasks in order, with what became of their outputs."""
        for job in self._loop.each(self._pool.finished()):
            self._current = None if job.is_last else job.download
            if job.is_last:
                yield _finished(job)

    def interrupt(self) -> Iterator[Task]:
        """Yield the tasks that had not had their turn yet, as far as they have come.

        Only for after saving was stopped.
        """
        for job in self._pool.unfinished():
            self._current = None if job.is_last else job.download
            if job.is_last:
                yield _finished(job)
        if self._current is not None:  # not all of its outputs had been taken up
            yield self._current.saved(INTERRUPTED)
            self._current = None


def _finished(job: _Job) -> Task:
    return job.download.saved() if job.number else job.download.task


def _jobs(tasks: Iterator[Task | None]) -> Iterator[_Job | None]:
    for task in tasks:
        if task is None:
            yield None
        elif task.state is State.SUCCEEDED and task.outputs:
            download = PendingDownload.of(task)
            yield from (_Job(download, number) for number in range(1, len(download.files) + 1))
        else:
            yield _Job(PendingDownload(task, [], 0), 0)
