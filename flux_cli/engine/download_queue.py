"""Saves outputs of tasks that come one by one, and hands each over when all of its own are done."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.task_store import TaskBacklog
from flux_cli.engine.thread_pool import ThreadPool
from flux_cli.models.task import File, Task, TaskError


INTERRUPTED = TaskError("not_saved", "interrupted")


class SaveOutput(Protocol):
    """Saves one output: what `engine.downloader.Downloader.save` is."""

    def __call__(self, task: Task, number: int, keep: Callable[[File], None]) -> None:
        """Save output `number`, counted from 1, and hand `keep` what became of it.

        Once saving was stopped, `keep` is not called any more.
        """


@dataclass(slots=True, eq=False, repr=False)
class PendingDownload:
    """A task whose outputs are being saved; `files` has None for those not done with."""

    task: Task
    files: list[File | None]
    left: int

    @classmethod
    def of(cls, task: Task) -> "PendingDownload":
        return cls(task, [None] * len(task.outputs), len(task.outputs))

    def keep(self, number: int, file: File) -> None:
        """Take in what became of an output, counted from 1; called in its thread."""
        self.files[number - 1] = file

    def saved(self, error: TaskError = INTERRUPTED) -> Task:
        """Return the task with what became of its outputs; those not done with have `error`."""
        missing = File(None, None, None, is_new=False, error=error)
        return with_files(self.task, [file or missing for file in self.files])


class DownloadQueue:
    """Saves up to `workers` outputs at a time; the tasks whose turn has not come wait on disk."""

    def __init__(
        self,
        save: SaveOutput,
        saved: Callable[[Task], None],
        *,
        loop: EventLoop,
        workers: int,
    ) -> None:
        """`saved` is given each task, in the loop, with what became of its outputs."""
        self._save = save
        self._saved = saved
        self._pool = ThreadPool(loop, workers=workers)
        self._backlog = TaskBacklog()
        self._outputs: deque[tuple[PendingDownload, int]] = deque()  # whose turn is next
        self._pending: dict[int, PendingDownload] = {}

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing left to save."""
        return not self._pending and not self._backlog

    def add(self, task: Task) -> None:
        """Save the outputs of `task`, which must have some."""
        self._backlog.append(task)
        self._start()

    def interrupt(self, error: TaskError) -> Iterator[Task]:
        """Yield the tasks that were not handed over; outputs not done with have `error`.

        Only for after saving was stopped.
        """
        for download in list(self._pending.values()):
            yield download.saved(error)
        while self._backlog:
            yield PendingDownload.of(self._backlog.popleft()).saved(error)
        self._pending.clear()

    def close(self) -> None:
        """Forget what waits."""
        self._pool.close()
        self._backlog.close()

    def _start(self) -> None:
        while self._pool.has_room and (self._outputs or self._backlog):
            if not self._outputs:
                download = PendingDownload.of(self._backlog.popleft())
                self._pending[id(download)] = download
                self._outputs.extend((download, n) for n in range(1, len(download.files) + 1))
            download, number = self._outputs.popleft()
            self._pool.submit(
                partial(self._save, download.task, number, partial(download.keep, number)),
                partial(self._finish, download),
            )

    def _finish(self, download: PendingDownload) -> None:
        download.left -= 1
        self._start()
        if not download.left and self._pending.pop(id(download), None) is not None:
            self._saved(download.saved())


def with_files(task: Task, files: Sequence[File]) -> Task:
    """Return `task` with what became of each of its outputs."""
    pairs = zip(task.outputs, files, strict=True)
    return task._replace(outputs=tuple(output._replace(file=file) for output, file in pairs))
