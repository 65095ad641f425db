"""`flux tasks download`: from ids, or records, to files."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from flux_cli.commands.file_options import FileOptions
from flux_cli.commands.options import OutputOptions
from flux_cli.commands.summary import print_summary, raise_weightier
from flux_cli.engine.check import Check, no_answer_for
from flux_cli.engine.download import Download
from flux_cli.engine.download_report import DownloadReport
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.finished_tasks import FinishedTasks
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode, FluxError, Interrupted, OutputError
from flux_cli.models.ids import TaskIds
from flux_cli.models.reasons import Reasons
from flux_cli.models.state import State
from flux_cli.models.summary import FileCounts, TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.formats import Format, Writer
from flux_cli.output.gallery import NAME as GALLERY
from flux_cli.output.gallery import ContactSheet
from flux_cli.output.jsonl import encode_record
from flux_cli.output.progress import BarProgress, LineProgress, Progress, Silence, download_summary
from flux_cli.output.records import whole_record
from flux_cli.runtime import Runtime


_MOST_ROWS = 60  # of a table on a terminal; longer ones show what is not well, and the summary


class DownloadRequest(NamedTuple):
    """Where and how files are saved, and what is shown of it."""

    folder: Path
    files: FileOptions
    output: OutputOptions
    exit_status: bool = False  # whether the exit code tells the states


def run_download(
    runtime: Runtime,
    session: Session,
    ids: TaskIds,
    finished: FinishedTasks,
    request: DownloadRequest,
) -> ExitCode:
    """Save the outputs of `ids`, write the tasks, and return the exit code.

    Those in `finished` are not asked for. Raises ServiceError when there is an
    id without an answer, OutputError when the disk fails, and Interrupted, each
    after writing what is known.
    """
    runtime.stdout.outlives_reader = True
    output = request.output
    loop = EventLoop()
    progress = make_progress(runtime, output.format, total=len(ids))
    check = None
    if len(finished) < len(ids):
        others = finished.others(ids)
        check = session.check(others, keep_raw=output.keeps_raw, loop=loop)
    started = runtime.clock()

    def print_file_summary(files: FileCounts) -> None:
        seconds = runtime.clock() - started
        page = request.folder / GALLERY if request.files.contact_sheet else None
        runtime.stderr.note(download_summary(files, request.folder, page, seconds=seconds))

    with open_report(session, request.folder, request.files, progress) as report:
        writer = output.make_writer(runtime, session.rows.labels, has_files=True)
        tasks = _TaskOutput(runtime, output, writer, report, progress, total=len(ids))
        counts = tasks.counts
        engine = Download(
            _answers(ids, finished, check), report.save, loop=loop, workers=session.concurrency
        )
        try:
            with progress:
                interrupt = _run(engine, check, report, tasks)
        except OutputError as error:
            trouble = None if check is None else check.stopped_by or check.failure
            raise_weightier(runtime, error, trouble)
        failure = _failure_of(tasks.close)
        print_summary(runtime, session, output, counts, tasks.reasons)
        failure = _failure_of(lambda: report.finish(print_file_summary)) or failure
        if interrupt is not None:
            runtime.stderr.line(
                f"flux: interrupted after {counts.total:,} of {len(ids):,} tasks."
                " Run the same command again to save the rest."
            )
            raise interrupt
    service = None if check is None else check.stopped_by
    if service is None and (unknown := counts.by_state[State.UNKNOWN]):
        service = no_answer_for(unknown, len(ids), check.failure if check else None)
    if failure is not None:
        raise_weightier(runtime, failure, service)
    if service is not None:
        raise service
    if report.counts.has_failed:
        return ExitCode.OUTPUT
    return counts.exit_code() if request.exit_status else ExitCode.OK


@contextlib.contextmanager
def open_report(
    session: Session, folder: Path, files: FileOptions, progress: Progress
) -> Iterator[DownloadReport]:
    """Make ready to save files in `folder`. Raises OutputError, UsageError."""
    downloader = session.downloader(folder, files, progress)
    sheet = None
    if files.contact_sheet:
        sheet = ContactSheet(folder)
    encode = _encoded if files.sidecar else None
    try:
        yield DownloadReport(downloader, sheet=sheet, encode=encode, overwrite=files.overwrite)
    finally:
        downloader.close()
        if sheet is not None:
            sheet.close()


def _encoded(task: Task) -> bytes:
    return f"{encode_record(whole_record(task))}\n".encode()


def _failure_of(step: Callable[[], None]) -> FluxError | None:
    """Do a last step; return what went wrong, which others may outrank."""
    try:
        step()
    except FluxError as error:
        return error
    return None


def make_progress(runtime: Runtime, kind: Format, *, total: int) -> Progress:
    """Return bars for a terminal that shows nothing else, and lines for anything else."""
    is_table = kind is Format.TABLE or (kind is Format.AUTO and runtime.stdout.is_terminal)
    is_free = is_table or not runtime.stdout.is_terminal
    if runtime.stderr.is_quiet:
        return Silence(runtime.stderr.line)
    if runtime.stderr.has_styles and is_free:
        return BarProgress(runtime.stderr, total=total)
    return LineProgress(runtime.stderr)


class _TaskOutput:
    """Writes tasks as they are done with; a table on a terminal waits for the bars to go."""

    def __init__(
        self,
        runtime: Runtime,
        output: OutputOptions,
        writer: Writer,
        report: DownloadReport,
        progress: Progress,
        *,
        total: int,
    ) -> None:
        self._report = report
        self._progress = progress
        self.counts = TaskCounts()
        self.reasons = Reasons()
        self._output = output
        self._writer = writer
        is_table = output.format in (Format.AUTO, Format.TABLE) and runtime.stdout.is_terminal
        self._waits = is_table
        self._shows_all = not (is_table and total > _MOST_ROWS)
        self._waiting: list[Task] = []

    def add(self, task: Task) -> None:
        self._report.note(task)
        self._progress.advanced(1)
        if self._output.shows(task) and not self._write(task):
            return  # nobody takes it: it does not count
        self.counts.add([task])
        self.reasons.add([task])

    def _write(self, task: Task) -> bool:
        """Write `task`, now or at the end; False when nobody takes it any more."""
        if not self._waits:
            return self._writer.write([task]) == 1
        if self._shows_all or not _is_well(task):
            self._waiting.append(task)
        return True

    def close(self) -> None:
        self._writer.write(self._waiting)
        self._waiting = []
        self._writer.close()


def _is_well(task: Task) -> bool:
    return task.state is State.SUCCEEDED and not any(o.file and o.file.error for o in task.outputs)


def _answers(ids: TaskIds, finished: FinishedTasks, check: Check | None) -> Iterator[Task | None]:
    """Yield a task for each id, in order, and None where an answer is not there yet."""
    return finished.merged(ids, _so_far(check) if check is not None else iter(()))


def _so_far(check: Check) -> Iterator[Task | None]:
    for batch in check.results_so_far():
        if batch is None:
            yield None
        else:
            yield from batch


def _run(
    engine: Download, check: Check | None, report: DownloadReport, tasks: _TaskOutput
) -> Interrupted | None:
    """Report every task; return what ended it early, after reporting what is known by then."""
    try:
        for task in engine.results():
            tasks.add(task)
    except Interrupted as interrupt:
        report.close()
        for task in engine.interrupt():
            tasks.add(task)
        for task in chain.from_iterable(check.interrupt()) if check is not None else ():
            tasks.add(task)
        return interrupt
    return None
