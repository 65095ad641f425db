"""Saves the outputs of many tasks at once, and hands the tasks over in their order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from flux_cli.engine.fanout import Fanout
from flux_cli.tasks.state import State
from flux_cli.tasks.task import File, Task, TaskError


_AHEAD = 4  # files for each worker that may be done before their turn
INTERRUPTED = File(None, None, None, is_new=False, error=TaskError("not_saved", "interrupted"))


@dataclass(slots=True)
class _Job:
    """One output of a task, or a task that has nothing to save (`number` 0)."""

    task: Task
    number: int
    file: File = INTERRUPTED


class Download:
    """Saves every output of `tasks`; a task is handed over when all of its own are done."""

    def __init__(
        self, tasks: Iterable[Task], save: Callable[[Task, int], File], *, workers: int
    ) -> None:
        def work(job: _Job) -> None:
            if job.number:
                job.file = save(job.task, job.number)

        self._fanout = Fanout(
            _jobs(tasks),
            work,
            workers=workers,
            window=workers * _AHEAD,
            is_stopped=lambda: False,
        )
        self._files: list[File] = []  # of the task whose turn it is

    def results(self) -> Iterator[Task]:
        """Yield the tasks in order, with what became of their outputs."""
        for job in self._fanout.finished():
            yield from self._grouped(job)

    def interrupt(self) -> Iterator[Task]:
        """Yield the tasks that had not had their turn yet, as far as they have come.

        Only for after whatever `tasks` and `save` wait for was stopped.
        """
        for job in self._fanout.begun():
            yield from self._grouped(job)

    def _grouped(self, job: _Job) -> Iterator[Task]:
        if not job.number:
            yield job.task
            return
        self._files.append(job.file)
        if job.number == len(job.task.outputs):
            yield with_files(job.task, self._files)
            self._files = []


def with_files(task: Task, files: Iterable[File]) -> Task:
    """Return `task` with what became of each of its outputs."""
    pairs = zip(task.outputs, files, strict=True)
    return replace(task, outputs=tuple(replace(output, file=file) for output, file in pairs))


def _jobs(tasks: Iterable[Task]) -> Iterator[_Job]:
    for task in tasks:
        if task.state is State.SUCCEEDED and task.outputs:
            yield from (_Job(task, number) for number in range(1, len(task.outputs) + 1))
        else:
            yield _Job(task, 0)
