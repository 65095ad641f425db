"""When requests go out: retries, pauses, the budget, concurrency. No real second is waited."""

import email.utils
import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.backoff import backoff, parse_retry_after
from flux_cli.api.throttle import BUDGET, MOST_BURSTS, Stopped, Throttle
from flux_cli.errors import ServiceError
from tests.support.clock import FakeClock


def broken() -> ServiceError:
    return errors.ConnectionFault("the connection was lost", code="reply_cut")


def limited(retry_after: float | None = None) -> ServiceError:
    return errors.RateLimited("slow down", code="too_many_requests", retry_after=retry_after)


class Exchange:
    """Fails with the given errors, one after the other, then succeeds."""

    def __init__(self, *failures: ServiceError) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return "reply"


def throttle(
    clock: FakeClock, *, concurrency: int = 8, retries: int = 3, patience: float = math.inf
) -> Throttle:
    return Throttle(
        concurrency=concurrency,
        retries=retries,
        patience=patience,
        clock=clock,
        uniform=lambda _, most: most,
        wait=clock.wait,
    )


def test_retries_with_growing_waits() -> None:
    clock = FakeClock()
    exchange = Exchange(broken(), broken(), broken())
    assert throttle(clock).send(exchange) == "reply"
    assert clock.waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("failure", "calls"),
    [
        (broken(), 4),
        (errors.ServerFault("x", code="http_502"), 4),
        (errors.InternalFault("x", code="api_error"), 2),
        (errors.BadRequest("x", code="bad_request"), 1),
        (errors.BrokenContract("x", code="bad_reply"), 1),
        (errors.TokenRejected("x", code="invalid_token"), 1),
        (errors.Refused("x", code="used_up"), 1),
        (errors.NotTheApi("x", code="not_the_api"), 1),
        (errors.UntrustedServer("x", code="untrusted_server"), 1),
    ],
)
def test_each_error_is_retried_as_often_as_it_deserves(failure: ServiceError, calls: int) -> None:
    exchange = Exchange(*[failure] * 10)
    with pytest.raises(type(failure)):
        throttle(FakeClock()).send(exchange)
    assert exchange.calls == calls


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_retries_as_often_as_told(retries: int) -> None:
    exchange = Exchange(*[broken()] * 10)
    with pytest.raises(errors.ConnectionFault):
        throttle(FakeClock(), retries=retries).send(exchange)
    assert exchange.calls == retries + 1


def test_an_error_that_ends_the_run_stops_everybody() -> None:
    roads = throttle(FakeClock())
    error = errors.TokenRejected("no", code="invalid_token")
    with pytest.raises(errors.TokenRejected):
        roads.send(Exchange(error))
    assert roads.reason is error
    with pytest.raises(Stopped):
        roads.send(Exchange())


def test_a_dead_service_is_left_alone_after_the_budget() -> None:
    roads = throttle(FakeClock())
    calls = 0
    for _ in range(1000):
        exchange = Exchange(*[broken()] * 10)
        with pytest.raises((errors.ConnectionFault, Stopped)):
            roads.send(exchange)
        calls += exchange.calls
    assert calls == BUDGET
    assert isinstance(roads.reason, errors.GaveUp)
    assert roads.reason.message == "the connection was lost; gave up after 16 failed requests"


def test_an_answer_that_is_to_be_said_twice_costs_nothing_of_the_budget() -> None:
    roads = throttle(FakeClock())
    calls = 0

    def deny() -> None:
        nonlocal calls
        calls += 1
        raise errors.TaskDenied("no such task", code="api_error")

    for _ in range(2 * BUDGET):
        with pytest.raises(errors.TaskDenied):
            roads.send(deny)
    assert calls == 4 * BUDGET
    assert not roads.is_stopped


def test_a_service_that_half_works_is_used_to_the_end() -> None:
    roads = throttle(FakeClock())
    for _ in range(1000):
        assert roads.send(Exchange(broken())) == "reply"


