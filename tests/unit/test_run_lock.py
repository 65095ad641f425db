"""One process works on a run at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.errors import JournalError
from flux_cli.storage.run_lock import is_worked_on, run_lock


class GivenUp(Exception):
    pass


def no_wait(seconds: float) -> None:
    raise AssertionError(f"waits {seconds} s")


def enter(journal: Path, run: int, wait: Callable[[float], None]) -> None:
    with run_lock(journal, run, wait=wait):
        pass


def test_one_works_on_a_run_at_a_time(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    waits: list[float] = []

    def give_up(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise GivenUp

    assert not is_worked_on(journal, 1)
    with run_lock(journal, 1, wait=no_wait):
        assert is_worked_on(journal, 1)
        with pytest.raises(GivenUp):
            enter(journal, 1, give_up)
        assert not is_worked_on(journal, 2)
        enter(journal, 2, no_wait)
        enter(tmp_path / "another", 1, no_wait)
    assert not is_worked_on(journal, 1)
    enter(journal, 1, no_wait)
    assert len(waits) == 3
    assert list(tmp_path.iterdir()) == []


def test_what_ends_the_work_ends_the_lock(tmp_path: Path) -> None:
    def fail() -> None:
        with run_lock(tmp_path / "journal", 1, wait=no_wait):
            raise GivenUp

    with pytest.raises(GivenUp):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_taken_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "journal-run-1.lock").mkdir()
    for path in (tmp_path / "journal", tmp_path / "nowhere" / "journal"):
        with pytest.raises(JournalError) as caught:
            enter(path, 1, no_wait)
        assert caught.value.message.startswith(f"{path}-run-1.lock: ")
        with pytest.raises(JournalError):
            is_worked_on(path, 1)
