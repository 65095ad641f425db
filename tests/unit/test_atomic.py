"""A file is whole or absent, and one at a time writes it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flux_cli.storage.atomic import (
    abort,
    commit,
    locked,
    open_partial,
    partial_path,
    remove_leftover,
    try_lock,
    whole_file,
)


class Busy(Exception):
    """Somebody else has the file."""


def refuse(seconds: float) -> None:
    del seconds
    raise Busy


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, b"what was there before, which is longer"])
def test_a_file_is_there_when_the_block_has_ended_well(
    tmp_path: Path, before: bytes | None
) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    with whole_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_a_block_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(path) as stream:
            stream.write(b"new")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_leftover_of_a_crash_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    partial_path(path).write_bytes(b"what a crash has left" * 100)
    with whole_file(path) as stream:
        stream.write(b"new")
    assert path.read_bytes() == b"new"


def test_whoever_comes_second_waits_and_then_gives_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path) as stream:
        with (
            pytest.raises(OSError, match="another flux is writing file"),
            whole_file(path, patience=0.05),
        ):
            pytest.fail("somebody else is writing")
        stream.write(b"mine")
    assert path.read_bytes() == b"mine"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_a_private_file_is_its_owners_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "private", is_private=True) as stream:
            stream.write(b"x")
        with locked(tmp_path / "lock"):
            pass
    finally:
        os.umask(before)
    for name in ("private", "lock"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs O_NOFOLLOW")
def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path = tmp_path / "file"
    partial_path(path).symlink_to(victim)
    with pytest.raises(OSError), whole_file(path):  # noqa: PT011 - which one is the system's affair
        pytest.fail("there is a link")
    assert victim.read_bytes() == b"precious"


def test_what_somebody_renamed_while_it_was_waited_for_is_opened_anew(tmp_path: Path) -> None:
    temporary, path = tmp_path / ".part", tmp_path / "file"
    first = open_partial(temporary, wait=refuse)
    first.write(b"first")

    def finish_first(seconds: float) -> None:
        assert seconds > 0
        commit(first, temporary, path)

    second = open_partial(temporary, wait=finish_first)
    second.write(b"second")
    second.flush()
    assert path.read_bytes() == b"first"
    abort(second, temporary)
    abort(second, temporary)
    assert names(tmp_path) == ["file"]


def test_a_leftover_goes_and_what_is_at_work_stays(tmp_path: Path) -> None:
    temporary = tmp_path / ".part"
    remove_leftover(temporary)  # nothing there: nothing to do
    stream = open_partial(temporary, wait=refuse)
    remove_leftover(temporary)
    assert temporary.exists()
    stream.close()
    remove_leftover(temporary)
    assert not temporary.exists()


def test_a_lock_is_for_one_process_and_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys; from pathlib import Path; from flux_cli.storage.atomic import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with path.open("r+b") as file:
            assert not try_lock(file.fileno())
        other.kill()
        other.wait()
        with locked(path):
            pass
    assert path.exists()
