"""The fan-out: results in order and early, whatever happens to single batches."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence

import pytest

from flux_cli import errors
from flux_cli.api.responses import BatchResponse, ResponseHead, parse_batch
from flux_cli.api.throttle import Throttle
from flux_cli.engine.batch import Ask
from flux_cli.engine.check import Check
from flux_cli.engine.service_traits import PageSize, ServiceTraits
from flux_cli.models.state import State
from flux_cli.models.task import Task
from tests.support.patience import until
from tests.support.records import batch, finished, make_ids, unknown


IDS = make_ids(500)
POSITION = {task_id: number for number, task_id in enumerate(IDS)}


def answer(ids: Sequence[str]) -> BatchResponse:
    return parse_batch(ResponseHead(200), batch(finished(task_id) for task_id in ids))


def check(ask: object, *, concurrency: int = 8, batch_size: int = 50) -> Check:
    return Check(
        IDS,
        ask,  # type: ignore[arg-type]
        unknown,
        throttle=Throttle(concurrency=concurrency, retries=1, uniform=lambda *_: 0.0),
        batch_size=batch_size,
        workers=concurrency,
    )


def flat(batches: Iterator[list[Task]]) -> list[Task]:
    return [task for tasks in batches for task in tasks]


def test_results_leave_in_order_though_batches_end_out_of_order() -> None:
    def ask(ids: Sequence[str]) -> BatchResponse:
        time.sleep((POSITION[ids[0]] // 50 * 7 % 5) * 0.01)
        return answer(ids)

    assert [task.id for task in flat(check(ask).results())] == IDS


def test_results_leave_as_soon_as_they_can() -> None:
    release = threading.Event()

    def ask(ids: Sequence[str]) -> BatchResponse:
        if POSITION[ids[0]] >= 100:
            assert release.wait(10)
        return answer(ids)

    results = check(ask).results()
    assert [task.id for task in next(results) + next(results)] == IDS[:100]
    release.set()
    assert [task.id for task in flat(results)] == IDS[100:]


def test_a_slow_first_batch_does_not_let_memory_grow() -> None:
    release = threading.Event()
    asked: list[str] = []

    def ask(ids: Sequence[str]) -> BatchResponse:
        asked.append(ids[0])
        if ids[0] == IDS[0]:
            assert release.wait(10)
        return answer(ids)

    results = check(ask, concurrency=2, batch_size=5).results()
    threading.Timer(0.3, release.set).start()
    first = next(results)
    assert [task.id for task in first] == IDS[:5]
    assert len(asked) <= 2 * 4 + 2  # of 100 batches: the window, and what has moved since
    assert [task.id for task in flat(results)] == IDS[5:]


def test_no_request_goes_out_inside_a_pause() -> None:
    """Time is virtual: it passes when there is no worker left that could ask."""
    workers = 8
    all_under_way = threading.Barrier(workers)
    is_paused = threading.Event()
    now, waiting = 0.0, 0
    asked_at: list[float] = []

    def wait(condition: threading.Condition, seconds: float | None) -> None:
        nonlocal now, waiting
        is_paused.set()
        waiting += 1
        if waiting == workers:
            now += seconds or 0.0
            condition.notify_all()
        else:
            condition.wait(10)
        waiting -= 1

    def ask(ids: Sequence[str]) -> BatchResponse:
        asked_at.append(now)
        if len(asked_at) <= workers:
            all_under_way.wait(10)
            if ids[0] == IDS[0]:
                raise errors.RateLimited("too many", code="too_many_requests", retry_after=7.0)
            assert is_paused.wait(10)  # the others were sent before it, and are answered in it
        return answer(ids)

    throttle = Throttle(concurrency=workers, retries=1, clock=lambda: now, wait=wait)
    engine = Check(IDS, ask, unknown, throttle=throttle, batch_size=5, workers=workers)
    assert [task.id for task in flat(engine.results())] == IDS
    assert asked_at[:workers] == [0.0] * workers
    assert asked_at[workers:] == [7.0] * (len(IDS) // 5 + 1 - workers)


def test_a_stop_leaves_every_id_with_one_state_and_waits_for_nobody() -> None:
    stall, are_shown = threading.Event(), threading.Event()

    def ask(ids: Sequence[str]) -> BatchResponse:
        number = POSITION[ids[0]] // 50
        if number == 3:
            assert are_shown.wait(30)
            raise errors.TokenRejected("rejected", code="invalid_token")
        if number == 2:
            assert stall.wait(60)
        return answer(ids)

    engine = check(ask)
    results = engine.results()
    tasks = next(results) + next(results)
    are_shown.set()
    started = time.monotonic()
    tasks += flat(results)
    assert time.monotonic() - started < 30  # and not the 60 of the one that stalls
    stall.set()
    assert [task.id for task in tasks] == IDS
    assert {task.state.value for task in tasks[:100]} == {"succeeded"}
    assert {task.state.value for task in tasks[100:200]} == {"unknown"}
    assert isinstance(engine.stopped_by, errors.TokenRejected)


def test_an_interrupt_yields_the_answers_that_waited_for_their_turn() -> None:
    stall = threading.Event()

    asked: list[str] = []

    def ask(ids: Sequence[str]) -> BatchResponse:
        asked.append(ids[0])
        if ids[0] == IDS[0]:
            assert stall.wait(30)
        return answer(ids)

    engine = check(ask, concurrency=2, batch_size=5)
    results = engine.results()
    threading.Thread(target=lambda: next(results, None), daemon=True).start()
    until(lambda: len(asked) == 2 * 4)  # the window: nothing more is asked
    known = flat(engine.interrupt())
    asked.clear()
    stall.set()
    time.sleep(0.2)
    assert asked == []
    assert known
    assert [task.id for task in known] == IDS[5 : 5 + len(known)]


class Pages:
    """A service that gives `limit` of the `known` ids at a time, and counts the requests."""

    def __init__(self, known: Iterable[str], *, limit: int = 1000) -> None:
        self.known = set(known)
        self.limit = limit
        self.requests = 0

    def __call__(self, ids: Sequence[str]) -> BatchResponse:
        self.requests += 1
        items = [self.record(task_id) for task_id in ids if task_id in self.known]
        return parse_batch(ResponseHead(200), batch(items[: self.limit]))

    def retrieve(self, task_id: str) -> dict[str, object] | None:
        self.requests += 1
        return self.record(task_id) if task_id in self.known else None

    def record(self, task_id: str) -> dict[str, object]:
        return finished(task_id, created_at=time.time())


def requests_of_a_look(
    service: Pages, ids: Sequence[str], ask: Ask | None = None, *, pages: PageSize
) -> int:
    """Look once at `ids`; return how many requests it took."""
    service.requests = 0
    throttle = Throttle(concurrency=2, retries=0)
    engine = Check(
        ids,
        ask or service,
        service.retrieve,
        throttle=throttle,
        batch_size=50,
        workers=2,
        traits=ServiceTraits(pages),
    )
    tasks = flat(engine.results())
    assert [task.id for task in tasks] == list(ids)
    for task in tasks:
        assert task.state is State.SUCCEEDED or task.id not in service.known
    return service.requests


MANY = make_ids(1000)


@pytest.mark.parametrize("visible", [0, 1, 3])
def test_a_task_that_becomes_visible_between_two_rounds_is_no_page_limit(visible: int) -> None:
    """Of each batch some tasks are visible; one more is, each time that it is asked for again."""
    service = Pages(task_id for n, task_id in enumerate(MANY) if n % 50 < visible)
    pages = PageSize(50)

    def ask(ids: Sequence[str]) -> BatchResponse:
        if len(ids) < 50 or not visible:
            service.known.add(ids[0])
        return service(ids)

    requests_of_a_look(service, MANY, ask, pages=pages)
    service.known.update(MANY)
    requests_of_a_look(service, MANY, pages=pages)  # disproves what it may have looked like
    assert requests_of_a_look(service, MANY, pages=pages) == 20


def test_one_task_that_becomes_visible_costs_nothing() -> None:
    service = Pages([])
    pages = PageSize(50)

    def ask(ids: Sequence[str]) -> BatchResponse:
        if service.requests == 1:
            service.known.add(ids[0])
        return service(ids)

    assert requests_of_a_look(service, MANY, ask, pages=pages) <= 48
    service.known.update(MANY)
    assert requests_of_a_look(service, MANY, pages=pages) == 20


@pytest.mark.parametrize("limit", [1, 10, 12, 40, 49])
def test_a_page_limit_is_learned_and_costs_few_requests(limit: int) -> None:
    service = Pages(MANY, limit=limit)
    pages = PageSize(50)
    requests_of_a_look(service, MANY, pages=pages)
    assert pages.limit == limit
    at_best = -(-len(MANY) // limit)
    assert requests_of_a_look(service, MANY, pages=pages) <= 1.15 * at_best + 2


@pytest.mark.parametrize("limit", [1, 10, 12, 40])
def test_a_page_limit_is_forgotten_when_a_reply_disproves_it(limit: int) -> None:
    service = Pages(MANY, limit=limit)
    pages = PageSize(50)
    requests_of_a_look(service, MANY, pages=pages)
    service.limit = 1000
    assert requests_of_a_look(service, MANY, pages=pages) <= 40
    assert requests_of_a_look(service, MANY, pages=pages) == 20


def test_a_bug_in_a_worker_is_not_swallowed() -> None:
    def ask(_: Sequence[str]) -> BatchResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        flat(check(ask).results())


def test_one_failure_is_named() -> None:
    def ask(ids: Sequence[str]) -> BatchResponse:
        if ids[0] == IDS[100]:
            raise errors.ConnectionFault("cut", code="reply_cut")
        return answer(ids)

    engine = check(ask)
    tasks = flat(engine.results())
    assert [task.id for task in tasks if task.state.value == "unknown"] == IDS[100:150]
    assert engine.failure is not None
    assert engine.failure.message == "cut"
    assert engine.stopped_by is None
