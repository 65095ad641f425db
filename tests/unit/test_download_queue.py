"""Outputs are saved a few at a time; a task comes back when all of its own are done."""

import threading
from collections.abc import Callable

from flux_cli.engine.download_queue import INTERRUPTED, DownloadQueue, with_files
from flux_cli.engine.event_loop import EventLoop
from flux_cli.models.task import File, Task, TaskError
from tests.support.tasks import SAVED, succeeded


def test_a_task_comes_back_with_each_of_its_files() -> None:
    loop = EventLoop()
    back: list[Task] = []

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        keep(File(f"{task.id}-{number}", number, None, is_new=True))

    queue = DownloadQueue(save, back.append, loop=loop, workers=3)
    for number, task_id in enumerate("abcdefgh", 1):
        queue.add(succeeded(task_id, outputs=number))
    loop.run_while(lambda: not queue.is_idle)
    queue.close()
    assert sorted(task.id for task in back) == list("abcdefgh")
    for task in back:
        paths = [output.file.path for output in task.outputs if output.file]
        assert paths == [f"{task.id}-{n}" for n in range(1, len(task.outputs) + 1)]


def test_no_more_are_saved_at_once_than_allowed() -> None:
    loop = EventLoop()
    lock = threading.Lock()
    active: list[int] = []
    most: list[int] = [0]
    both = threading.Barrier(2)

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        del task
        with lock:
            active.append(number)
            most[0] = max(most[0], len(active))
        both.wait(60)
        with lock:
            active.remove(number)
        keep(SAVED)

    queue = DownloadQueue(save, lambda _: None, loop=loop, workers=2)
    queue.add(succeeded("a", outputs=3))
    queue.add(succeeded("b", outputs=3))
    loop.run_while(lambda: not queue.is_idle)
    queue.close()
    assert most == [2]


def test_after_an_interrupt_every_task_is_accounted_for() -> None:
    loop = EventLoop()
    back: list[Task] = []
    may_end = threading.Event()
    has_saved = threading.Event()

    def save(task: Task, number: int, keep: Callable[[File], None]) -> None:
        if (task.id, number) == ("a", 1):
            keep(SAVED)
            has_saved.set()
        else:
            may_end.wait(60)

    queue = DownloadQueue(save, back.append, loop=loop, workers=1)
    for task_id in "abc":
        queue.add(succeeded(task_id, outputs=2))
    loop.run_while(lambda: not has_saved.is_set())
    error = TaskError("not_saved", "timed out")
    rest = list(queue.interrupt(error))
    assert back == []
    assert [task.id for task in rest] == ["a", "b", "c"]
    files = [output.file for task in rest for output in task.outputs]
    assert files[0] == SAVED
    assert [file.error for file in files[1:] if file] == [error] * 5
    assert list(queue.interrupt(error)) == []
    may_end.set()
    queue.close()


def test_files_stand_at_their_outputs() -> None:
    other = File(None, None, None, is_new=False, error=INTERRUPTED)
    task = with_files(succeeded("a", outputs=2), [SAVED, other])
    assert [output.file for output in task.outputs] == [SAVED, other]
    assert [output.url for output in task.outputs] == [
        "https://cdn.example/a/0.png",
        "https://cdn.example/a/1.png",
    ]
