"""Shows a watch: as a stream of records, or a print at the end."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Protocol

from flux_cli.commands.options import OutputOptions
from flux_cli.engine.task_store import TaskStore
from flux_cli.engine.watch import Polled, Watch
from flux_cli.models.ids import TaskIds
from flux_cli.models.task import Task
from flux_cli.output.formats import Format, Writer
from flux_cli.runtime import Runtime


_PROGRESS_EVERY = 30.0  # seconds, on stderr


class WatchView(Protocol):
    """Is given what happens in a watch, and writes the last of it."""

    def changed(self, task: Task) -> None:
        """A task was seen for the first time, or in another state."""

    def polled(self, event: Polled) -> None:
        """A poll is over."""

    def say(self, line: str) -> None:
        """Write a note for a person."""

    def insert(self, write: Callable[[], None]) -> None:
        """Call `write`, which writes lines to stdout, where they do not disturb what is shown."""

    def end(self, watch: Watch) -> None:
        """Write what is left to write; called after an interrupt too."""

    def close(self) -> None:
        """Give back what is held, however the watch ended."""


class StreamView:
    """Writes a record for each change at once, and at the end those of which nothing was heard."""

    def __init__(
        self,
        runtime: Runtime,
        ids: TaskIds,
        output: OutputOptions,
        make_writer: Callable[[], Writer],
    ) -> None:
        self._runtime = runtime
        self._ids = ids
        self._output = output
        self._make_writer = make_writer

    @cached_property
    def _writer(self) -> Writer:
        """Made when there is something to write: a table tells ages from then on."""
        return self._make_writer()

    def changed(self, task: Task) -> None:
        if self._output.shows(task):
            self._writer.write([task])

    def polled(self, event: Polled) -> None:
        if event.trouble is not None:
            self._runtime.stderr.note(
                f"flux: {event.trouble.message}. Retrying in {event.next_in:.0f} s."
            )

    def say(self, line: str) -> None:
        self._runtime.stderr.line(line)

    def insert(self, write: Callable[[], None]) -> None:
        write()

    def end(self, watch: Watch) -> None:
        now = self._runtime.now()
        for task_id in self._ids:
            if not watch.was_reported(task_id):
                self.changed(watch.latest(task_id, now))
        self._writer.close()

    def close(self) -> None:
        pass


class PrintView(StreamView):
    """Prints every task once, at the end, and meanwhile a line of progress now and then.

    What cannot be kept until then, because neither memory nor the temporary
    folder has room, is printed at once, out of its order.
    """

    def __init__(
        self,
        runtime: Runtime,
        ids: TaskIds,
        output: OutputOptions,
        make_writer: Callable[[], Writer],
        *,
        shows_progress: bool = False,
    ) -> None:
        super().__init__(runtime, ids, output, make_writer)
        self._shows_progress = shows_progress
        self._shown_at = runtime.clock()
        self._done = 0
        self._store = TaskStore()
        self._places: dict[str, int | None] = {}  # in the store; None once printed

    def changed(self, task: Task) -> None:
        self._done += not task.state.is_running
        place = self._store.put(task)
        if place is not None:
            self._places[task.id] = place
        elif not task.state.is_running:
            self._places[task.id] = None
            super().changed(task)
        else:
            self._places.pop(task.id, None)

    def polled(self, event: Polled) -> None:
        now = self._runtime.clock()
        if self._shows_progress and now - self._shown_at >= _PROGRESS_EVERY:
            self._shown_at = now
            trouble = f" {event.trouble.message}." if event.trouble else ""
            self._runtime.stderr.note(
                f"flux: {self._done:,} of {len(self._ids):,} tasks done.{trouble}"
            )

    def end(self, watch: Watch) -> None:
        for task in self._latest(watch):
            super().changed(task)
        self._writer.close()

    def _latest(self, watch: Watch) -> Iterator[Task]:
        """Yield the latest of every task that was not printed yet, in order."""
        now = self._runtime.now()
        for task_id in self._ids:
            place = self._places.get(task_id)
            if place is not None:
                yield self._store.get(place)
            elif task_id not in self._places:
                yield watch.latest(task_id, now)

    def close(self) -> None:
        self._store.close()

    def _running(self) -> Iterator[Task]:
        """Yield, in order, the tasks that were last seen running."""
        for task_id in self._ids:
            place = self._places.get(task_id)
            if place is not None and (task := self._store.get(place)).state.is_running:
                yield task


def has_live_view(runtime: Runtime, output: OutputOptions) -> bool:
    """Tell whether a watch with `output` shows a live view."""
    return output.format in (Format.AUTO, Format.TABLE) and runtime.stdout.has_styles


def make_view(
    runtime: Runtime, ids: TaskIds, output: OutputOptions, make_writer: Callable[[], Writer]
) -> WatchView:
    """Return the view of a watch for `output`: a live one on a terminal, else a stream."""
    kind = output.format
    if has_live_view(runtime, output):
        from flux_cli.commands.live_watch_view import LiveWatchView

        return LiveWatchView(runtime, ids, output, make_writer)
    is_table = kind is Format.TABLE or runtime.stdout.is_terminal
    if kind is Format.JSONL or (kind is Format.AUTO and not is_table):
        return StreamView(runtime, ids, output, make_writer)
    return PrintView(runtime, ids, output, make_writer, shows_progress=is_table)
