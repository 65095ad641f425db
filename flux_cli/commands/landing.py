"""Saves what has landed while a watch goes on, and only then tells of it."""

import contextlib
from collections.abc import Callable
from queue import Empty, SimpleQueue

from flux_cli.commands.saving import Saving
from flux_cli.engine.download import INTERRUPTED, with_files
from flux_cli.engine.pool import Pool
from flux_cli.tasks.state import State
from flux_cli.tasks.task import Task


_TICK = 0.1  # seconds; some systems deliver a signal only between two waits


class Landing:
    """Stands between a watch and whoever is told of its changes."""

    def __init__(
        self,
        saving: Saving,
        tell: Callable[[Task], None],
        *,
        workers: int,
        clock: Callable[[], float],
    ) -> None:
        self.saving = saving
        self._tell = tell
        self._clock = clock
        self._landed: dict[str, Task] = {}  # and not saved yet
        self._saved: SimpleQueue[Task | BaseException] = SimpleQueue()
        self._pool = Pool(self._save, workers=workers)

    def changed(self, task: Task) -> None:
        """Tell of `task`, when its outputs are saved if it has any."""
        if task.state is State.SUCCEEDED and task.outputs:
            self._landed[task.id] = task
            self._pool.start(task)
        else:
            if not task.state.is_running:
                self.saving.note(task)
            self._tell(task)

    def wait(self, seconds: float) -> None:
        """Let time pass, and tell meanwhile of what has been saved."""
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            self._tell_next(min(left, _TICK))

    def finish(self) -> None:
        """Wait until everything that has landed is saved."""
        while self._landed:
            self._tell_next(_TICK)

    def interrupt(self, tell: Callable[[Task], None]) -> None:
        """Save no more, and `tell` of what has landed all the same."""
        self._tell = tell
        self.saving.stop()
        while not self._saved.empty():
            self._tell_next(0.0)
        for task in list(self._landed.values()):
            self._told(with_files(task, [INTERRUPTED] * len(task.outputs)))

    def _save(self, task: Task) -> None:
        numbers = range(1, len(task.outputs) + 1)
        try:
            self._saved.put(with_files(task, [self.saving.save(task, n) for n in numbers]))
        except BaseException as error:  # noqa: BLE001 - raised again where somebody hears it
            self._saved.put(error)

    def _tell_next(self, seconds: float) -> None:
        with contextlib.suppress(Empty):
            self._told(self._saved.get(timeout=seconds))

    def _told(self, task: Task | BaseException) -> None:
        if isinstance(task, BaseException):
            raise task
        if self._landed.pop(task.id, None) is not None:
            self.saving.note(task)
            self._tell(task)
