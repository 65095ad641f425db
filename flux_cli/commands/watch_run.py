"""Watches a set of tasks to the end: from ids to a verdict. `watch` and `demo` share it."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flux_cli import interrupts
from flux_cli.api.connection import Connection
from flux_cli.commands.hook_input import describe_task
from flux_cli.commands.tasks.check import no_answer_for
from flux_cli.commands.watch_views import make_view
from flux_cli.engine.download_queue import INTERRUPTED, DownloadQueue
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.hooks import Hooks
from flux_cli.engine.policies import Until
from flux_cli.engine.watch import Changed, Ending, Watch, WatchPolicy
from flux_cli.errors import ExitCode, FluxError, Interrupted
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task, TaskError
from flux_cli.output.formats import Format
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.api.client import Client
    from flux_cli.commands.download_report import Saving, SavingOptions


_MOST_FAILURES = 5  # of commands, named one by one
_OUT_OF_TIME = TaskError("timed_out", "--timeout ran out")


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a watch asks and what it shows; `resume` tells how to go on with open ids, and why."""

    policy: WatchPolicy
    output: Format = Format.AUTO
    states: frozenset[State] | None = None
    keep_raw: bool = False
    batch_size: int = 50
    retries: int = 3
    command: str | None = None
    bell: bool = False
    saving: "SavingOptions | None" = None
    resume: Callable[[list[str], str], None] | None = None


def follow(runtime: Runtime, ids: TaskIds, connection: Connection, wishes: Wishes) -> ExitCode:
    """Watch `ids` until what `wishes.plan` waits for has happened; return the verdict.

    Raises ServiceError when the service rejected the token or was gone for too
    long, Interrupted likewise, each after writing what is known.
    """
    with contextlib.ExitStack() as stack:
        return _Follow(stack, runtime, ids, connection, wishes).run()


