"""The threads of a fan-out end with it, however it ends."""

import itertools
import threading

from flux_cli.engine.fanout import Fanout


def workers_since(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]


def test_leaving_early_ends_the_workers_and_takes_no_more_jobs() -> None:
    before = set(threading.enumerate())
    taken = 0

    def work(_: int) -> None:
        nonlocal taken
        taken += 1

    fanout = Fanout(itertools.count(), work, workers=3, window=6, is_stopped=lambda: False)
    results = fanout.finished()
    assert [next(results) for _ in range(10)] == list(range(10))
    workers = workers_since(before)
    assert len(workers) == 3
    while taken < 16:  # as far as the window lets them: they wait for room
        threading.Event().wait(0.001)
    results.close()  # type: ignore[attr-defined]
    for worker in workers:
        worker.join(30)
    assert not any(worker.is_alive() for worker in workers)
    assert taken == 16


def test_the_end_of_the_jobs_ends_the_workers() -> None:
    before = set(threading.enumerate())
    fanout = Fanout(iter(range(20)), lambda _: None, workers=3, window=6, is_stopped=lambda: False)
    assert list(fanout.finished()) == list(range(20))
    for worker in workers_since(before):
        worker.join(30)
        assert not worker.is_alive()
