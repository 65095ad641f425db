"""Work is done in a few threads, and said to be done in the loop."""

import threading

import pytest

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.thread_pool import ThreadPool


def test_work_is_done_elsewhere_and_said_to_be_done_in_the_loop() -> None:
    loop = EventLoop()
    pool = ThreadPool(loop, workers=2)
    worked: list[int] = []
    done: list[int] = []
    pool.submit(
        lambda: worked.append(threading.get_ident()), lambda: done.append(threading.get_ident())
    )
    loop.run_while(lambda: not done)
    assert worked != [threading.get_ident()]
    assert done == [threading.get_ident()]
    assert pool.busy == 0
    pool.close()


def test_there_is_room_for_as_many_as_there_are_threads() -> None:
    loop = EventLoop()
    pool = ThreadPool(loop, workers=2)
    all_here = threading.Barrier(2)

    def meet() -> None:
        all_here.wait(60)  # for another thread

    for _ in range(2):
        assert pool.has_room
        pool.submit(meet, lambda: None)
    assert [pool.has_room, pool.busy] == [False, 2]
    loop.run_while(lambda: pool.busy > 0)
    assert [pool.has_room, pool.busy] == [True, 0]
    assert not all_here.broken
    pool.close()


def test_an_exception_is_raised_in_the_loop_and_frees_the_thread() -> None:
    loop = EventLoop()
    pool = ThreadPool(loop, workers=1)

    def fail() -> None:
        raise ValueError("from a thread")

    pool.submit(fail, lambda: pytest.fail("it was not done"))
    with pytest.raises(ValueError, match="from a thread"):
        loop.run_while(lambda: True)
    done: list[str] = []
    pool.submit(lambda: None, lambda: done.append("after it"))
    loop.run_while(lambda: not done)
    pool.close()


def test_threads_are_started_when_they_are_needed_and_end_with_the_pool() -> None:
    before = set(threading.enumerate())
    loop = EventLoop()
    pool = ThreadPool(loop, workers=8)
    assert set(threading.enumerate()) == before
    for _ in range(3):
        pool.submit(lambda: None, lambda: None)
        loop.run_while(lambda: pool.busy > 0)
    (started,) = set(threading.enumerate()) - before
    pool.close()
    started.join(60)
    assert not started.is_alive()
