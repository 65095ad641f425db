"""Whatever the service does: every id once, in order, in one state, and nothing else."""

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.responses import BatchResponse, ResponseHead, parse_batch
from flux_cli.api.throttle import BUDGET, Stopped, Throttle
from flux_cli.engine.check import Check
from flux_cli.errors import ServiceError
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.task import Task
from tests.support.records import batch, finished, make_ids, running


FAILURES: list[type[ServiceError]] = [
    errors.ConnectionFault,
    errors.ServerFault,
    errors.InternalFault,
    errors.RateLimited,
    errors.BadRequest,
    errors.BrokenContract,
]
FATAL: list[type[ServiceError]] = [errors.TokenRejected, errors.Refused, errors.NotTheApi]


class Chaos:
    """Answers by chance: in part, twice, too much, shuffled, in capitals, or not at all."""

    def __init__(self, chance: random.Random, known: frozenset[str], limit: int) -> None:
        self._chance = chance
        self._known = known
        self._limit = limit
        self._lock = threading.Lock()
        self.in_flight = self.most_in_flight = 0

    def __call__(self, ids: Sequence[str]) -> BatchResponse:
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            with self._lock:
                return self._answer(ids)
        finally:
            with self._lock:
                self.in_flight -= 1

    def retrieve(self, task_id: str) -> Mapping[str, Any] | None:
        items = self([task_id]).items
        return next((item for item in items if item.get("id") == task_id), None)

    def _answer(self, ids: Sequence[str]) -> BatchResponse:
        chance = self._chance
        mood = chance.randint(0, 20)
        if mood == 20:
            raise chance.choice(FATAL)("fatal", code="fatal")
        if mood > 14:
            kind = chance.choice(FAILURES)
            raise kind("trouble", code="trouble", retry_after=chance.choice([None, 1.0]))
        items: list[Any] = [finished(i) for i in ids if i in self._known][: self._limit]
        if mood > 10:
            items = chance.choices(items, k=chance.randint(0, 60)) if items else []
        if mood > 7:
            items += [running(str(item["id"])) for item in items]
            items += [finished("foreign"), None, {"id": 7}]
            chance.shuffle(items)
        if mood % 3 == 0:
            items = [
                item | {"id": str(item["id"]).upper()} if isinstance(item, dict) else item
                for item in items
            ]
        return parse_batch(ResponseHead(200), batch(items))


@settings(max_examples=60)
@given(
    st.integers(0, 2**32), st.integers(1, 180), st.integers(1, 8), st.sampled_from([1, 7, 12, 50])
)
def test_every_id_comes_out_once_and_in_order(
    seed: int, count: int, workers: int, limit: int
) -> None:
    ids = TaskIds()
    for task_id in make_ids(count):
        ids.add(task_id)
    chance = random.Random(seed)
    known = frozenset(task_id for task_id in ids if chance.random() < 0.8)
    service = Chaos(chance, known, limit)
    tasks = answers(ids, service, workers)
    assert [task.id for task in tasks] == list(ids)
    for task in tasks:
        assert task.state is not State.SUCCEEDED or task.id in known
        assert task.state is not State.UNKNOWN or task.error is not None
    assert service.most_in_flight <= workers


def answers(ids: Iterable[str], service: "Chaos | Liar", workers: int) -> list[Task]:
    """Return what a check of `ids` yields; time flies."""
    throttle = Throttle(
        concurrency=workers,
        retries=2,
        uniform=lambda _, __: 0.0,
        clock=lambda: time.monotonic() * 1e6,  # a million times as fast
        wait=lambda condition, _: condition.wait(0.001),
    )
    check = Check(ids, service, service.retrieve, throttle=throttle, batch_size=50, workers=workers)
    return [task for tasks in check.results() for task in tasks]


@dataclass
class Habits:
    """How a service answers: what it always does, and what it does at times, as probabilities."""

    page_limit: int
    most_ids: int  # more are refused
    most_items: int  # more are too large to be read
    ignores_ids: float
    fails: float
    repeats: float
    has_junk: float
    miscounts: float
    withholds: float  # items of which the count tells


SOMETIMES = st.sampled_from([0.0, 0.0, 0.2, 0.5, 1.0])
HABITS = st.builds(
    Habits,
    page_limit=st.sampled_from([1, 7, 12, 50, 1000]),
    most_ids=st.sampled_from([1, 20, 50, 50, 50]),
    most_items=st.sampled_from([0, 1, 20, 1000, 1000, 1000]),
    ignores_ids=SOMETIMES,
    fails=st.sampled_from([0.0, 0.0, 0.1, 0.3]),
    repeats=SOMETIMES,
    has_junk=SOMETIMES,
    miscounts=SOMETIMES,
    withholds=SOMETIMES,
)