def test_a_429_pauses_and_halves_and_success_grows_it_back() -> None:
    clock = FakeClock()
    roads = throttle(clock)
    assert roads.send(Exchange(limited(7.0))) == "reply"
    assert clock.waits == [7.0]
    assert roads.limit == 4
    for limit in (4, 4, 4, 5, 5, 5, 5, 5, 6):
        assert roads.limit in (limit, limit - 1)
        roads.send(Exchange())
    for _ in range(20):
        roads.send(Exchange())
    assert roads.limit == 8


def test_a_429_does_not_use_up_the_retries_of_a_batch() -> None:
    exchange = Exchange(*[limited(1.0)] * MOST_BURSTS)
    assert throttle(FakeClock(), retries=0).send(exchange) == "reply"


def test_a_service_that_always_throttles_is_given_up() -> None:
    clock = FakeClock()
    exchange = Exchange(*[limited()] * 100)
    roads = throttle(clock)
    with pytest.raises(Stopped):
        roads.send(exchange)
    assert exchange.calls == MOST_BURSTS + 1
    assert roads.limit == 1
    assert clock.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    assert roads.reason is not None
    assert roads.reason.message == "slow down; gave up after repeated pauses"


def test_a_long_retry_after_stops_the_run_and_says_when_to_come_back() -> None:
    clock = FakeClock()
    roads = throttle(clock)
    with pytest.raises(Stopped):
        roads.send(Exchange(limited(61.0)))
    assert clock.waits == []
    assert roads.reason is not None
    assert roads.reason.message == "slow down; it asks to retry in 2 minutes"


def spend(roads: Throttle) -> int:
    """Ask a dead service until the round is stopped; return how often it was asked."""
    exchange = Exchange(*[broken()] * 1000)
    while not roads.is_stopped:
        with pytest.raises((errors.ConnectionFault, Stopped)):
            roads.send(exchange)
    return exchange.calls


def test_the_budget_is_renewed_with_each_round() -> None:
    roads = throttle(FakeClock())
    for _ in range(3):
        roads.begin()
        assert spend(roads) == BUDGET


def test_workers_of_an_earlier_round_spend_nothing_of_the_next() -> None:
    roads = throttle(FakeClock())
    earlier = roads.begin()
    late = 0

    def fails_late() -> None:
        nonlocal late
        late += 1
        roads.begin()  # while this request is under way
        raise broken()

    with pytest.raises(Stopped):
        earlier.send(fails_late)
    assert late == 1  # and is not sent again
    with pytest.raises(Stopped):
        earlier.send(Exchange())
    assert spend(roads) == BUDGET


def test_what_stops_an_earlier_round_does_not_stop_the_next() -> None:
    roads = throttle(FakeClock())
    earlier = roads.begin()

    def is_rejected_late() -> None:
        roads.begin()
        raise errors.TokenRejected("no", code="invalid_token")

    with pytest.raises(errors.TokenRejected):
        earlier.send(is_rejected_late)
    assert roads.send(Exchange()) == "reply"


def test_a_pause_outlasts_a_round() -> None:
    clock = FakeClock()
    roads = throttle(clock)
    with pytest.raises(Stopped):
        roads.send(Exchange(limited(100.0)))
    roads.begin()
    assert roads.send(Exchange()) == "reply"
    assert clock.waits == [100.0]


@pytest.mark.parametrize(
    ("patience", "pauses", "waits"),
    [(30.0, [50.0], []), (30.0, [20.0, 20.0], [20.0]), (60.0, [25.0, 25.0], [25.0, 25.0])],
)
def test_a_pause_is_not_waited_for_beyond_the_patience(
    patience: float, pauses: list[float], waits: list[float]
) -> None:
    clock = FakeClock()
    roads = throttle(clock, patience=patience)
    exchange = Exchange(*map(limited, pauses))
    if len(waits) == len(pauses):
        assert roads.send(exchange) == "reply"
    else:
        with pytest.raises(Stopped):
            roads.send(exchange)
        assert roads.reason is not None
        assert roads.reason.message == f"slow down; it asks to retry in {pauses[0]:.0f} seconds"
    assert clock.waits == waits


