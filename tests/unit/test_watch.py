"""The watch in virtual time: when it looks, at what, what it says, and how it ends."""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.responses import BatchResponse, ResponseHead, parse_batch
from flux_cli.api.throttle import BUDGET, Throttle
from flux_cli.engine.check import Check
from flux_cli.engine.policies import Until, WatchPolicy
from flux_cli.engine.watch import Changed, Ending, Event, Poll, Polled, Watch
from flux_cli.errors import ServiceError
from flux_cli.models.state import State
from flux_cli.models.task import Task, no_answer, not_found, parse_task
from tests.support.records import batch, failed, finished, make_ids, running, unknown


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


Fate = Callable[[str, float], State]  # what the service knows of an id at a moment
MAKE = {
    State.PENDING: lambda i: {"id": i},
    State.PROCESSING: running,
    State.SUCCEEDED: finished,
    State.FAILED: failed,
}


class World:
    """A service in virtual time, and the watch of it."""

    def __init__(
        self,
        ids: Sequence[str],
        fate: Fate,
        *,
        trouble: Callable[[float], ServiceError | None] = lambda _: None,
        pause_left: Callable[[], float] = lambda: 0.0,
        policy: WatchPolicy | None = None,
        jitter: float = 0.0,
        takes: float = 0.0,
        asks_alone: bool = False,
    ) -> None:
        """`takes` is how many seconds each look takes."""
        self.clock = Clock()
        self.fate = fate
        self.trouble = trouble
        self.takes = takes
        self.asks_alone = asks_alone
        self.asked: list[tuple[float, list[str]]] = []
        self.watch = Watch(
            ids,
            self.poll,
            policy=policy or WatchPolicy(),
            clock=self.clock,
            wait=self.clock.wait,
            uniform=lambda least, most: least + jitter * (most - least),
            pause_left=pause_left,
        )

    def poll(self, ids: Iterator[str]) -> Poll:
        world = self
        asked = list(ids)
        self.asked.append((self.clock.now, asked))
        self.clock.now += self.takes

        class Once:
            failure: ServiceError | None = None
            asked_alone = world.asks_alone * len(asked)
            stopped_by = world.trouble(world.clock.now)

            def results(self) -> Iterator[list[Task]]:
                yield [world.answer(task_id, self.stopped_by) for task_id in asked]

        return Once()

    def answer(self, task_id: str, trouble: ServiceError | None) -> Task:
        now = self.clock.now
        if trouble is not None:
            return no_answer(task_id, code="x", message="x", observed_at=now)
        state = self.fate(task_id, now)
        if state is State.UNKNOWN:
            return no_answer(task_id, code="bad_request", message="x", observed_at=now)
        if state is State.NOT_FOUND:
            return not_found(task_id, now)
        return parse_task(task_id, MAKE[state](task_id), now)

    def run(self) -> list[Event]:
        return list(self.watch.events())

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.asked]


def changes(events: Iterable[Event]) -> list[tuple[str, str | None, str]]:
    return [
        (e.task.id, e.task.previous_state and e.task.previous_state.value, e.task.state.value)
        for e in events
        if isinstance(e, Changed)
    ]


def after(seconds: float, then: State = State.SUCCEEDED) -> Fate:
    return lambda _, now: then if now >= seconds else State.PROCESSING


def test_tells_first_sights_and_changes() -> None:
    def fate(_: str, now: float) -> State:
        return State.PENDING if now < 4 else after(9)("", now)

    world = World(["a"], fate)
    assert changes(world.run()) == [
        ("a", None, "pending"),
        ("a", "pending", "processing"),
        ("a", "processing", "succeeded"),
    ]
    assert world.times == [0, 5, 10]
    assert world.watch.ending is Ending.DONE


def test_a_task_that_has_ended_is_never_asked_for_again() -> None:
    world = World(["a", "b", "c"], lambda i, now: after({"a": 0, "b": 4, "c": 9}[i])(i, now))
    world.run()
    assert [ids for _, ids in world.asked] == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_the_interval_grows_while_nothing_changes_and_snaps_back() -> None:
    fate: Fate = lambda i, now: after({"a": 100, "b": 200}[i])(i, now)  # noqa: E731
    world = World(["a", "b"], fate)
    world.run()
    gaps = [later - sooner for sooner, later in zip(world.times, world.times[1:], strict=False)]
    assert gaps[:6] == [5, 7.5, 11.25, 16.875, 25.3125, 30]
    snapped = next(number for number, at in enumerate(world.times) if at >= 100)
    assert gaps[snapped : snapped + 2] == [5, 7.5]


def test_jitter_adds_a_tenth_at_most() -> None:
    world = World(["a"], after(9), jitter=1.0)
    world.run()
    assert world.times == [0, 5.5, pytest.approx(13.75)]


def test_a_pause_that_the_service_asks_for_is_not_undercut() -> None:
    world = World(["a"], after(50), pause_left=lambda: 45.0)
    world.run()
    assert world.times == [0, 45, 90]


