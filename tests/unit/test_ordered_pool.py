"""The threads of an ordered pool end with it, however it ends."""

import itertools
import threading
from collections.abc import Callable

from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.ordered_pool import OrderedPool


def workers_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]


def test_leaving_early_closes_the_pool_of_threads() -> None:
    before = set(threading.enumerate())
    loop = EventLoop()
    pool: OrderedPool[int] = OrderedPool(
        itertools.count(), lambda _: None, loop=loop, workers=3, window=6, is_stopped=lambda: False
    )
    finished = pool.finished()
    results = loop.each(finished)
    assert [next(results) for _ in range(10)] == list(range(10))
    workers = workers_since(before)
    assert workers
    finished.close()
    for worker in workers:
        worker.join(30)
    assert not any(worker.is_alive() for worker in workers)


def test_the_end_of_the_jobs_closes_the_pool_of_threads() -> None:
    before = set(threading.enumerate())
    loop = EventLoop()
    pool = OrderedPool(
        iter(range(20)), lambda _: None, loop=loop, workers=3, window=6, is_stopped=lambda: False
    )
    results = loop.each(pool.finished())
    assert [next(results) for _ in range(10)] == list(range(10))
    workers = workers_since(before)
    assert workers
    assert list(results) == list(range(10, 20))
    for worker in workers:
        worker.join(30)
        assert not worker.is_alive()


def test_the_steps_of_a_job_are_done_side_by_side_and_before_it_is_handed_over() -> None:
    workers = 3
    side_by_side = threading.Barrier(workers)
    done: list[int] = []

    def work(job: int) -> list[Callable[[], None]]:
        def step() -> None:
            side_by_side.wait(30)
            done.append(job)

        return [step] * 2 * workers if job == 0 else []

    loop = EventLoop()
    pool = OrderedPool(
        iter(range(5)), work, loop=loop, workers=workers, window=8, is_stopped=lambda: False
    )
    results = loop.each(pool.finished())
    assert next(results) == 0
    assert done == [0] * 2 * workers
    assert list(results) == [1, 2, 3, 4]
