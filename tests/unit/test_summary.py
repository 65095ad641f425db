"""A set of tasks or files as a whole: one line, one exit code."""

import itertools

import pytest

from flux_cli.errors import ExitCode
from flux_cli.models.state import State
from flux_cli.models.summary import FileCounts, TaskCounts
from flux_cli.models.task import File, TaskError


def counts(*states: State) -> TaskCounts:
    made = TaskCounts()
    made.count(states)
    return made


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ([], "0 tasks"),
        ([State.SUCCEEDED], "1 task: 1 succeeded"),
        ([State.NOT_FOUND, State.PENDING, State.PENDING], "3 tasks: 2 pending, 1 not found"),
        ([State.FAILED] * 12_345, "12,345 tasks: 12,345 failed"),
    ],
)
def test_summary(states: list[State], line: str) -> None:
    assert counts(*states).summary() == line


GRAVEST_FIRST = [
    (State.UNKNOWN, ExitCode.NO_ANSWER),
    (State.FAILED, ExitCode.TASK_FAILED),
    (State.NOT_FOUND, ExitCode.NOT_FOUND),
    (State.PROCESSING, ExitCode.STILL_RUNNING),
    (State.PENDING, ExitCode.STILL_RUNNING),
    (State.SUCCEEDED, ExitCode.OK),
]


def test_every_state_has_its_place() -> None:
    assert {state for state, _ in GRAVEST_FIRST} == set(State)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_the_gravest_state_decides_the_exit_code(size: int) -> None:
    for chosen in itertools.combinations(GRAVEST_FIRST, size):
        states = [state for state, _ in chosen]
        assert counts(*reversed(states)).exit_code() == chosen[0][1]


def test_what_else_happened_counts_with_the_states() -> None:
    assert counts(State.FAILED).exit_code(ExitCode.TIMED_OUT) == ExitCode.TIMED_OUT
    assert counts(State.UNKNOWN).exit_code(ExitCode.TIMED_OUT) == ExitCode.NO_ANSWER
    assert counts(State.FAILED).exit_code(ExitCode.STILL_RUNNING) == ExitCode.TASK_FAILED
    assert counts().exit_code(ExitCode.OUTPUT) == ExitCode.OUTPUT


def file(code: str | None, *, is_new: bool = False, size: int | None = 5) -> File:
    return File("p", size, None, is_new, TaskError(code, "why") if code else None)


@pytest.mark.parametrize(
    ("what", "expected", "has_failed", "unsaved"),
    [
        (file(None, is_new=True), FileCounts(saved=1, size=5), False, 0),
        (file(None, is_new=True, size=None), FileCounts(saved=1), False, 0),
        (file(None), FileCounts(kept=1), False, 0),
        (file("expired"), FileCounts(expired=1), True, 0),
        (file("timed_out"), FileCounts(unfinished=1), False, 1),
        (file("too_large"), FileCounts(failed=1), True, 1),
    ],
)
def test_files_by_what_became_of_them(
    what: File, expected: FileCounts, has_failed: bool, unsaved: int
) -> None:
    found = FileCounts()
    found.add(what)
    assert found == expected
    assert (found.has_failed, found.unsaved) == (has_failed, unsaved)
