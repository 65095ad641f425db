"""What cannot be written concerns one file, unless it is the disk that fails."""

import contextlib
import errno
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flux_cli.api.file_client import FileResponse
from flux_cli.api.throttle import Throttle
from flux_cli.engine.downloader import Downloader
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.models.state import State
from flux_cli.models.task import File, Output, Task
from flux_cli.output.progress import Progress
from flux_cli.storage.credentials import Credential, CredentialStore
from flux_cli.token import Token
from tests.support.pictures import PNG
from tests.unit.test_credentials import ORIGIN, TOKEN, tokens


IDS = ["a", "b", "c"]
ONE_FILE = [
    *(errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG),
    *(errno.EEXIST, errno.EMFILE, errno.EFBIG, errno.ENOENT, errno.EINVAL, errno.ENOTEMPTY),
]
THE_DISK = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO]


@contextlib.contextmanager
def serve(url: str, *, start: int = 0, validator: str | None = None) -> Iterator[FileResponse]:
    del url, validator
    yield FileResponse(start, len(PNG), None, iter([PNG[start:]]))


class Saving:
    """A folder that is saved to, with a failure at one call about one name."""

    def __init__(self, folder: Path, template: str = "{model}/{id}") -> None:
        self.folder = folder
        self.downloader = Downloader(
            folder,
            DownloadPolicy(name=template),
            serve,
            throttle=lambda: Throttle(concurrency=9, retries=0),
            progress=Progress(),
        )

    def save(self) -> dict[str, File]:
        """Save the outputs of the tasks one after the other, the second of them in folder b."""
        return {task_id: saved(self.downloader, task(task_id)) for task_id in IDS}


def task(task_id: str) -> Task:
    outputs = (Output("https://files.example/x", "image"),)
    return Task(task_id, State.SUCCEEDED, 0.0, model=f"folder-{task_id}", outputs=outputs)


def saved(downloader: Downloader, task: Task) -> File:
    """Save the first output of a task and return what became of it."""
    files: list[File] = []
    downloader.save(task, 1, files.append)
    (file,) = files
    return file


def fail(monkeypatch: pytest.MonkeyPatch, call: str, number: int, name: str) -> None:
    """Make a system call fail when it is about a path that ends with `name`."""
    real = getattr(os, call)

    def failing(path: Any, *arguments: Any, **options: Any) -> Any:
        about = f"/proc/self/fd/{path}" if isinstance(path, int) else path
        if os.path.realpath(about).endswith(name):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, call, failing)


PLACES = [
    *(("open", ".b.part"), ("fsync", ".b.part"), ("replace", ".b.part"), ("mkdir", "folder-b")),
]


@pytest.mark.parametrize(("call", "name"), PLACES)
@pytest.mark.parametrize("number", ONE_FILE, ids=errno.errorcode.get)
def test_what_is_wrong_with_one_name_concerns_that_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str, name: str
) -> None:
    if (call, number) == ("mkdir", errno.EEXIST):
        (tmp_path / "folder-b").write_text("")
    fail(monkeypatch, call, number, name)
    run = Saving(tmp_path)
    files = run.save()
    assert run.downloader.stopped_by is None
    assert [files[i].error for i in "ac"] == [None, None]
    error = files["b"].error
    assert error is not None
    assert error.message is not None
    assert error.code == "not_saved"
    assert f"{tmp_path}/folder-b" in error.message
    assert error.message.endswith(f"cannot be written: {os.strerror(number)}")
    monkeypatch.undo()
    saved = sorted(p.name for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size)
    assert saved == ["a.png", "c.png"]


@pytest.mark.parametrize(("call", "name"), PLACES)
@pytest.mark.parametrize("number", THE_DISK, ids=errno.errorcode.get)
def test_a_disk_that_fails_stops_everything_and_is_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str, name: str
) -> None:
    fail(monkeypatch, call, number, name)
    run = Saving(tmp_path)
    files = run.save()
    assert files["a"].error is None
    for task_id, start in (("b", ""), ("c", "stopped: ")):
        error = files[task_id].error
        assert error is not None
        place = f"{start}{tmp_path}/folder-b/b: cannot be written: "
        assert error.message == place + os.strerror(number)
    assert run.downloader.stopped_by is not None
    assert f"stopped: {run.downloader.stopped_by.message}" == files["c"].error.message  # type: ignore[union-attr]


