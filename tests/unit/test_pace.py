"""Requests are spread evenly, whoever sends them."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.engine.pace import Pace
from tests.support.clock import FakeClock


@pytest.mark.parametrize("rate", [0.1, 1.0, 3.0, 100.0])
def test_turns_come_at_the_rate(rate: float) -> None:
    clock = FakeClock()
    pace = Pace(rate, clock=clock)
    started, turns = clock.now, 0
    while turns < 20:
        wait = pace.take_turn()
        clock.now += wait
        turns += not wait
    assert clock.now - started == pytest.approx(19 / rate)


@given(st.lists(st.floats(0.0, 30.0), min_size=2, max_size=40), st.sampled_from([0.5, 2.0, 20.0]))
def test_what_was_late_is_not_made_up_for_in_a_burst(pauses: list[float], rate: float) -> None:
    """In any time there are as many turns as the rate allows, and one, and a tenth of a second."""
    clock = FakeClock()
    pace = Pace(rate, clock=clock)
    turns: list[float] = []
    for pause in pauses:
        clock.now += pause
        while wait := pace.take_turn():
            clock.now += wait
        turns.append(clock.now)
    for first, start in enumerate(turns):
        for last in range(first + 1, len(turns)):
            assert last - first <= (turns[last] - start + 0.1) * rate + 1 + 1e-6


def test_a_turn_is_that_of_one_thread() -> None:
    pace = Pace(1.0, clock=FakeClock())
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(pace.take_turn())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0.0) == 1
