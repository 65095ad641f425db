"""What other threads post runs in the thread that waits, in its order."""

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from flux_cli.engine.event_loop import EventLoop
from tests.support.clock import FakeClock


def test_callbacks_run_in_the_thread_that_waits_in_their_order() -> None:
    loop = EventLoop()
    ran: list[tuple[int, int]] = []

    def post_all() -> None:
        for number in range(5):
            loop.post(lambda number=number: ran.append((number, threading.get_ident())))  # type: ignore[misc]

    thread = threading.Thread(target=post_all)
    thread.start()
    loop.run_while(lambda: len(ran) < 5)
    thread.join(60)
    assert ran == [(number, threading.get_ident()) for number in range(5)]


def test_what_is_ready_runs_and_nothing_is_waited_for() -> None:
    loop = EventLoop()
    ran: list[str] = []

    def first() -> None:
        ran.append("first")
        loop.post(lambda: ran.append("posted by the first"))

    loop.post(first)
    loop.run_ready()
    assert ran == ["first", "posted by the first"]
    loop.run_ready()
    assert len(ran) == 2


def test_an_exception_is_raised_where_it_is_waited_for() -> None:
    loop = EventLoop()

    def fail() -> None:
        raise ValueError("from a callback")

    loop.post(fail)
    with pytest.raises(ValueError, match="from a callback"):
        loop.run_once(60.0)


def test_time_passes_while_callbacks_run() -> None:
    loop, clock = EventLoop(), FakeClock()
    started = clock.now
    ran: list[float] = []

    def tick() -> None:
        clock.now += 1.0
        ran.append(clock.now - started)
        loop.post(tick)

    loop.post(tick)
    loop.run_for(3.0, clock)
    assert ran == [1.0, 2.0, 3.0]


def test_nothing_is_run_when_there_is_no_time() -> None:
    loop = EventLoop()
    loop.post(lambda: pytest.fail("there was no time"))
    loop.run_for(0.0)


def test_where_an_item_is_not_there_yet_the_loop_runs_until_it_is() -> None:
    loop = EventLoop()
    results: SimpleQueue[str] = SimpleQueue()

    def items() -> Iterator[str | None]:
        yield "a"
        while results.empty():
            yield None
        yield results.get()

    found = loop.each(items())
    assert next(found) == "a"
    loop.post(lambda: results.put("b"))
    assert list(found) == ["b"]
