"""The time that is left: nothing until the pace is steady, and never wilder than the truth."""

import random

import pytest

from flux_cli.output.estimate import Estimate
from flux_cli.output.times import format_estimate


def test_a_steady_pace_is_told_rounded_once_it_has_been_seen_three_times() -> None:
    estimate = Estimate(1000)
    told = []
    for poll in range(60):
        estimate.observe(poll * 10.0, poll * 10)
        told.append(estimate.seconds_left(poll * 10.0))
    assert told[:3] == [None] * 3
    first = next(left for left in told if left is not None)
    assert abs(first - 960) <= 300
    assert all(
        left % (60 if left < 600 else 300) == 0 for left in told if left is not None and left >= 60
    )


def test_tasks_that_were_done_before_the_watch_began_say_nothing_about_its_pace() -> None:
    estimate = Estimate(1000)
    for poll in range(12):
        estimate.observe(poll * 10.0, 900 + poll)
    left = estimate.seconds_left(110.0)
    assert left is not None
    assert 600 <= left <= 1200  # 89 tasks at one in ten seconds


def test_a_forecast_that_jumps_is_not_shown() -> None:
    estimate = Estimate(10_000)
    done = 0
    for poll in range(40):
        done += 3 if poll // 2 % 2 else 300
        estimate.observe(poll * 10.0, done)
        if poll > 12:
            break
    jumps = Estimate(10_000)
    for poll, finished in enumerate((0, 3, 500, 503, 506, 2000, 2003)):
        jumps.observe(poll * 10.0, finished)
        assert jumps.seconds_left(poll * 10.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_of_a_random_pace_is_within_twice_the_truth(seed: int) -> None:
    chance = random.Random(seed)
    total, now, done = 600, 0.0, 0
    ends = sorted(chance.uniform(0, 900) for _ in range(total))
    estimate = Estimate(total)
    while done < total:
        now += 7.5
        done = sum(end <= now for end in ends)
        estimate.observe(now, done)
        left = estimate.seconds_left(now)
        if left is not None and ends[-1] - now > 60:
            assert 0.4 <= left / (ends[-1] - now) <= 2.5


def test_nothing_is_left_when_all_is_done() -> None:
    estimate = Estimate(10)
    for second in range(11):
        estimate.observe(float(second), second)
    assert estimate.seconds_left(10.0) is None


@pytest.mark.parametrize(("seconds", "text"), [(40, "40s"), (420, "7 min"), (4500, "1h 15m")])
def test_rounded_seconds_in_words(seconds: int, text: str) -> None:
    assert format_estimate(seconds) == text
