"""Keeps the latest task of each id on disk, so that memory does not grow with the answers."""

import pickle
import tempfile

from flux_cli.tasks.task import Task


class Spool:
    """A file without a name, that is gone with the process, and where each task lies in it."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the spool
        self._places: dict[str, int] = {}

    def put(self, task: Task) -> None:
        """Keep `task` as the latest of its id."""
        self._places[task.id] = self._file.seek(0, 2)
        pickle.dump(task, self._file, pickle.HIGHEST_PROTOCOL)

    def get(self, task_id: str) -> Task | None:
        """Return the latest task that was kept for an id."""
        place = self._places.get(task_id)
        if place is None:
            return None
        self._file.seek(place)
        task: Task = pickle.load(self._file)  # noqa: S301 - written by this process
        return task

    def close(self) -> None:
        """Give the file back. Closing twice does no harm."""
        self._file.close()