def test_the_patience_is_for_silence_and_not_for_time_in_which_nobody_asked() -> None:
    clock = FakeClock()
    roads = throttle(clock, patience=30.0)
    assert roads.send(Exchange()) == "reply"
    clock.now += 3600.0
    assert roads.send(Exchange(limited(20.0))) == "reply"
    clock.now += 3600.0
    assert roads.send(Exchange(limited(20.0))) == "reply"


def test_one_burst_of_429s_halves_once() -> None:
    roads = Throttle(concurrency=8, retries=3, uniform=lambda *_: 0.0)
    gate = threading.Barrier(8)
    burst = iter(range(8))
    limits: list[int] = []

    def exchange() -> None:
        if next(burst, None) is None:
            limits.append(roads.limit)
            return
        gate.wait(5)
        raise limited(0.2)

    workers = [threading.Thread(target=roads.send, args=(exchange,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(5)
    assert limits[0] == 4


def test_never_more_at_once_than_allowed() -> None:
    roads = Throttle(concurrency=3, retries=3, uniform=lambda *_: 0.0)
    lock = threading.Lock()
    active, most, calls = 0, 0, 0

    def exchange() -> None:
        nonlocal active, most, calls
        with lock:
            active += 1
            calls += 1
            number = calls
            most = max(most, active)
        threading.Event().wait(0.002)
        with lock:
            active -= 1
        if number % 10 == 0:
            raise limited(0.01)

    def work() -> None:
        for _ in range(20):
            roads.send(exchange)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert not worker.is_alive()
    assert most <= 3


def test_stopping_wakes_those_who_wait() -> None:
    roads = Throttle(concurrency=1, retries=3)
    ended = threading.Event()

    def send() -> None:
        try:
            roads.send(Exchange(limited(50.0)))
        except Stopped:
            ended.set()

    threading.Thread(target=send, daemon=True).start()
    threading.Event().wait(0.05)
    roads.stop()
    assert ended.wait(1)


@given(st.integers(1, 10**6))
def test_backoff_stays_in_range(failures: int) -> None:
    assert backoff(failures, lambda _, most: most) == min(20.0, 0.5 * 2 ** min(failures - 1, 60))
    assert backoff(failures, lambda least, _: least) == 0.0


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 20, 7 * 86400.0),
        ("9" * 5000, 7 * 86400.0),
        ("Fri, 31 Dec 2999 00:00:00 GMT", 7 * 86400.0),
        ("1e5", None),
        ("NaN", None),
        (email.utils.formatdate(NOW + 30, usegmt=True), 30.0),
        (email.utils.formatdate(NOW - 30, usegmt=True), 0.0),
        ("Fri, 31 Feb 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_retry_after_never_raises(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@pytest.mark.parametrize("failure", [broken(), limited(), errors.ServerFault("x", code="http_502")])
def test_what_is_not_repeatable_is_sent_once(failure: ServiceError) -> None:
    clock = FakeClock()
    exchange = Exchange(*[failure] * 10)
    sender = throttle(clock).begin()
    with pytest.raises(type(failure)):
        sender.send(exchange, is_repeatable=lambda _: False)
    assert exchange.calls == 1
    assert sender.send(Exchange(limited(7.0)), is_repeatable=lambda _: True) == "reply"


def test_what_is_not_repeatable_counts_all_the_same() -> None:
    """A pause that the service asks for holds the others, and the budget is spent."""
    clock = FakeClock()
    roads = throttle(clock)
    sender = roads.begin()
    with pytest.raises(errors.RateLimited):
        sender.send(Exchange(limited(30.0)), is_repeatable=lambda _: False)
    assert roads.pause_left() == 30.0
    assert sender.send(Exchange()) == "reply"
    assert clock.waits == [30.0]
    for _ in range(BUDGET + 1):
        if not sender.is_stopped:
            with pytest.raises(errors.ConnectionFault):
                sender.send(Exchange(broken()), is_repeatable=lambda _: False)
    assert isinstance(sender.reason, errors.GaveUp)
