"""Tasks that need not be asked for, because the input told how they ended."""

import pickle
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import IO, Self

from flux_cli.tasks.task import Task


class KnownTasks:
    """Tasks in the order of their ids, in a file without a name: memory does not grow with them.

    A context manager: the file is gone afterwards.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, task: Task | None) -> None:
        """Keep `task`, if it is one. Its id comes after those of all that were added before."""
        if task is None:
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the tasks
        pickle.dump(task, self._file, pickle.HIGHEST_PROTOCOL)
        self._count += 1

    def others(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield those of `ids` that have to be asked for."""
        return (task_id for task_id, task in self._paired(ids) if task is None)

    def merged(self, ids: Iterable[str], answers: Iterator[Task]) -> Iterator[Task]:
        """Yield a task for each of `ids`: a known one, else the next of `answers`."""
        for _, task in self._paired(ids):
            if task is not None:
                yield task
            elif (answer := next(answers, None)) is not None:
                yield answer

    def _paired(self, ids: Iterable[str]) -> Iterator[tuple[str, Task | None]]:
        place, left = 0, self._count
        task: Task | None = None
        for task_id in ids:
            if task is None and left and self._file is not None:
                with self._lock:  # two readers, each at its own place
                    self._file.seek(place)
                    task = pickle.load(self._file)  # noqa: S301 - written by this process
                    place = self._file.tell()
                left -= 1
            if task is not None and task.id == task_id:
                yield task_id, task
                task = None
            else:
                yield task_id, None
