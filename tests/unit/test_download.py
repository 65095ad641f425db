"""The outputs of many tasks are saved at once, and the tasks come back in their order."""

import threading
from collections.abc import Callable, Iterator

import pytest

from flux_cli.engine.download import Download
from flux_cli.engine.event_loop import EventLoop
from flux_cli.models.state import State
from flux_cli.models.task import File, Task
from tests.support.tasks import SAVED, succeeded


def codes(task: Task) -> list[str | None]:
    """Return what became of each output: None for one that was saved."""
    return [
        output.file.error.code if output.file.error else None
        for output in task.outputs
        if output.file
    ]


def test_tasks_come_back_in_their_order_however_long_each_takes() -> None:
    later = threading.Event()

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        if (task.id, number) == ("a", 1):
            later.wait(60)
        elif task.id == "c":
            later.set()
        keep(SAVED)

    tasks = [succeeded("a", outputs=2), succeeded("b"), succeeded("c", outputs=3)]
    download = Download(iter(tasks), save, loop=EventLoop(), workers=3)
    back = list(download.results())
    assert [task.id for task in back] == ["a", "b", "c"]
    assert [codes(task) for task in back] == [[None] * 2, [None], [None] * 3]
    assert later.is_set()


def test_a_task_with_nothing_to_save_passes_in_its_turn() -> None:
    saved: list[str] = []

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        saved.append(f"{task.id}{number}")
        keep(SAVED)

    failed = succeeded("f")._replace(state=State.FAILED)
    tasks = [failed, succeeded("a"), None, succeeded("n", outputs=0), succeeded("b")]
    download = Download(iter(tasks), save, loop=EventLoop(), workers=2)
    back = list(download.results())
    assert [task.id for task in back] == ["f", "a", "n", "b"]
    assert sorted(saved) == ["a1", "b1"]
    assert back[0] == failed


def test_after_an_interrupt_what_was_begun_comes_back_as_far_as_it_has_come() -> None:
    may_end = threading.Event()

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        if task.id == "a" or number == 1:
            keep(SAVED)
        else:
            may_end.wait(60)

    def tasks() -> Iterator[Task]:
        yield succeeded("a")
        yield succeeded("b", outputs=2)

    download = Download(tasks(), save, loop=EventLoop(), workers=2)
    results = download.results()
    assert next(results).id == "a"
    rest = list(download.interrupt())
    may_end.set()
    assert [task.id for task in rest] == ["b"]
    assert codes(rest[0])[1:] == ["not_saved"]


def test_outputs_that_were_never_taken_up_are_accounted_for() -> None:
    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        if number == 3:
            raise RuntimeError(f"{task.id} stops here")
        keep(SAVED)

    download = Download(iter([succeeded("a", outputs=9)]), save, loop=EventLoop(), workers=1)
    with pytest.raises(RuntimeError, match="a stops here"):
        list(download.results())
    (task,) = download.interrupt()
    assert codes(task) == [None] * 2 + ["not_saved"] * 7
    assert list(download.interrupt()) == []
