"""`--archive FILE`: what was saved once is not fetched again, wherever it is now."""

import contextlib
import json
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Faults, Sandbox
from tests.support.fault_server import FaultServer, Request, Script, Step, Wait, reply
from tests.support.patience import until
from tests.support.pictures import saved, whole, with_files
from tests.support.program import Program
from tests.support.records import make_ids
from tests.support.terminal import Terminal


Start = Callable[[Script], FaultServer]
StartSandbox = Callable[..., Sandbox]
IDS = make_ids(3)
ARCHIVE = ("--archive", "saved.jsonl")
VERBS = {"download": ("tasks", "download", "-d", "out"), "watch": ("tasks", "watch", "--download")}


def download(verb: str) -> tuple[str, ...]:
    return (*VERBS[verb], *(("out",) if verb == "watch" else ()), *ARCHIVE)


def archived(flux: Program) -> list[tuple[str, int]]:
    """Return what the archive holds; every line has to be whole."""
    lines = (flux.folder / "saved.jsonl").read_text().splitlines()
    return [(entry["id"], entry["output"]) for entry in map(json.loads, lines)]


def fetched(server: FaultServer) -> list[str]:
    return [request.path for request in server.requests if request.path.endswith(".png")]


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_moved_or_deleted_is_not_fetched_again(
    flux: Program, service: Start, verb: str
) -> None:
    server = service(with_files(count=2))
    flux(*download(verb), *IDS[:2]).expect(ExitCode.OK, stderr="saved 4 files (")
    assert sorted(archived(flux)) == [(task_id, n) for task_id in IDS[:2] for n in (1, 2)]
    (flux.folder / "out" / f"{IDS[0]}_1.png").unlink()
    run = flux(*download(verb), *IDS).expect(ExitCode.OK, stderr="saved 2 files (")
    assert "; kept 3 existing; skipped 1 in the archive" in run.stderr
    assert len(fetched(server)) == 6
    (first,) = [record for record in run.records if record["id"] == IDS[0]]
    gone = {"path": None, "bytes": None, "sha256": None, "error": None}
    assert first["outputs"][0].items() >= gone.items()
    assert len(saved(run, flux.folder)) == 5
    shutil.rmtree(flux.folder / "out")
    run = flux(*download(verb), "--overwrite", "--sidecar", *IDS).expect(ExitCode.OK)
    assert "skipped 6 in the archive" in run.stderr
    assert len(fetched(server)) == 6
    assert list((flux.folder / "out").iterdir()) == []
    assert len(archived(flux)) == 6


def test_a_file_that_was_there_before_the_archive_is_remembered(
    flux: Program, service: Start
) -> None:
    server = service(with_files())
    flux("tasks", "download", "-d", "out", *IDS).expect(ExitCode.OK)
    for _ in range(2):
        flux(*download("download"), *IDS).expect(ExitCode.OK, stderr="kept 3 existing")
        assert sorted(archived(flux)) == [(task_id, 1) for task_id in IDS]
    assert len(fetched(server)) == 3


def test_what_was_not_saved_is_fetched_the_next_time(flux: Program, service: Start) -> None:
    works = False

    def file(request: Request) -> list[Step]:
        is_well = works or IDS[0] not in request.path
        return whole(request) if is_well else [reply(404, b"")]

    service(with_files(file))
    flux(*download("download"), *IDS).expect(ExitCode.OUTPUT)
    assert sorted(archived(flux)) == [(IDS[1], 1), (IDS[2], 1)]
    works = True
    flux(*download("download"), *IDS).expect(ExitCode.OK, stderr="saved 1 file (")
    assert len(archived(flux)) == 3


