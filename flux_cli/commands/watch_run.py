"""Watches a set of tasks to the end: from ids to an exit code. `watch` and `demo` share it."""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flux_cli import interrupts
from flux_cli.commands.file_options import FileOptions
from flux_cli.commands.hook_input import describe_task
from flux_cli.commands.hook_report import print_hook_failures
from flux_cli.commands.summary import print_summary, raise_weightier
from flux_cli.commands.watch_options import NotifyOptions, WatchOutputOptions
from flux_cli.commands.watch_views import has_live_view, make_view
from flux_cli.engine.check import no_answer_for
from flux_cli.engine.download_queue import INTERRUPTED, DownloadQueue
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.hooks import Hooks
from flux_cli.engine.policies import Until, WatchPolicy
from flux_cli.engine.session import Session
from flux_cli.engine.watch import Changed, Ending
from flux_cli.errors import ExitCode, FluxError, Interrupted, OutputError
from flux_cli.models.ids import TaskIds
from flux_cli.models.reasons import Reasons
from flux_cli.models.state import State
from flux_cli.models.summary import FileCounts, TaskCounts
from flux_cli.models.task import Task, TaskError
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.commands.watch_previews import WatchPreviews
    from flux_cli.engine.download_report import DownloadReport


_OUT_OF_TIME = TaskError("timed_out", "--timeout ran out")


class WatchRequest(NamedTuple):
    """How a watch is made, what it shows, and what else it does.

    With `folder` it saves files there. `print_hint` tells how to go on with open ids, and why.
    """

    policy: WatchPolicy
    output: WatchOutputOptions
    notify: NotifyOptions = NotifyOptions()
    folder: Path | None = None
    files: FileOptions = FileOptions()
    print_hint: Callable[[list[str], str], None] | None = None


def run_watch(runtime: Runtime, session: Session, ids: TaskIds, request: WatchRequest) -> ExitCode:
    """Watch `ids` until what the policy waits for has happened; return the exit code.

    Raises ServiceError when the service rejected the token or was gone for too
    long, Interrupted likewise, each after writing what is known.
    """
    with contextlib.ExitStack() as stack:
        return _WatchRun(stack, runtime, session, ids, request).run()


