"""Who follows a watch: a stream of records, or a print at the end."""

from collections.abc import Callable, Iterator
from typing import Protocol

from flux_cli.engine.watch import Looked, Watch
from flux_cli.output.formats import Writer
from flux_cli.output.spool import Spool
from flux_cli.runtime import Runtime
from flux_cli.tasks.ids import TaskIds
from flux_cli.tasks.state import State
from flux_cli.tasks.task import Task, no_answer, not_found


_PROGRESS_EVERY = 30.0  # seconds, on stderr


class Follower(Protocol):
    """Hears what happens in a watch, and has the last word."""

    def changed(self, task: Task) -> None:
        """A task was seen for the first time, or in another state."""

    def looked(self, event: Looked) -> None:
        """A look is over."""

    def say(self, line: str) -> None:
        """Write a note for a person."""

    def end(self, watch: Watch) -> None:
        """Write what is left to write; called after an interrupt too."""


class StreamFollower:
    """Writes a record for each change at once, and at the end those of which nothing was heard."""

    def __init__(
        self, runtime: Runtime, ids: TaskIds, writer: Writer, states: frozenset[State] | None
    ) -> None:
        self._runtime = runtime
        self._ids = ids
        self._writer = writer
        self._states = states

    def changed(self, task: Task) -> None:
        if self._states is None or task.state in self._states:
            self._writer.write([task])

    def looked(self, event: Looked) -> None:
        if event.trouble is not None:
            self._runtime.stderr.note(
                f"flux: {event.trouble.message}. Trying again in {event.next_in:.0f} s."
            )

    def say(self, line: str) -> None:
        self._runtime.stderr.line(line)

    def end(self, watch: Watch) -> None:
        for task in _untold(watch, self._ids, self._runtime.now()):
            self.changed(task)
        self._writer.close()


class PrintFollower:
    """Prints every task once, at the end, and meanwhile a line of progress now and then."""

    def __init__(
        self,
        runtime: Runtime,
        ids: TaskIds,
        make: Callable[[], Writer],
        states: frozenset[State] | None,
        *,
        tells_progress: bool,
    ) -> None:
        self._runtime = runtime
        self._ids = ids
        self._make = make
        self._states = states
        self._tells_progress = tells_progress
        self._told_at = runtime.clock()
        self._done = 0
        self._spool = Spool()

    def changed(self, task: Task) -> None:
        self._spool.put(task)
        self._done += not task.state.is_running

    def looked(self, event: Looked) -> None:
        now = self._runtime.clock()
        if self._tells_progress and now - self._told_at >= _PROGRESS_EVERY:
            self._told_at = now
            trouble = f" {event.trouble.message}." if event.trouble else ""
            self._runtime.stderr.note(
                f"flux: {self._done:,} of {len(self._ids):,} tasks done.{trouble}"
            )

    def say(self, line: str) -> None:
        self._runtime.stderr.line(line)

    def end(self, watch: Watch) -> None:
        writer = self._make()
        try:
            for task in self.latest(watch):
                if self._states is None or task.state in self._states:
                    writer.write([task])
            writer.close()
        finally:
            self._spool.close()

    def latest(self, watch: Watch) -> Iterator[Task]:
        """Yield the latest of every task, in order."""
        now = self._runtime.now()
        for task_id in self._ids:
            yield self._spool.get(task_id) or _unseen(watch, task_id, now)


def _untold(watch: Watch, ids: TaskIds, now: float) -> Iterator[Task]:
    for task_id in ids:
        if not watch.was_told(task_id):
            yield _unseen(watch, task_id, now)


def _unseen(watch: Watch, task_id: str, now: float) -> Task:
    """Return the task for an id that no event was about."""
    if watch.state_of(task_id) is State.NOT_FOUND:
        return not_found(task_id, now)
    return no_answer(task_id, code="no_answer", message="no answer so far", observed_at=now)
