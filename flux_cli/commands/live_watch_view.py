"""Shows a watch on a terminal."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from flux_cli import interrupts
from flux_cli.commands.options import OutputOptions, States
from flux_cli.commands.watch_views import PrintView
from flux_cli.engine.watch import Polled, Watch
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.formats import Writer
from flux_cli.output.live import LiveView
from flux_cli.runtime import Runtime


_MOST_ROWS = 60  # of a final table; longer ones show what is not well, and the summary
_NOT_WELL = States(frozenset({State.FAILED, State.NOT_FOUND, State.UNKNOWN}))


class LiveWatchView(PrintView):
    """Shows a live view, and leaves a final table behind.

    Of many tasks, the table holds those that are not well.
    """

    def __init__(
        self,
        runtime: Runtime,
        ids: TaskIds,
        output: OutputOptions,
        make_writer: Callable[[], Writer],
    ) -> None:
        self._is_shortened = not output.states and len(ids) > _MOST_ROWS
        if self._is_shortened:
            output = replace(output, states=[_NOT_WELL])
        super().__init__(runtime, ids, output, make_writer)
        self._view = LiveView(
            runtime.stdout,
            total=len(ids),
            now=runtime.now,
            clock=runtime.clock,
            more=self._running,
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(interrupts.cleaned_up(self._view.restore))
            stack.enter_context(
                interrupts.suspended_by(lambda: self._view.pause(interrupts.stop_here))
            )
            stack.callback(self._view.close)
            self._view.open()
            self._closing = stack.pop_all()

    def changed(self, task: Task) -> None:
        super().changed(task)
        self._view.changed(task)

    def polled(self, event: Polled) -> None:
        self._view.polled(event.next_in, event.trouble.message if event.trouble else "")

    def say(self, line: str) -> None:
        self._view.say(line)

    def insert(self, write: Callable[[], None]) -> None:
        self._view.pause(write)

    def end(self, watch: Watch) -> None:
        self._closing.close()
        super().end(watch)
        if self._is_shortened and (unlisted := self._unlisted(watch)):
            self._runtime.stderr.note(f"{unlisted}, not listed")

    def _unlisted(self, watch: Watch) -> str:
        """Count the tasks that the table leaves out, as "228 succeeded, 3 processing"."""
        counts = TaskCounts()
        counts.count(watch.state_of(task_id) for task_id in self._ids)
        for state in _NOT_WELL:
            del counts.by_state[state]
        return counts.by_states()

    def close(self) -> None:
        self._closing.close()
        super().close()