class _WatchRun:
    """A watch, and what goes with it: a view or a stream, files to save, commands to run."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        runtime: Runtime,
        session: Session,
        ids: TaskIds,
        request: WatchRequest,
    ) -> None:
        """Open what has to be closed again on `stack`. Raises OutputError and UsageError."""
        self._runtime = runtime
        self._ids = ids
        self._session = session
        self._request = request
        self._output = request.output
        self._loop = EventLoop()
        self._counts = TaskCounts()
        self._reasons = Reasons()
        self._report: DownloadReport | None = None
        self._downloads: DownloadQueue | None = None
        self._hooks: Hooks | None = None
        if request.folder is not None or request.notify.command is not None:
            runtime.stdout.outlives_reader = True
        self._watch = session.watch(
            ids,
            request.policy,
            wait=lambda seconds: self._loop.run_for(seconds, runtime.clock),
            keep_raw=self._output.keeps_raw,
            loop=self._loop,
        )
        if request.folder is not None:
            self._report = stack.enter_context(self._open_report(request.folder, request.files))
            self._downloads = DownloadQueue(
                self._report.save, self._saved, loop=self._loop, workers=session.concurrency
            )
            stack.callback(self._downloads.close)
        self._previews = self._open_previews() if self._output.preview else None
        if self._previews is not None:
            stack.callback(self._previews.close)
        make_writer = partial(
            self._output.make_writer,
            runtime,
            session.rows.labels,
            has_files=request.folder is not None,
        )
        self._view = make_view(runtime, ids, self._output, make_writer)
        stack.callback(self._view.close)
        if self._previews is not None:
            self._previews.draw_by(self._view.insert)
        if request.notify.command is not None:
            self._hooks = Hooks(
                request.notify.command,
                describe_task,
                loop=self._loop,
                environment=runtime.environment,
                say=self._view.say,
            )
            stack.enter_context(interrupts.cleaned_up(self._hooks.kill))
            stack.callback(self._hooks.stop)

    def run(self) -> ExitCode:
        if self._request.policy.timeout:
            deadline = time.monotonic() + self._request.policy.timeout
            self._runtime.stdout.set_deadline(deadline)
            self._runtime.stderr.set_deadline(deadline)
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
                self._print_summary()
                if self._report is not None:
                    self._report.finish(self._print_download_summary)
            self._print_hook_failures()
            self._print_resume_hint("interrupted")
            raise
        except OutputError as error:
            if self._watch.error is not None:
                self._print_resume_hint("gave up")
            raise_weightier(self._runtime, error, self._watch.error or self._watch.trouble_so_far)
        return self._conclude()

    def _open_report(
        self, folder: Path, files: FileOptions
    ) -> "AbstractContextManager[DownloadReport]":
        from flux_cli.commands.download_run import open_report
        from flux_cli.output.progress import LineProgress, Silence

        runtime = self._runtime
        progress = Silence(lambda line: self._loop.post(lambda: self._view.say(line)))
        return open_report(
            self._session,
            folder,
            files,
            progress if has_live_view(runtime, self._output) else LineProgress(runtime.stderr),
        )

    def _open_previews(self) -> "WatchPreviews | None":
        if not has_live_view(self._runtime, self._output):
            self._runtime.stderr.note("flux: --preview: pictures need the live view.")
            return None
        from flux_cli.commands.watch_previews import WatchPreviews

        return WatchPreviews(self._runtime, self._session, self._loop)

    def _changed(self, task: Task) -> None:
        """Show `task`, when its outputs are saved if it has any."""
        self._counts.add_cost(task)
        if self._downloads is not None and task.state is State.SUCCEEDED and task.outputs:
            self._downloads.add(task)
        else:
            if self._report is not None and not task.state.is_running:
                self._report.note(task)
            self._notify(task)

    def _saved(self, task: Task) -> None:
        if self._report is not None:
            self._report.note(task)
        self._notify(task)

    def _notify(self, task: Task) -> None:
        self._view.changed(task)
        self._reasons.add([task])
        if self._hooks is not None and not task.state.is_running:
            self._hooks.start(task)
        if self._previews is not None and task.state is State.SUCCEEDED:
            self._previews.add(task)

    def _has_work(self) -> bool:
        """Tell whether something is still to be saved or run, and there is time for it."""
        is_idle = self._downloads is None or self._downloads.is_idle
        is_idle = is_idle and (self._hooks is None or self._hooks.is_idle)
        is_idle = is_idle and (self._previews is None or self._previews.is_idle)
        return not (is_idle or self._watch.is_over())

    def _end(self, error: TaskError) -> None:
        """Stop what is under way, and write what is left; outputs not saved have `error`."""
        self._session.stop()
        if self._report is not None and self._downloads is not None:
            self._report.close()
            for task in self._downloads.interrupt(error):
                self._report.note(task)
                self._view.changed(task)  # and run no command for it
        if self._hooks is not None:
            self._hooks.stop()
        if self._previews is not None:
            self._previews.stop()
        self._view.end(self._watch)

    def _conclude(self) -> ExitCode:
        """Say how it went, and return the exit code."""
        runtime, watch = self._runtime, self._watch
        counts = self._print_summary()
        also: list[ExitCode] = []
        failure = self._finish_report()
        has_failed = self._report is not None and self._report.counts.has_failed
        if self._print_hook_failures() or has_failed:
            also.append(ExitCode.OUTPUT)
        if self._request.notify.notify:
            from flux_cli.output.notification import notify

            screen = runtime.stdout if runtime.stdout.is_terminal else runtime.stderr
            notify(screen, counts.by_states())
        if self._request.notify.bell and runtime.stdout.is_terminal:
            runtime.stdout.write(b"\a")
        if watch.ending is Ending.TIMED_OUT or self._ran_out_of_time():
            also.append(ExitCode.TIMED_OUT)
            self._print_resume_hint("the timeout ran out")
        if watch.error is not None:
            self._print_resume_hint("gave up")
        self._leave_out_unawaited(counts)
        service = watch.error
        if service is None and (unknown := counts.by_state[State.UNKNOWN]):
            service = no_answer_for(unknown, len(self._ids), watch.last_trouble)
        if failure is not None:
            raise_weightier(runtime, failure, service)
        if service is not None:
            raise service
        return counts.exit_code(*also)

    def _print_summary(self) -> TaskCounts:
        """Count all tasks as they stand, and say so."""
        counts = self._counts
        counts.count(self._watch.state_of(task_id) for task_id in self._ids)
        print_summary(self._runtime, self._session, self._output, counts, self._reasons)
        return counts

    def _finish_report(self) -> FluxError | None:
        """Write what goes with the files; return what went wrong, which others may outrank."""
        if self._report is not None:
            try:
                self._report.finish(self._print_download_summary)
            except FluxError as error:
                return error
        return None

    def _print_download_summary(self, files: FileCounts) -> None:
        from flux_cli.output.gallery import NAME as GALLERY
        from flux_cli.output.progress import download_summary

        folder = self._request.folder
        if folder is not None:
            page = folder / GALLERY if self._request.files.contact_sheet else None
            self._runtime.stderr.note(download_summary(files, folder, page))

    def _leave_out_unawaited(self, counts: TaskCounts) -> None:
        by_state, ending = counts.by_state, self._watch.ending
        if self._request.policy.until is Until.ANY and ending is Ending.DONE:
            by_state[State.PENDING] = by_state[State.PROCESSING] = 0
        if ending is not Ending.DONE and self._watch.trouble is None:
            by_state[State.UNKNOWN] = 0  # there was no time to hear of them

    def _ran_out_of_time(self) -> bool:
        """Tell whether files or commands were cut off by the end of the time."""
        unsaved = self._report is not None and self._report.counts.unfinished
        return bool(unsaved or (self._hooks is not None and self._hooks.unfinished))

    def _print_hook_failures(self) -> bool:
        say = self._runtime.stderr.line
        return self._hooks is not None and print_hook_failures(self._hooks, say)

    def _print_resume_hint(self, why: str) -> None:
        open_ids = list(self._watch.open_ids())
        if open_ids and self._request.print_hint is not None:
            self._request.print_hint(open_ids, why)
        elif self._report is not None and self._report.counts.unsaved:
            self._runtime.stderr.line(f"flux: {why}. Run the same command again to save the rest.")