def test_a_folder_that_is_gone_stops_everything(tmp_path: Path) -> None:
    run = Saving(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").write_text("somebody put a file there")
    files = run.save()
    assert run.downloader.stopped_by is not None
    assert run.downloader.stopped_by.message == f"{tmp_path}/out: the folder no longer exists"
    assert all(file.error for file in files.values())


@pytest.mark.parametrize(("template", "stops"), [("{id}", True), ("{model}/{id}", False)])
def test_a_folder_that_cannot_be_written_to_at_all_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, *, stops: bool
) -> None:
    """But where the file has a folder of its own that is there, it concerns that one alone."""
    run = Saving(tmp_path, template)
    (tmp_path / "folder-b").mkdir()
    fail(monkeypatch, "open", errno.EACCES, ".b.part")
    monkeypatch.setattr(os, "access", lambda path, _: os.fspath(path) != str(tmp_path))
    files = run.save()
    assert (run.downloader.stopped_by is not None) is stops
    assert (files["c"].error is not None) is stops


def test_what_is_there_and_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Saving(tmp_path, "{id}")
    (tmp_path / "b.png").write_bytes(PNG)

    def refuse(path: Path, *_: Any, **__: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    files = run.save()
    assert [files[i].error for i in "ac"] == [None, None]
    assert files["b"].error is not None
    assert files["b"].error.message == (
        f"{tmp_path}/b.png: exists but cannot be read: Permission denied"
    )


def fail_for_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)


def test_what_is_in_its_place_is_saved_though_its_folder_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_folders(monkeypatch)
    run = Saving(tmp_path, "{id}")
    files = run.save()
    assert run.downloader.stopped_by is None
    assert [(file.path, file.error) for file in files.values()] == [
        (f"{tmp_path}/{i}.png", None) for i in IDS
    ]
    store = CredentialStore(tmp_path / "config", warn=pytest.fail)
    store.save("work", ORIGIN, Credential(Token(TOKEN), 5.0))
    assert tokens(tmp_path / "config", "work") == {ORIGIN: TOKEN}


def test_what_was_replaced_may_stay_where_it_cannot_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.webp").write_bytes(b"old")
    fail(monkeypatch, "unlink", errno.EACCES, "b.webp")
    downloader = Downloader(
        tmp_path,
        DownloadPolicy(name="{id}", overwrite=True),
        serve,
        throttle=lambda: Throttle(concurrency=9, retries=0),
        progress=Progress(),
    )
    assert saved(downloader, task("b")).path == f"{tmp_path}/b.png"


def test_once_closed_nothing_is_put_in_its_place_any_more(tmp_path: Path) -> None:
    """Files that are told of are there, and files that are there are told of."""
    reached, go_on = threading.Event(), threading.Event()
    told: list[File] = []

    @contextlib.contextmanager
    def slow(url: str, *, start: int = 0, validator: str | None = None) -> Iterator[FileResponse]:
        with serve(url, start=start, validator=validator) as reply:
            yield reply
        reached.set()
        go_on.wait(60)

    downloader = Downloader(
        tmp_path,
        DownloadPolicy(name="{id}"),
        slow,
        throttle=lambda: Throttle(concurrency=9, retries=0),
        progress=Progress(),
    )
    worker = threading.Thread(target=downloader.save, args=(task("a"), 1, told.append))
    worker.start()
    reached.wait(60)
    downloader.close()
    go_on.set()
    worker.join()
    assert told == []
    assert list(tmp_path.iterdir()) == []


def test_closing_waits_for_what_is_being_put_in_its_place(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()
    told: list[File] = []

    def keep(file: File) -> None:
        reached.set()
        go_on.wait(60)
        told.append(file)

    downloader = Downloader(
        tmp_path,
        DownloadPolicy(name="{id}"),
        serve,
        throttle=lambda: Throttle(concurrency=9, retries=0),
        progress=Progress(),
    )
    threading.Thread(target=downloader.save, args=(task("a"), 1, keep)).start()
    reached.wait(60)
    closer = threading.Thread(target=downloader.close)
    closer.start()
    closer.join(0.05)
    assert closer.is_alive()
    go_on.set()
    closer.join()
    assert [file.path for file in told] == [str(path) for path in tmp_path.iterdir()]
