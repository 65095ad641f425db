"""Saves the outputs of tasks for an agent, in the time that it waits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flux_cli.engine.check import Check
from flux_cli.engine.download import Download
from flux_cli.engine.download_report import DownloadReport
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.mcp.answers import NOTICE, Answer, FileLink, frame_of, invalid_inputs
from flux_cli.mcp.calls import Call, Cancelled
from flux_cli.mcp.pages import MOST_TASKS, Page, View
from flux_cli.mcp.queries import Queries, TaskResults, is_over, raise_if_silent
from flux_cli.models.media import Media
from flux_cli.models.state import State
from flux_cli.models.summary import FileCounts
from flux_cli.models.task import File, Task
from flux_cli.output.progress import Progress, download_summary
from flux_cli.output.sanitize import one_line


_MOST_REASONS = 20
_LONGEST_REASON = 200  # characters


@dataclass(slots=True)
class Saved:
    """What became of the outputs; the first of the files, and of what was not saved."""

    results: TaskResults
    folder: Path
    counts: FileCounts
    files: list[tuple[str, File]] = field(default_factory=list)  # with the id of the task
    not_saved: list[tuple[str, str]] = field(default_factory=list)
    is_cut: bool = False  # there was no time for all

    def add(self, task: Task) -> None:
        self.results.page.add(task)
        for number, output in enumerate(task.outputs, 1):
            file = output.file
            if file is None:
                continue
            if file.error is None and len(self.files) < MOST_TASKS:
                self.files.append((task.id, file))
            elif file.error is not None and len(self.not_saved) < _MOST_REASONS:
                why = one_line(file.error.message or "", _LONGEST_REASON)
                self.not_saved.append((task.id, f"output {number}: {why}"))


class _Told(Progress):
    """Tells who waits how many files there are."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._count = 0

    def ended(self, path: Path, file: File, name: str) -> None:
        del path, file, name
        self._count += 1
        self._call.progress = f"{self._count:,} files done with"


def save_outputs(queries: Queries, call: Call, given: list[Any], folder: Path) -> Saved:
    """Ask for the tasks, and save every output that there is time for.

    Raises InputError, NoToken, OutputError, and what ended it before any answer.
    """
    with queries.session(call) as session:
        requested = queries.requested(given, session)
        loop = EventLoop()
        check = session.check(requested.ids, loop=loop, is_over=lambda: is_over(session, call))
        downloader = session.downloader(folder, DownloadPolicy(), _Told(call))
        report = DownloadReport(downloader)
        results = TaskResults(requested, Page(View()))
        saved = Saved(results, folder, report.counts)
        download = Download(
            _answers(check),
            report.save,
            loop=loop,
            workers=session.concurrency,
            is_over=lambda: call.is_cancelled() or call.left <= 0,
        )
        try:
            for task in download.results():
                report.note(task)
                saved.add(task)
            report.close()
            for task in download.interrupt():
                report.note(task)
                saved.add(task)
        finally:
            report.close()
        if call.is_cancelled():
            raise Cancelled
        saved.is_cut = results.page.counts.total < len(requested.ids) or call.left <= 0
        raise_if_silent(results.page, check.stopped_by or check.failure)
        if downloader.stopped_by is not None:
            raise downloader.stopped_by
        results.pause = session.pause_left()
        return saved


def _answers(check: Check) -> Iterator[Task | None]:
    for tasks in check.results_so_far():
        if tasks is None:
            yield None
        else:
            yield from tasks


def saved_answer(saved: Saved) -> Answer:
    """Return the files, and what was not saved."""
    page, counts = saved.results.page, saved.counts
    frame = frame_of(page, saved.results.pause)
    steps = [f"{download_summary(counts, saved.folder)}.", f"{page.counts.summary()}."]
    if saved.is_cut:
        steps.append("The time is over: call it again with the same task_ids for the rest.")
    elif page.open:
        steps.append("Some tasks are open: call it again when they are done.")
    if page.counts.by_state[State.FAILED]:
        steps.append("What failed has no output: flux_get_tasks_batch tells why.")
    rest = counts.saved + counts.kept - len(saved.files)
    if rest > 0:
        steps.append(f"{rest:,} more files are in the folder.")
    names = [(task_id, Path(file.path or "")) for task_id, file in saved.files]
    data: dict[str, Any] = {
        "folder": str(saved.folder),
        "saved": counts.saved,
        "kept": counts.kept,
        "files": [{"id": i, "name": str(p.relative_to(saved.folder))} for i, p in names],
        "not_saved": [{"id": i, "reason": reason} for i, reason in saved.not_saved],
        **invalid_inputs(saved.results.requested),
        "ask_again_after_seconds": frame["ask_again_after_seconds"],
        "next_step": " ".join(steps),
        "notice": NOTICE,
    }
    rows = [f"{e['id']}\t{e['name']}" for e in data["files"]]
    rows += [f"{e['id']}\tnot saved: {e['reason']}" for e in data["not_saved"]]
    rows += [f"{e['id']}\tnot a task id: it {e['reason']}" for e in data.get("invalid", ())]
    links = [
        FileLink(str(path), Media(path.suffix[1:]).mime_type, file.size or 0)
        for (_, path), (_, file) in zip(names, saved.files, strict=True)
    ]
    return Answer(data, "\n".join([data["next_step"], NOTICE, *rows]), links=links)