class Liar:
    """Answers for the newest tasks of the account instead, and misbehaves in other ways.

    It tells the truth of a task that is asked for alone, if it tells anything.
    """

    def __init__(self, chance: random.Random, known: Sequence[str], habits: Habits) -> None:
        self._chance = chance
        self.known = frozenset(known)
        self._newest = [*known, *make_ids(chance.choice([0, 5, 80]), start=1 << 40)]
        chance.shuffle(self._newest)
        self._habits = habits
        self._lock = threading.Lock()
        self.requests = 0

    def __call__(self, ids: Sequence[str]) -> BatchResponse:
        with self._lock:
            habits = self._habits
            self._fail()
            if len(ids) > habits.most_ids:
                raise errors.BadRequest("too many", code="bad_request")
            if self._is(habits.ignores_ids):
                found = self._newest[: len(ids)]
            else:
                found = [task_id for task_id in ids if task_id in self.known]
            items: list[Any] = [finished(task_id) for task_id in found]
            if self._is(habits.repeats):
                items = self._chance.choices(items, k=len(items))
            elif self._is(habits.repeats):
                items = [item for item in items for _ in range(2)]
            items = items[: habits.page_limit]
            count: int | None = len(items)
            if self._is(habits.withholds):
                items = items[: self._chance.randint(0, len(items))]
            elif self._is(habits.miscounts):
                count = self._chance.choice([len(found), -1, 0, 9999, None])
            if self._is(habits.has_junk):
                items += [None, {"id": []}, {"id": 7}]
                self._chance.shuffle(items)
            if len(items) > habits.most_items:
                raise errors.ResponseTooLarge("too large", code="reply_too_large")
        body = json.dumps({"items": items, "count": count}).encode()
        return parse_batch(ResponseHead(200), body)

    def retrieve(self, task_id: str) -> Mapping[str, Any] | None:
        with self._lock:
            self._fail()
        return finished(task_id) if task_id in self.known else None

    def _fail(self) -> None:
        self.requests += 1
        if self._is(self._habits.fails):
            raise self._chance.choice(FAILURES)("trouble", code="trouble")

    def _is(self, probability: float) -> bool:
        return self._chance.random() < probability


@settings(max_examples=200)
@given(HABITS, st.integers(0, 2**32), st.integers(1, 130), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_what_the_service_has_is_never_not_found(
    habits: Habits, seed: int, count: int, share: float
) -> None:
    chance = random.Random(seed)
    ids = make_ids(count)
    service = Liar(chance, [task_id for task_id in ids if chance.random() < share], habits)
    known = service.known
    tasks = answers(ids, service, workers=4)
    assert [task.id for task in tasks] == ids
    for task in tasks:
        allowed = State.SUCCEEDED if task.id in known else State.NOT_FOUND
        assert task.state in (allowed, State.UNKNOWN)
    if not habits.fails:
        assert State.UNKNOWN not in {task.state for task in tasks}


OUTCOMES = st.tuples(
    st.sampled_from([None, None, *FAILURES, *FATAL]), st.sampled_from([None, 0.0, 5.0, 59.0])
)
# What happens while a request is under way: its outcome, and the requests that start meanwhile.
EVENTS = st.recursive(
    OUTCOMES.map(lambda outcome: (outcome, ())),
    lambda inner: st.tuples(OUTCOMES, st.lists(inner, max_size=4).map(tuple)),
    max_leaves=60,
)


class Parked(Exception):
    """A request waits for its turn; here, one that is under way cannot end before it."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        del condition
        if seconds is None:
            raise Parked
        self.now += seconds


@settings(max_examples=300)
@given(st.lists(EVENTS, min_size=1, max_size=60), st.integers(1, 8), st.integers(0, 4))
def test_budget_concurrency_and_pauses_hold_under_any_sequence_of_events(
    events: list[Any], most: int, retries: int
) -> None:
    clock = Clock()
    throttle = Throttle(
        concurrency=most, retries=retries, clock=clock, uniform=lambda _, b: b, wait=clock.wait
    )
    depth = failures = successes = 0
    paused_until = 0.0

    def run(event: Any) -> None:
        nonlocal depth
        pending = [event]

        def exchange() -> None:
            nonlocal depth, failures, successes, paused_until
            assert clock.now >= paused_until  # no request goes out inside a pause
            assert not throttle.is_stopped
            assert 1 <= throttle.limit <= most
            depth += 1
            assert depth <= most
            (kind, pause), meanwhile = pending.pop() if pending else ((None, None), ())
            for inner in meanwhile:
                if depth < throttle.limit and not throttle.is_stopped:
                    run(inner)
            depth -= 1
            clock.now += 0.1
            if kind is None:
                successes += 1
                return
            if kind not in (*FATAL, errors.BadRequest, errors.BrokenContract):
                failures += 1
            if kind not in FATAL and kind is not errors.BadRequest and pause is not None:
                paused_until = max(paused_until, clock.now + pause)
            raise kind("trouble", code="x", retry_after=pause)

        with contextlib.suppress(ServiceError, Stopped, Parked):
            throttle.send(exchange)

    for event in events:
        run(event)
        assert 1 <= throttle.limit <= most
        assert failures <= BUDGET + 2 * successes + most
