"""Tasks that are kept for later, without letting memory grow with them."""

import io
import pickle
import tempfile
from collections import deque
from typing import IO

from flux_cli.models.task import Task


_MEMORY = 4 * 1024**2  # bytes; beyond them a file without a name takes over
_MEMORY_WITHOUT_DISK = 256 * 1024**2  # bytes, where no such file can be written
_LENGTH = 4  # bytes before each task that say how many it takes


class TaskStore:
    """Keeps tasks in memory while they are few, else in a file that is gone with the process."""

    def __init__(self, *, memory: int = _MEMORY) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._memory: int | None = memory  # None once the file has taken over
        self._end = 0

    def put(self, task: Task) -> int | None:
        """Keep `task` and return its place; None when there is no room for it anywhere."""
        pickled = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        data = len(pickled).to_bytes(_LENGTH) + pickled
        if self._is_full(data):
            self._move_to_disk()
        place = self._end
        if self._is_full(data) or not self._write(self._file, data):
            return None
        self._end += len(data)
        return place

    def get(self, place: int) -> Task:
        """Return the task that was kept at `place`."""
        self._file.seek(place)
        length = int.from_bytes(self._file.read(_LENGTH))
        task: Task = pickle.loads(self._file.read(length))  # noqa: S301 - written by this process
        return task

    def clear(self) -> None:
        """Forget every task."""
        self._file.truncate(0)
        self._end = 0

    def close(self) -> None:
        """Give the file back. Closing twice does no harm."""
        self._file.close()

    def _is_full(self, data: bytes) -> bool:
        return self._memory is not None and self._end + len(data) > self._memory

    def _move_to_disk(self) -> None:
        """Go on in a file; where that cannot be, with more memory."""
        self._memory = _MEMORY_WITHOUT_DISK
        try:
            # not buffered: what a full disk has refused is not tried again at each step
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the store
        except OSError:
            return
        self._file.seek(0)
        if self._write(file, self._file.read(), place=0):
            self._file, self._memory = file, None
        else:
            file.close()

    def _write(self, file: IO[bytes], data: bytes, place: int | None = None) -> bool:
        """Write all of `data`; False when it cannot be, and what was written does not count."""
        view = memoryview(data)
        try:
            file.seek(self._end if place is None else place)
            while view:
                view = view[file.write(view) :]
        except OSError:
            return False
        return True


class TaskBacklog:
    """Tasks that wait for their turn, first come, first served."""

    def __init__(self) -> None:
        self._store = TaskStore()
        self._waiting: deque[int | Task] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def append(self, task: Task) -> None:
        """Put `task` at the end."""
        place = self._store.put(task)
        self._waiting.append(task if place is None else place)

    def popleft(self) -> Task:
        """Take the task that has waited longest."""
        place = self._waiting.popleft()
        task = place if isinstance(place, Task) else self._store.get(place)
        if not self._waiting:
            self._store.clear()
        return task

    def close(self) -> None:
        """Forget them all. Closing twice does no harm."""
        self._waiting.clear()
        self._store.close()
