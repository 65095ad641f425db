"""Tasks that need not be asked for, because the input told how they ended."""

from array import array
from collections.abc import Iterable, Iterator
from typing import Self

from flux_cli.engine.task_store import TaskStore
from flux_cli.errors import OutputError
from flux_cli.models.task import Task


class FinishedTasks:
    """Tasks in the order of their ids; memory does not grow with them. A context manager."""

    def __init__(self) -> None:
        self._store = TaskStore()
        self._places = array("Q")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, task: Task | None) -> None:
        """Keep `task`, if it is one. Its id comes after those of all that were added before.

        Raises OutputError where there is no room for it.
        """
        if task is None:
            return
        place = self._store.put(task)
        if place is None:
            raise OutputError(
                "the temporary folder is full, and the records on stdin are too many for memory",
                hint="Free some disk space, or set TMPDIR to another folder",
            )
        self._places.append(place)

    def others(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield those of `ids` that have to be asked for."""
        return (task_id for task_id, task in self._paired(ids) if task is None)

    def merged(self, ids: Iterable[str], answers: Iterator[Task | None]) -> Iterator[Task | None]:
        """Yield a task for each of `ids`: a known one, else the next of `answers`.

        Where that is None, for "not yet", so is what is yielded.
        """
        for _, task in self._paired(ids):
            if task is not None:
                yield task
                continue
            for answer in answers:
                yield answer
                if answer is not None:
                    break

    def _paired(self, ids: Iterable[str]) -> Iterator[tuple[str, Task | None]]:
        tasks = map(self._store.get, self._places)
        task = next(tasks, None)
        for task_id in ids:
            if task is not None and task.id == task_id:
                yield task_id, task
                task = next(tasks, None)
            else:
                yield task_id, None