class _Follow:
    """A watch, and what goes with it: a view or a stream, files to save, commands to run."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        runtime: Runtime,
        ids: TaskIds,
        connection: Connection,
        wishes: Wishes,
    ) -> None:
        """Open what has to be closed again on `stack`. Raises OutputError and UsageError."""
        self._runtime = runtime
        self._ids = ids
        self._wishes = wishes
        self._loop = EventLoop()
        self._saving: Saving | None = None
        self._downloads: DownloadQueue | None = None
        self._hooks: Hooks | None = None
        if wishes.saving is not None or wishes.command is not None:
            runtime.stdout.outlives_reader = True
        client = stack.enter_context(runtime.client(connection))
        self._watch, self._stop_asking = self._make_watch(client, connection)
        if wishes.saving is not None:
            self._saving = stack.enter_context(self._open_saving(wishes.saving))
            self._downloads = DownloadQueue(
                self._saving.save, self._saved, loop=self._loop, workers=wishes.saving.workers
            )
            stack.callback(self._downloads.close)
        self._view = make_view(
            runtime,
            ids,
            wishes.output,
            wishes.states,
            keep_raw=wishes.keep_raw,
            has_files=wishes.saving is not None,
        )
        stack.callback(self._view.close)
        if wishes.command is not None:
            self._hooks = Hooks(
                wishes.command,
                describe_task,
                loop=self._loop,
                environment=runtime.environment,
                say=self._view.say,
            )
            stack.enter_context(interrupts.cleaned_up(self._hooks.kill))
            stack.callback(self._hooks.stop)

    def run(self) -> ExitCode:
        if self._wishes.policy.timeout:
            self._runtime.stdout.set_deadline(time.monotonic() + self._wishes.policy.timeout)
        try:
            for event in self._watch.events():
                if isinstance(event, Changed):
                    self._changed(event.task)
                else:
                    self._view.polled(event)
            self._loop.run_while(self._has_work)
            self._end(_OUT_OF_TIME)
        except Interrupted:
            with contextlib.suppress(FluxError):  # the interrupt is the reason to end
                self._end(INTERRUPTED)
                if self._saving is not None:
                    self._saving.finish(tells_rate=False)
            self._tell_of_commands()
            self._tell_how_to_go_on("interrupted")
            raise
        return self._conclude()

    def _make_watch(
        self, client: "Client", connection: Connection
    ) -> tuple[Watch, Callable[[], None]]:
        from flux_cli.api.throttle import Throttle
        from flux_cli.engine.batch import PageSize
        from flux_cli.engine.check import Check

        wishes = self._wishes
        most, patience = connection.concurrency, wishes.policy.patience
        throttle = Throttle(concurrency=most, retries=wishes.retries, patience=patience)
        pages = PageSize(wishes.batch_size)

        def poll(open_ids: Iterator[str]) -> Check:
            return Check(
                open_ids,
                client.retrieve_batch,
                throttle=throttle,
                batch_size=wishes.batch_size,
                workers=min(most, -(-len(self._ids) // wishes.batch_size)),
                keep_raw=wishes.keep_raw,
                now=self._runtime.now,
                pages=pages,
                is_over=watch.is_over,
                loop=self._loop,
            )

        watch = Watch(
            self._ids,
            poll,
            policy=wishes.policy,
            clock=self._runtime.clock,
            wait=lambda seconds: self._loop.run_for(seconds, self._runtime.clock),
            uniform=random.uniform,
            pause_left=throttle.pause_left,
        )
        return watch, throttle.stop

    @contextlib.contextmanager
    def _open_saving(self, options: "SavingOptions") -> Iterator["Saving"]:
        from flux_cli.commands.download_report import open_saving
        from flux_cli.output.progress import LineProgress, Silence

        runtime = self._runtime
        is_live = self._wishes.output in (Format.AUTO, Format.TABLE) and runtime.stdout.has_styles
        progress = Silence(lambda line: self._loop.post(lambda: self._view.say(line)))
        with open_saving(
            runtime, options, progress if is_live else LineProgress(runtime.stderr)
        ) as saving:
            yield saving

    def _changed(self, task: Task) -> None:
        """Tell of `task`, when its outputs are saved if it has any."""
        if self._downloads is not None and task.state is State.SUCCEEDED and task.outputs:
            self._downloads.add(task)
        else:
            if self._saving is not None and not task.state.is_running:
                self._saving.note(task)
            self._tell(task)

    def _saved(self, task: Task) -> None:
        if self._saving is not None:
            self._saving.note(task)
        self._tell(task)

    def _tell(self, task: Task) -> None:
        self._view.changed(task)
        if self._hooks is not None and not task.state.is_running:
            self._hooks.start(task)

    def _has_work(self) -> bool:
        """Tell whether something is still to be saved or run, and there is time for it."""
        is_idle = self._downloads is None or self._downloads.is_idle
        is_idle = is_idle and (self._hooks is None or self._hooks.is_idle)
        return not (is_idle or self._watch.is_over())

    def _end(self, error: TaskError) -> None:
        """Stop what is under way, and write what is left; outputs not saved have `error`."""
        self._stop_asking()
        if self._saving is not None and self._downloads is not None:
            self._saving.close()
            for task in self._downloads.interrupt(error):
                self._saving.note(task)
                self._view.changed(task)  # and run no command for it
        if self._hooks is not None:
            self._hooks.stop()
        self._view.end(self._watch)

    def _conclude(self) -> ExitCode:
        """Say how it went, and return the verdict."""
        runtime, watch = self._runtime, self._watch
        counts = TaskCounts()
        counts.count(watch.state_of(task_id) for task_id in self._ids)
        runtime.stderr.note(counts.summary())
        also: list[ExitCode] = []
        failure = self._finish_saving()
        has_failed = self._saving is not None and self._saving.has_failed
        if self._tell_of_commands() or has_failed:
            also.append(ExitCode.OUTPUT)
        if self._wishes.bell and runtime.stdout.is_terminal:
            runtime.stdout.write(b"\a")
        if watch.ending is Ending.TIMED_OUT or self._ran_out_of_time():
            also.append(ExitCode.TIMED_OUT)
            self._tell_how_to_go_on("the timeout ran out")
        if watch.error is not None:
            self._tell_how_to_go_on("gave up")
            raise watch.error
        self._forget_what_was_not_waited_for(counts)
        if unknown := counts.by_state[State.UNKNOWN]:
            raise no_answer_for(unknown, len(self._ids), watch.last_trouble)
        if failure is not None:
            raise failure
        return counts.exit_code(*also)

    def _finish_saving(self) -> FluxError | None:
        """Write what goes with the files; return what went wrong, which others may outrank."""
        if self._saving is not None:
            try:
                self._saving.finish(tells_rate=False)
            except FluxError as error:
                return error
        return None

    def _forget_what_was_not_waited_for(self, counts: TaskCounts) -> None:
        by_state, ending = counts.by_state, self._watch.ending
        if self._wishes.policy.until is Until.ANY and ending is Ending.DONE:
            by_state[State.PENDING] = by_state[State.PROCESSING] = 0
        if ending is not Ending.DONE and self._watch.trouble is None:
            by_state[State.UNKNOWN] = 0  # there was no time to hear of them

    def _ran_out_of_time(self) -> bool:
        """Tell whether files or commands were cut off by the end of the time."""
        unsaved = self._saving is not None and self._saving.unfinished
        return bool(unsaved or (self._hooks is not None and self._hooks.unfinished))

    def _tell_of_commands(self) -> bool:
        """Say which commands failed, and return whether any did."""
        if self._hooks is None:
            return False
        failures, say = self._hooks.failures, self._runtime.stderr.line
        for failure in failures[:_MOST_FAILURES]:
            say(f"flux: --exec: {failure}")
        if len(failures) > _MOST_FAILURES:
            say(f"flux: --exec: {len(failures):,} failures in all")
        if count := self._hooks.unfinished:
            noun = "command was" if count == 1 else "commands were"
            say(f"flux: --exec: {count:,} {noun} ended early or not run")
        return bool(failures)

    def _tell_how_to_go_on(self, why: str) -> None:
        open_ids = list(self._watch.open_ids())
        if open_ids and self._wishes.resume is not None:
            self._wishes.resume(open_ids, why)
