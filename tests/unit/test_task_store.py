"""Tasks that are kept for later come back as they were, from memory or from disk."""

import errno
import tempfile
import tracemalloc
from typing import Any

import pytest

from flux_cli.engine.task_store import TaskBacklog, TaskStore
from tests.support.tasks import succeeded


TASKS = [succeeded(f"id-{n}", outputs=n % 3, prompt="a cat" * n) for n in range(50)]


@pytest.mark.parametrize("memory", [0, 1000, 1 << 20])
def test_what_was_kept_comes_back_in_any_order(memory: int) -> None:
    store = TaskStore(memory=memory)
    places = [store.put(task) for task in TASKS]
    for place, task in reversed(list(zip(places, TASKS, strict=True))):
        assert place is not None
        assert store.get(place) == task
    store.clear()
    place = store.put(TASKS[3])
    assert place == 0
    assert store.get(place) == TASKS[3]
    store.close()
    store.close()


def test_memory_does_not_grow_with_the_tasks() -> None:
    store = TaskStore(memory=100_000)
    tracemalloc.start()
    try:
        for n in range(1000):
            store.put(succeeded(f"{n}", prompt=f"{n}" * 1000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    store.close()
    assert peak < 1_000_000  # of more than three


def test_without_a_temporary_folder_more_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    store = TaskStore(memory=100)
    places = [store.put(task) for task in TASKS]
    assert [store.get(place) for place in places if place is not None] == TASKS
    store.close()


def test_a_backlog_is_first_come_first_served() -> None:
    backlog = TaskBacklog()
    for task in TASKS[:2]:
        backlog.append(task)
    assert backlog.popleft() == TASKS[0]
    backlog.append(TASKS[2])
    assert len(backlog) == 2
    assert [backlog.popleft(), backlog.popleft()] == TASKS[1:3]
    assert not backlog
    backlog.append(TASKS[4])
    assert backlog.popleft() == TASKS[4]
    backlog.append(TASKS[5])
    backlog.close()
    assert not backlog