def test_a_slow_look_is_followed_by_a_breath_and_not_by_a_burst() -> None:
    world = World(["a"], after(90), takes=40)
    world.run()
    assert world.times == [0, 41, 82]


@pytest.mark.parametrize(("count", "interval"), [(1, 5), (20, 5), (1000, 250)])
def test_tasks_that_are_each_asked_for_alone_are_asked_for_at_a_polite_rate(
    count: int, interval: float
) -> None:
    ids = make_ids(count)
    policy = WatchPolicy(max_interval=5, timeout=1000)
    world = World(ids, after(math.inf), asks_alone=True, policy=policy)
    world.run()
    assert world.times[1] - world.times[0] == interval
    assert len(world.times) * count / 1000 <= 4 + count / 1000


def test_until_any_ends_at_the_first() -> None:
    fate: Fate = lambda i, now: after({"a": 100, "b": 5}[i])(i, now)  # noqa: E731
    world = World(["a", "b"], fate, policy=WatchPolicy(until=Until.ANY))
    assert changes(world.run())[-1] == ("b", "processing", "succeeded")
    assert world.watch.ending is Ending.DONE
    assert list(world.watch.open_ids()) == ["a"]


def test_fail_fast_ends_at_the_first_failure() -> None:
    fates = {"a": after(0), "b": after(5, State.FAILED), "c": after(100)}
    world = World(list("abc"), lambda i, now: fates[i](i, now), policy=WatchPolicy(fail_fast=True))
    world.run()
    assert world.watch.ending is Ending.FAILED_FAST
    assert list(world.watch.open_ids()) == ["c"]


@pytest.mark.parametrize(("timeout", "looks"), [(0, [0]), (3, [0]), (11, [0, 5]), (600, None)])
def test_the_timeout_is_one_deadline(timeout: float, looks: list[float] | None) -> None:
    world = World(["a"], after(1000), policy=WatchPolicy(timeout=timeout))
    world.run()
    assert world.watch.ending is Ending.TIMED_OUT
    assert world.clock.now == timeout
    assert looks is None or world.times == looks


def test_an_id_that_is_not_found_has_a_grace() -> None:
    world = World(["a"], lambda *_: State.NOT_FOUND)
    assert changes(world.run()) == [("a", None, "not_found")]
    assert 60 <= world.clock.now <= 90
    assert world.watch.ending is Ending.DONE


def test_an_id_that_turns_up_late_was_never_lost() -> None:
    fate: Fate = lambda i, now: State.NOT_FOUND if now < 20 else after(40)(i, now)  # noqa: E731
    world = World(["a"], fate)
    assert changes(world.run()) == [("a", None, "processing"), ("a", "processing", "succeeded")]


def test_an_id_that_alone_is_refused_does_not_hold_up_the_end_for_ever() -> None:
    fate: Fate = lambda i, now: State.UNKNOWN if i == "bad" else after(20)(i, now)  # noqa: E731
    world = World(["good", "bad"], fate)
    assert changes(world.run())[-1] == ("bad", None, "unknown")
    assert 300 <= world.clock.now <= 335
    assert world.watch.ending is Ending.DONE


BLIP = errors.ConnectionFault("cut", code="reply_cut")


def test_a_blip_keeps_the_states_and_is_told() -> None:
    world = World(["a"], after(120), trouble=lambda now: BLIP if 10 < now < 70 else None)
    events = world.run()
    assert changes(events) == [("a", None, "processing"), ("a", "processing", "succeeded")]
    told = [event.trouble for event in events if isinstance(event, Polled)]
    assert BLIP in told
    assert told[-1] is None
    assert world.watch.ending is Ending.DONE


def test_a_service_that_is_gone_for_good_is_given_up() -> None:
    world = World(["a"], after(1e9), trouble=lambda now: BLIP if now > 10 else None)
    world.run()
    assert world.watch.ending is Ending.NO_ANSWER
    assert world.watch.error is BLIP
    assert 300 <= world.clock.now <= 345


def test_a_blip_after_an_hour_in_which_nobody_asked_is_a_blip() -> None:
    policy = WatchPolicy(interval=3600, max_interval=3600, give_up_after=300)
    world = World(
        ["a"], after(4000), policy=policy, trouble=lambda now: BLIP if 3000 < now < 4000 else None
    )
    world.run()
    assert (world.watch.ending, world.times) == (Ending.DONE, [0, 3600, 7200])


LONG = errors.GaveUp("slow down; it asks to retry in 2 hours", code="too_many_requests")


