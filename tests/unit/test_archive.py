"""What remembers saved outputs: no line is lost, half of one counts for nothing."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux_cli.engine.archive import Archive
from flux_cli.errors import InputError, OutputError
from tests.support.records import make_ids


IDS = make_ids(9)
OUTPUTS = [(task_id, number) for task_id in IDS for number in (1, 2)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "saved.jsonl"


def write(path: Path, outputs: list[tuple[str, int]]) -> None:
    archive = Archive(path)
    for output in outputs:
        archive.add(*output)
    archive.close()


def read(path: Path) -> list[tuple[str, int]]:
    archive = Archive(path)
    archive.close()
    return [output for output in OUTPUTS if output in archive]


def test_what_was_added_is_there_the_next_time_and_once(path: Path) -> None:
    write(path, OUTPUTS[:5])
    write(path, OUTPUTS[3:7])
    assert read(path) == OUTPUTS[:7]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"id": task_id, "output": number} for task_id, number in OUTPUTS[:7]]
    archive = Archive(path)
    assert (IDS[0].upper(), 1) in archive  # as everywhere, UUIDs have no case
    archive.close()
    archive.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_line_that_was_cut_counts_for_nothing_and_spoils_no_other(
    path: Path, data: st.DataObject
) -> None:
    path.unlink(missing_ok=True)
    write(path, OUTPUTS[:4])
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    left = path.read_bytes().count(b"}")
    assert read(path) == OUTPUTS[:left]
    write(path, OUTPUTS[4:6])
    assert read(path) == [*OUTPUTS[:left], *OUTPUTS[4:6]]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a token\n", 1),
        (b"\x89PNG\r\n\x1a\n", 1),
        (IDS[0].encode(), 1),
        (b'{"id":"a1","output":1}\n{"id":7,"output":1}\n[]\n', 2),
        (b"\n" + b"x" * 5000, 2),
        (b'["a1"]\n', 1),
    ],
)
def test_a_file_that_is_something_else_is_refused_and_left_as_it_is(
    path: Path, content: bytes, line: int
) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"saved\.jsonl:{line}: not a line of an archive"):
        Archive(path)
    assert path.read_bytes() == content


def test_what_is_no_file_is_refused_without_waiting(path: Path) -> None:
    with pytest.raises(OutputError, match="Is a directory"):
        Archive(path.parent)
    os.mkfifo(path)
    with pytest.raises(OutputError, match="not a regular file"):
        Archive(path)
    with pytest.raises(OutputError, match="not a valid file name"):
        Archive(Path("a\0b"))
    with pytest.raises(OutputError, match="No such file or directory"):
        Archive(path.parent / "in" / "nothing")


def test_a_full_disk_is_told_and_the_next_line_is_whole(path: Path) -> None:
    write(path, OUTPUTS[:1])
    archive = Archive(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="space"):
            archive.add(*OUTPUTS[1])  # of which 20 bytes fit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert OUTPUTS[1] not in archive
    archive.add(*OUTPUTS[1])
    archive.add(*OUTPUTS[2])
    archive.close()
    assert read(path) == OUTPUTS[:3]


def test_processes_that_write_at_once_lose_no_line_nor_does_one_that_is_killed(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from flux_cli.engine.archive import Archive\n"
        "archive = Archive(Path(sys.argv[1]))\n"
        "for number in range(1, 2001):\n"
        "    archive.add(sys.argv[2], number)\n"
        "    print(number, flush=True)\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, path, task_id], stdout=subprocess.PIPE)
        for task_id in IDS[:3]
    ]
    told = []
    for process in processes:
        assert process.stdout is not None
        if process is processes[0]:
            for _ in range(500):
                process.stdout.readline()
            process.kill()
        told.append(500 if process is processes[0] else process.stdout.read().count(b"\n"))
        process.wait()
        process.stdout.close()
    archive = Archive(path)
    archive.close()
    assert told == [500, 2000, 2000]
    for task_id, count in zip(IDS, told, strict=False):
        assert all((task_id, number) in archive for number in range(1, count + 1))
