"""`flux tasks download`: from ids, or records, to files."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from flux_cli.api.connection import Connection
from flux_cli.api.throttle import Throttle
from flux_cli.commands.download_report import Saving, SavingOptions, open_saving
from flux_cli.commands.tasks.check import no_answer_for
from flux_cli.engine.check import Check
from flux_cli.engine.download import Download
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.finished_tasks import FinishedTasks
from flux_cli.errors import ExitCode, FluxError, Interrupted
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.formats import Format, Writer, make_writer
from flux_cli.output.progress import BarProgress, LineProgress, Progress, Silence
from flux_cli.runtime import Runtime


_MOST_ROWS = 60  # of a table on a terminal; longer ones show what is not well, and the summary


@dataclass(frozen=True, slots=True)
class DownloadWishes:
    """What is asked, and what is shown of it."""

    output: Format = Format.AUTO
    states: frozenset[State] | None = None
    keep_raw: bool = False
    batch_size: int = 50
    retries: int = 3
    has_verdict: bool = False


def download(
    runtime: Runtime,
    ids: TaskIds,
    known: FinishedTasks,
    connection: Connection | None,
    options: SavingOptions,
    wishes: DownloadWishes,
) -> ExitCode:
    """Save the outputs of `ids`, write the tasks, and return the verdict.

    `connection` is None when every task is known. Raises ServiceError when
    there is an id without an answer, OutputError when the disk fails, and
    Interrupted, each after writing what is known.
    """
    runtime.stdout.outlives_reader = True
    loop = EventLoop()
    progress = make_progress(runtime, wishes.output, total=len(ids))
    counts = TaskCounts()
    with contextlib.ExitStack() as stack:
        saving = stack.enter_context(open_saving(runtime, options, progress))
        check = None
        if connection is not None:
            client = stack.enter_context(runtime.client(connection))
            check = Check(
                known.others(ids),
                client.retrieve_batch,
                throttle=Throttle(concurrency=connection.concurrency, retries=wishes.retries),
                batch_size=wishes.batch_size,
                workers=min(connection.concurrency, -(-len(ids) // wishes.batch_size)),
                keep_raw=wishes.keep_raw,
                now=runtime.now,
                loop=loop,
            )
        report = _Report(runtime, wishes, saving, progress, counts, total=len(ids))
        engine = Download(
            _answers(ids, known, check), saving.save, loop=loop, workers=options.workers
        )
        with progress:
            interrupt = _run(engine, check, saving, report)
        failure = _failure_of(report.close)
        runtime.stderr.note(counts.summary())
        failure = _failure_of(saving.finish) or failure
        if interrupt is not None:
            runtime.stderr.line("flux: interrupted. Run the same command again to save the rest.")
            raise interrupt
    if check is not None and check.stopped_by is not None:
        raise check.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), check.failure if check else None)
    if failure is not None:
        raise failure
    if saving.has_failed:
        return ExitCode.OUTPUT
    return counts.exit_code() if wishes.has_verdict else ExitCode.OK


def _failure_of(step: Callable[[], None]) -> FluxError | None:
    """Do a last step; return what went wrong, which others may outrank."""
    try:
        step()
    except FluxError as error:
        return error
    return None


def make_progress(runtime: Runtime, output: Format, *, total: int) -> Progress:
    """Return bars for a terminal that shows nothing else, and lines for anything else."""
    is_table = output is Format.TABLE or (output is Format.AUTO and runtime.stdout.is_terminal)
    is_free = is_table or not runtime.stdout.is_terminal
    if runtime.stderr.is_quiet:
        return Silence(runtime.stderr.line)
    if runtime.stderr.has_styles and is_free:
        return BarProgress(runtime.stderr, total=total)
    return LineProgress(runtime.stderr)


class _Report:
    """Writes tasks as they are done with; a table on a terminal waits for the bars to go."""

    def __init__(
        self,
        runtime: Runtime,
        wishes: DownloadWishes,
        saving: Saving,
        progress: Progress,
        counts: TaskCounts,
        *,
        total: int,
    ) -> None:
        self._saving = saving
        self._progress = progress
        self._counts = counts
        self._states = wishes.states
        self._writer: Writer = make_writer(
            wishes.output,
            runtime.stdout,
            raw=wishes.keep_raw,
            now=runtime.now(),
            note=runtime.stderr.note,
            has_files=True,
        )
        is_table = wishes.output in (Format.AUTO, Format.TABLE) and runtime.stdout.is_terminal
        self._waits = is_table
        self._shows_all = not (is_table and total > _MOST_ROWS)
        self._waiting: list[Task] = []

    def add(self, task: Task) -> None:
        self._counts.add([task])
        self._saving.note(task)
        self._progress.advanced(1)
        if self._states is not None and task.state not in self._states:
            return
        if self._waits:
            if self._shows_all or not _is_well(task):
                self._waiting.append(task)
        else:
            self._writer.write([task])

    def close(self) -> None:
        self._writer.write(self._waiting)
        self._waiting = []
        self._writer.close()


def _is_well(task: Task) -> bool:
    return task.state is State.SUCCEEDED and not any(o.file and o.file.error for o in task.outputs)


def _answers(ids: TaskIds, known: FinishedTasks, check: Check | None) -> Iterator[Task | None]:
    """Yield a task for each id, in order, and None where an answer is not there yet."""
    return known.merged(ids, _so_far(check) if check is not None else iter(()))


def _so_far(check: Check) -> Iterator[Task | None]:
    for batch in check.results_so_far():
        if batch is None:
            yield None
        else:
            yield from batch


def _run(
    engine: Download, check: Check | None, saving: Saving, report: _Report
) -> Interrupted | None:
    """Report every task; return what ended it early, after reporting what is known by then."""
    try:
        for task in engine.results():
            report.add(task)
    except Interrupted as interrupt:
        saving.close()
        for task in engine.interrupt():
            report.add(task)
        for task in chain.from_iterable(check.interrupt()) if check is not None else ():
            report.add(task)
        return interrupt
    return None