@pytest.mark.parametrize(
    ("pause", "give_up_after", "times", "ending"),
    [
        (7 * 86400, 300, [0, 5], Ending.NO_ANSWER),  # at once: nothing can be heard in time
        (300, 300, [0, 5], Ending.NO_ANSWER),
        (299, 300, [0, 5, 304], Ending.DONE),
        (7200, 86400, [0, 5, 7205], Ending.DONE),
        (7200, 0, [0, 5], Ending.NO_ANSWER),
    ],
)
def test_a_pause_is_waited_for_within_give_up_after_and_never_asked_in(
    pause: float, give_up_after: float, times: list[float], ending: Ending
) -> None:
    """The service asks at second 5 to be left alone for `pause` seconds."""
    fate = after(100)
    world = World(
        ["a"],
        fate,
        policy=WatchPolicy(give_up_after=give_up_after),
        trouble=lambda now: LONG if now == 5 else None,
        pause_left=lambda: max(0.0, 5 + pause - world.clock.now) if world.clock.now >= 5 else 0.0,
    )
    world.run()
    assert (world.watch.ending, world.times) == (ending, times)
    assert world.clock.now == times[-1]
    assert world.watch.error is (LONG if ending is Ending.NO_ANSWER else None)


def test_the_timeout_ends_a_pause() -> None:
    world = World(
        ["a"],
        after(1e9),
        policy=WatchPolicy(timeout=60, give_up_after=86400),
        trouble=lambda _: LONG,
        pause_left=lambda: 7200.0,
    )
    world.run()
    assert (world.watch.ending, world.clock.now, world.times) == (Ending.TIMED_OUT, 60, [0])


def test_an_absence_is_forgotten_when_the_task_turns_up() -> None:
    def fate(_: str, now: float) -> State:
        if now < 50 or 100 <= now < 150:
            return State.NOT_FOUND
        return after(200)("", now)

    world = World(["a"], fate, policy=WatchPolicy(max_interval=5))
    assert changes(world.run()) == [("a", None, "processing"), ("a", "processing", "succeeded")]


def test_the_budget_is_renewed_between_looks() -> None:
    """A service that fails for more requests than one look may spend, and then is well."""
    clock = Clock()
    asked = 0

    def ask(part: Sequence[str]) -> BatchResponse:
        nonlocal asked
        asked += 1
        if asked <= 3 * BUDGET:
            raise BLIP
        return parse_batch(ResponseHead(200), batch(map(finished, part)))

    throttle = Throttle(concurrency=1, retries=0)

    def poll(open_ids: Iterator[str]) -> Check:
        return Check(open_ids, ask, unknown, throttle=throttle, batch_size=50, workers=1)

    watch = Watch(
        ["a"],
        poll,
        policy=WatchPolicy(timeout=1e5, give_up_after=1e6),
        clock=clock,
        wait=clock.wait,
        uniform=lambda least, _: least,
    )
    assert changes(watch.events()) == [("a", None, "succeeded")]
    assert asked == 3 * BUDGET + 1


def test_a_rejected_token_ends_it_at_once() -> None:
    rejected = errors.TokenRejected("no", code="token_expired")
    world = World(["a"], after(1e9), trouble=lambda now: rejected if now > 4 else None)
    world.run()
    assert (world.watch.ending, world.watch.error) == (Ending.NO_ANSWER, rejected)
    assert world.times == [0, 5]


def test_a_day_makes_exactly_the_scheduled_number_of_looks() -> None:
    world = World(["a"], after(1e9), policy=WatchPolicy(timeout=86400))
    world.run()
    ramp = [5, 7.5, 11.25, 16.875, 25.3125]
    assert len(world.times) == 1 + len(ramp) + math.ceil((86400 - sum(ramp)) / 30) - 1


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_over_random_lifetimes_with_the_real_engine(count: int, seed: int) -> None:
    chance = random.Random(seed)
    ids = make_ids(count)
    ends = {i: chance.uniform(0, 200) for i in ids}
    fails = {i for i in ids if chance.random() < 0.2}
    clock = Clock()
    queries: list[tuple[float, list[str]]] = []

    def ask(part: Sequence[str]) -> BatchResponse:
        queries.append((clock.now, list(part)))
        make = {i: failed if i in fails else finished for i in part}
        return parse_batch(
            ResponseHead(200),
            batch(make[i](i) if ends[i] <= clock.now else running(i) for i in part),
        )

    throttle = Throttle(concurrency=8, retries=3)

    def poll(open_ids: Iterator[str]) -> Check:
        return Check(open_ids, ask, unknown, throttle=throttle, batch_size=50, workers=4)

    watch = Watch(
        ids, poll, policy=WatchPolicy(), clock=clock, wait=clock.wait, uniform=chance.uniform
    )
    final: dict[str, str] = {}
    ended_at: dict[str, float] = {}
    for event in watch.events():
        if isinstance(event, Changed) and event.task.state.is_final:
            assert event.task.id not in final
            final[event.task.id] = event.task.state.value
            ended_at[event.task.id] = clock.now
    assert final == {i: "failed" if i in fails else "succeeded" for i in ids}
    for at in {at for at, _ in queries}:
        parts = [part for when, part in queries if when == at]
        asked = [task_id for part in parts for task_id in part]
        still_open = {i for i in ids if ended_at[i] >= at}
        assert set(asked) == still_open
        assert len(asked) == len(still_open)
        assert len(parts) == math.ceil(len(still_open) / 50)