def test_a_mirror_since_then_fetches_each_picture_once(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox()
    mirror = ("tasks", "download", "--since", "7d", "-d", "out", "--archive", "out/.saved")
    for number in range(1, 4):
        request = {"prompt": f"fox {number}", "size": "64x64"}
        server.store.submit(request, created_at=time.time() - 60)
        run = flux(*mirror).expect(ExitCode.OK, stderr="saved 1 file (")
        assert f"skipped {number - 1} in the archive" in run.stderr or number == 1
        (picture,) = (flux.folder / "out").glob("*.png")
        picture.unlink()


@pytest.mark.parametrize("kind", ["something else", "a folder", "in no folder"])
def test_an_archive_that_cannot_be_used_is_named_and_nothing_is_sent(
    flux: Program, service: Start, kind: str
) -> None:
    server = service(with_files())
    path = flux.folder / "saved.jsonl"
    code, message = ExitCode.OUTPUT, "saved.jsonl: cannot be written: "
    if kind == "something else":
        path.write_text("my only copy")
        code, message = ExitCode.USAGE, "saved.jsonl:1: not a line of an archive"
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere/saved.jsonl")
    run = flux(*download("download"), *IDS).expect(code, stderr=message)
    assert len(run.stderr.splitlines()) == 1
    assert not server.requests
    if kind == "something else":
        assert path.read_text() == "my only copy"


def test_an_archive_of_nothing_that_is_saved_is_refused(flux: Program) -> None:
    flux("tasks", "watch", *ARCHIVE, IDS[0]).expect(
        ExitCode.USAGE, stderr="--archive only applies when files are saved. Add --download DIR"
    )


def test_the_table_and_the_contact_sheet_tell_what_is_not_there(
    flux: Program, service: Start
) -> None:
    service(with_files())
    flux(*download("download"), *IDS[:2]).expect(ExitCode.OK)
    (flux.folder / "out" / f"{IDS[0]}_1.png").unlink()
    words = (*download("download"), "--contact-sheet", *IDS[:2])
    screen = Terminal(flux, *words, columns=140).end()
    assert screen.code == ExitCode.OK
    (row,) = [line for line in screen.lines if IDS[0] in line]
    assert row.endswith("in the archive")
    page = (flux.folder / "out" / "index.html").read_text()
    assert f"{IDS[1]}_1.png" in page
    assert IDS[0] not in page


def test_after_an_interrupt_the_archive_holds_what_is_there(flux: Program, service: Start) -> None:
    server = service(with_files(lambda r: [Wait(20)] if IDS[2] in r.path else whole(r)))
    with flux.start(*download("download"), *IDS) as running:
        until(lambda: len(fetched(server)) == 3 and len(list(pictures(flux))) == 2)
        running.signal(signal.SIGTERM)
        running.end().expect(ExitCode.TERMINATED)
    assert sorted(f"{task_id}_{n}.png" for task_id, n in archived(flux)) == sorted(
        path.name for path in pictures(flux)
    )


def pictures(flux: Program) -> list[Path]:
    return [path for path in (flux.folder / "out").glob("*.png") if path.name[0] != "."]


def test_two_runs_at_once_and_killed_ones_lose_nothing(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox(faults=Faults(latency=0.01))
    ids = [server.store.submit({"prompt": f"{n}", "size": "64x64"}).id for n in range(60)]
    chance = random.Random(7)
    for _ in range(5):
        with flux.start(*download("download"), *ids) as running:
            time.sleep(chance.uniform(0.2, 0.5))
            running.process.kill()
            running.process.communicate()
        if (flux.folder / "saved.jsonl").exists():
            names = {path.name for path in pictures(flux)}
            assert {f"{task_id}_{n}.png" for task_id, n in archived(flux)} <= names
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(flux.start(*download("download"), *ids)) for _ in range(2)]
        for running in both:
            running.end().expect(ExitCode.OK)
    assert {task_id for task_id, _ in archived(flux)} == set(ids)
    shutil.rmtree(flux.folder / "out")
    flux(*download("download"), *ids).expect(ExitCode.OK, stderr="skipped 60 in the archive")
