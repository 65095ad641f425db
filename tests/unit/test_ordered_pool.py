"""The threads of an ordered pool end with it, however it ends."""

import itertools
import threading

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
    finished.close()  # type: ignore[attr-defined]
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
