"""What became of files is counted, and records are written beside them."""

from pathlib import Path

import pytest

from flux_cli.api.throttle import Throttle
from flux_cli.engine.download_queue import INTERRUPTED, with_files
from flux_cli.engine.download_report import DownloadReport
from flux_cli.engine.downloader import Downloader
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.errors import OutputError
from flux_cli.models.summary import FileCounts
from flux_cli.models.task import File, Task, TaskError
from flux_cli.output.progress import Progress
from tests.support.tasks import succeeded
from tests.unit.test_downloader import serve


class Page:
    """A contact sheet that remembers."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.is_written = False

    def add(self, task: Task) -> None:
        self.tasks.append(task)

    def write(self) -> None:
        self.is_written = True


def make_downloader(folder: Path) -> Downloader:
    return Downloader(
        folder,
        DownloadPolicy(),
        serve,
        throttle=lambda: Throttle(concurrency=1, retries=0),
        progress=Progress(),
    )


def with_file(task_id: str, path: Path) -> Task:
    return with_files(succeeded(task_id), [File(str(path), 5, "0" * 64, is_new=True)])


def encode(task: Task) -> bytes:
    return f"{task.id} {len(task.outputs)}".encode()


def test_every_file_is_counted_and_the_page_has_every_task(tmp_path: Path) -> None:
    page = Page()
    report = DownloadReport(make_downloader(tmp_path), sheet=page)
    expired = File(None, None, None, is_new=False, error=TaskError("expired", "gone"))
    missing = File(None, None, None, is_new=False, error=INTERRUPTED)
    tasks = [
        with_file("a", tmp_path / "a.png"),
        with_files(succeeded("b", outputs=2), [expired, missing]),
        succeeded("not-to-be-saved"),
    ]
    for task in tasks:
        report.note(task)
    shown: list[FileCounts] = []
    report.finish(shown.append)
    assert shown == [FileCounts(saved=1, size=5, expired=1, failed=1)]
    assert (page.tasks, page.is_written) == (tasks, True)
    report.close()
    assert list(tmp_path.iterdir()) == []  # without `encode` nothing is written beside files


def test_a_record_with_that_output_alone_stands_beside_each_file(tmp_path: Path) -> None:
    report = DownloadReport(make_downloader(tmp_path), encode=encode)
    files = [File(str(tmp_path / f"a_{n}.png"), 5, None, is_new=False) for n in (1, 2)]
    report.note(with_files(succeeded("a", outputs=2), files))
    report.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a_1.json": "a 1",
        "a_2.json": "a 1",
    }


@pytest.mark.parametrize(("overwrite", "content"), [(False, "mine"), (True, "a 1")])
def test_a_record_that_is_there_is_replaced_only_when_told_so(
    tmp_path: Path, overwrite: bool, content: str
) -> None:
    (tmp_path / "a.json").write_text("mine")
    report = DownloadReport(make_downloader(tmp_path), encode=encode, overwrite=overwrite)
    report.note(with_file("a", tmp_path / "a.png"))
    report.close()
    assert (tmp_path / "a.json").read_text() == content


def test_a_record_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    report = DownloadReport(make_downloader(tmp_path), encode=encode)
    report.note(with_file("a", tmp_path / "a.png"))
    assert report.counts.failed == 1
    report.close()


def test_what_stopped_the_downloads_is_raised_after_the_summary(tmp_path: Path) -> None:
    downloader = make_downloader(tmp_path)
    report = DownloadReport(downloader)
    downloader.stopped_by = OutputError("the disk is full")
    shown: list[FileCounts] = []
    with pytest.raises(OutputError, match="the disk is full"):
        report.finish(shown.append)
    assert shown == [FileCounts()]
    report.close()
