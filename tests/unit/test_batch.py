"""One batch, whatever the service does with it: every id is settled, within bounds."""

import json
import random
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.responses import BatchResponse, ResponseHead, parse_batch
from flux_cli.api.throttle import Stopped
from flux_cli.engine.batch import MOST_REFUSALS, MOST_ROUNDS, Ask, AskAlone, BatchQuery, Refusals
from flux_cli.engine.service_traits import PageSize, ServiceTraits
from flux_cli.errors import ServiceError
from flux_cli.models.state import State
from flux_cli.models.task import Task
from tests.support.records import batch, finished, make_ids, running, unknown


class Service:
    """Answers for the ids that it knows, in its own way, and counts the queries."""

    def __init__(
        self,
        known: Sequence[str],
        *,
        change: Callable[[list[dict[str, object]]], list[object]] = list,
        refuses: Sequence[str] = (),
    ) -> None:
        self.known = {task_id.lower() for task_id in known}
        self.change = change
        self.refuses = set(refuses)
        self.queries: list[list[str]] = []
        self.alone: list[str] = []

    def retrieve(self, task_id: str) -> dict[str, object] | None:
        self.alone.append(task_id)
        return finished(task_id) if task_id in self.known else None

    def __call__(self, ids: Sequence[str]) -> BatchResponse:
        self.queries.append(list(ids))
        if self.refuses & set(ids):
            raise errors.BadRequest("refused", code="bad_request")
        items = [finished(task_id) for task_id in ids if task_id in self.known]
        return parse_batch(ResponseHead(200), batch(self.change(items)))


def query_of(
    ids: Sequence[str],
    ask: Ask,
    alone: AskAlone = unknown,
    *,
    stop: Callable[[ServiceError], None] = lambda _: None,
    traits: ServiceTraits | None = None,
) -> BatchQuery:
    traits = traits or ServiceTraits(PageSize(50))
    return BatchQuery(ids, ask, alone, time.time, traits, Refusals(), stop)


def run(
    ids: Sequence[str],
    service: Ask,
    alone: AskAlone | None = None,
    *,
    traits: ServiceTraits | None = None,
) -> list[Task]:
    stopped: list[ServiceError] = []

    def ask(part: Sequence[str]) -> BatchResponse:
        if stopped:
            raise Stopped
        return service(part)

    if alone is None:
        alone = service.retrieve if isinstance(service, Service) else unknown
    query = query_of(ids, ask, alone, stop=stopped.append, traits=traits)
    for step in query.run():
        step()
    tasks = list(query.results(stopped[0] if stopped else None))
    assert [task.id for task in tasks] == list(ids)
    return tasks


def states(tasks: Sequence[Task]) -> list[str]:
    return [task.state.value for task in tasks]


IDS = make_ids(50)


def test_one_query_when_all_is_well() -> None:
    service = Service(IDS)
    assert states(run(IDS, service)) == ["succeeded"] * 50
    assert service.queries == [IDS]


def test_ids_are_matched_without_regard_to_case_and_shown_as_written() -> None:
    upper = [task_id.upper() for task_id in make_ids(3, start=0xABCDEF)]
    service = Service(
        upper, change=lambda items: [{**i, "id": str(i["id"]).title()} for i in items]
    )
    assert states(run(upper, service)) == ["succeeded"] * 3


def test_an_unknown_id_is_not_found_after_a_second_look() -> None:
    service = Service(IDS[:-1])
    assert states(run(IDS, service)) == ["succeeded"] * 49 + ["not_found"]
    assert service.queries == [IDS, IDS[-1:]]


def test_a_batch_of_unknown_ids_costs_two_queries() -> None:
    service = Service(IDS[:1])
    assert states(run(IDS, service)) == ["succeeded"] + ["not_found"] * 49
    assert len(service.queries) == 2


@pytest.mark.parametrize(("limit", "queries"), [(1, 50), (10, 5), (12, 5), (49, 2)])
def test_a_page_limit_hides_nothing(limit: int, queries: int) -> None:
    service = Service(IDS, change=lambda items: list(items[:limit]))
    assert states(run(IDS, service)) == ["succeeded"] * 50
    assert len(service.queries) == queries


@pytest.mark.parametrize("limit", [1, 10, 12])
def test_a_page_limit_and_unknown_ids_are_told_apart(limit: int) -> None:
    service = Service(IDS[::2], change=lambda items: list(items[:limit]))
    assert states(run(IDS, service)) == ["succeeded", "not_found"] * 25


def test_a_service_that_looks_at_the_first_ids_only_is_seen_through() -> None:
    service = Service(IDS[12:])

    def first_twelve(ids: Sequence[str]) -> BatchResponse:
        return service(ids[:12])

    assert states(run(IDS, first_twelve)) == ["not_found"] * 12 + ["succeeded"] * 38


def test_a_reply_that_lost_items_once_is_repaired() -> None:
    losses = iter([25, 5])

    def lose(items: list[dict[str, object]]) -> list[object]:
        return list(items[next(losses, 0) :])

    assert states(run(IDS, Service(IDS, change=lose))) == ["succeeded"] * 50


@pytest.mark.parametrize("bad", [[0], [49], [7, 8], [0, 13, 26, 39]])
def test_a_refused_id_does_not_hide_the_others(bad: list[int]) -> None:
    refused = [IDS[number] for number in bad]
    service = Service(IDS, refuses=refused)
    tasks = run(IDS, service)
    assert [task.id for task in tasks if task.state is State.UNKNOWN] == refused
    assert {task.error.code for task in tasks if task.error is not None} == {"bad_request"}
    assert states(tasks).count("succeeded") == 50 - len(bad)
    assert len(service.queries) <= 1 + 2 * 6 * len(bad)


def test_a_service_that_refuses_everything_is_not_asked_for_ever() -> None:
    ids = make_ids(500)
    service = Service([], refuses=ids)
    assert states(run(ids, service)) == ["unknown"] * 500
    assert len(service.queries) <= 2 * MOST_REFUSALS + 10


def test_a_failed_query_leaves_only_its_own_ids_unanswered() -> None:
    service = Service(IDS, change=lambda items: list(items[:20]))

    def flaky(ids: Sequence[str]) -> BatchResponse:
        if len(service.queries) == 2:
            service.queries.append([])
            raise errors.ServerFault("the service answered HTTP 502", code="http_502")
        return service(ids)

    tasks = run(IDS, flaky)
    assert states(tasks) == ["succeeded"] * 20 + ["unknown"] * 10 + ["succeeded"] * 20
    error = tasks[20].error
    assert error is not None
    assert error.message == "the service answered HTTP 502"


def test_an_id_that_another_reply_answers_for_has_not_failed() -> None:
    def ask(ids: Sequence[str]) -> BatchResponse:
        if len(ids) == 50:
            raise errors.BadRequest("in halves, please", code="bad_request")
        if ids[0] == IDS[0]:
            raise errors.ServerFault("the service answered HTTP 502", code="http_502")
        return parse_batch(ResponseHead(200), batch(map(finished, IDS)))  # more than was asked for

    query = query_of(IDS, ask)
    query.run()
    assert states(list(query.results(None))) == ["succeeded"] * 50
    assert query.failure is None


def test_an_error_that_ends_the_run_keeps_what_was_answered() -> None:
    error = errors.TokenRejected("rejected", code="invalid_token")
    service = Service(IDS, change=lambda items: list(items[:20]))
    query: BatchQuery

    def ask(ids: Sequence[str]) -> BatchResponse:
        if service.queries:
            raise error
        return service(ids)

    query = query_of(IDS, ask)
    query.run()
    tasks = list(query.results(error))
    assert states(tasks) == ["succeeded"] * 20 + ["unknown"] * 30
    assert {task.error and task.error.code for task in tasks} == {None, "invalid_token"}
    assert [task.id for task in query.known()] == IDS[:20]


def test_items_that_nobody_asked_for_are_dropped() -> None:
    odd: list[object] = [finished("other"), {"no": "id"}, 5, None, {"id": 7}, {"id": ["a"]}]
    service = Service(IDS, change=lambda items: odd + list(items) + odd)
    assert states(run(IDS, service)) == ["succeeded"] * 50
    assert len(service.queries) == 1


def test_of_two_answers_for_one_id_the_terminal_one_counts() -> None:
    def twice(items: list[dict[str, object]]) -> list[object]:
        return [*(running(str(item["id"])) for item in items), *items]

    assert states(run(IDS, Service(IDS, change=twice))) == ["succeeded"] * 50
    both = Service(IDS, change=lambda items: twice(items)[::-1])
    assert states(run(IDS, both)) == ["succeeded"] * 50


OTHERS = make_ids(60, start=1 << 40)


def newest(*own: str, limit: int = 50) -> Callable[[list[dict[str, object]]], list[object]]:
    """Return how a service answers that gives the newest tasks, whatever is asked."""
    return lambda _: list(map(finished, [*own, *OTHERS][:limit]))


@pytest.mark.parametrize("limit", [12, 50])
@pytest.mark.parametrize("own", [0, 1, 11, 12, 40])
def test_a_service_that_ignores_ids_is_asked_for_each_that_it_leaves_out(
    own: int, limit: int
) -> None:
    service = Service(IDS, change=newest(*IDS[:own], limit=limit))
    assert states(run(IDS, service)) == ["succeeded"] * 50
    assert sorted(service.alone) == sorted(IDS[min(own, limit) :])
    assert len(service.queries) + len(service.alone) <= 51


def test_of_a_service_that_ignores_ids_only_what_is_absent_indeed_is_not_found() -> None:
    service = Service(IDS[::2], change=newest())
    assert states(run(IDS, service)) == ["succeeded", "not_found"] * 25
    assert len(service.queries) + len(service.alone) == 51


def test_others_beside_what_was_asked_for_are_a_sign_that_lasts() -> None:
    traits = ServiceTraits(PageSize(50))
    service = Service(IDS, change=lambda items: [*items, finished("other")])
    run(IDS, service, traits=traits)
    assert service.alone == []  # nothing is missing
    hidden = Service(IDS[:10], change=lambda items: list(items[:9]))
    assert states(run(IDS[:10], hidden, traits=traits)) == ["succeeded"] * 10
    again = Service(IDS, change=lambda _: [])
    assert states(run(IDS, again, traits=traits)) == ["succeeded"] * 50


def test_replies_are_believed_again_when_each_absence_was_confirmed() -> None:
    traits = ServiceTraits(PageSize(50))
    run(IDS, Service(IDS, change=lambda items: [*items, finished("other")]), traits=traits)
    service = Service([])
    for _ in range(3):
        assert states(run(IDS, service, traits=traits)) == ["not_found"] * 50
    assert len(service.alone) == 50


def test_what_half_a_batch_was_not_told_is_doubted_when_the_other_half_is_ignored() -> None:
    service = Service(IDS)

    def ask(ids: Sequence[str]) -> BatchResponse:
        if len(ids) == 50:
            raise errors.BadRequest("in halves, please", code="bad_request")
        reply = service(ids)
        if ids[0] == IDS[0]:
            return BatchResponse(reply.items[:12], 12, 12)
        return BatchResponse((finished("other"),), 1, 1)

    assert states(run(IDS, ask, service.retrieve)) == ["succeeded"] * 50


@pytest.mark.parametrize("shown", [0, 1, 30])
def test_a_count_beyond_the_items_proves_nothing(shown: int) -> None:
    service = Service(IDS[:40])

    def ask(ids: Sequence[str]) -> BatchResponse:
        reply = service(ids)
        items = [item for item in reply.items if item["id"] in IDS[:shown]]
        return BatchResponse(tuple(items), len(items), reply.size)

    tasks = run(IDS, ask, service.retrieve)
    assert states(tasks) == ["succeeded"] * 40 + ["not_found"] * 10
    assert len(service.queries) == 2  # it is asked again, before each


def test_a_count_of_the_items_is_believed() -> None:
    service = Service(IDS[:40])
    assert states(run(IDS, service)) == ["succeeded"] * 40 + ["not_found"] * 10
    assert service.alone == []


def test_a_reply_that_was_caught_leaving_out_an_old_task_is_not_believed_about_others() -> None:
    losses = iter([50, 30, 50])
    service = Service(IDS, change=lambda items: list(items[: len(items) - next(losses, 50)]))
    assert states(run(IDS, service)) == ["succeeded"] * 50
    young = Service([], change=list)

    def ask(ids: Sequence[str]) -> BatchResponse:
        reply = young(ids)
        young.known.add(IDS[0])
        items = tuple({**item, "created_at": time.time()} for item in reply.items)
        return BatchResponse(items, reply.size, reply.total)

    assert states(run(IDS, ask, young.retrieve)) == ["succeeded"] + ["not_found"] * 49
    assert young.alone == []  # that one was submitted a moment ago


def test_a_service_that_never_stops_finding_some_is_asked_for_the_rest() -> None:
    ids = make_ids(60)
    service = Service(ids, change=lambda items: list(items[:1]))

    def ask(part: Sequence[str]) -> BatchResponse:
        return service(part) if part[0] != ids[0] or len(part) == 60 else BatchResponse((), 0)

    assert states(run(ids, ask, service.retrieve)) == ["succeeded"] * 60


def test_the_error_of_one_question_leaves_the_others_answered() -> None:
    service = Service(IDS, change=newest())

    def alone(task_id: str) -> dict[str, object] | None:
        if task_id == IDS[7]:
            raise errors.ServerFault("the service answered HTTP 502", code="http_502")
        if task_id == IDS[8]:
            raise errors.BadRequest("the service answered forbidden", code="forbidden")
        return service.retrieve(task_id)

    tasks = run(IDS, service, alone)
    unknown_ones = {task.id: task.error.code for task in tasks if task.error is not None}
    assert unknown_ones == {IDS[7]: "http_502", IDS[8]: "forbidden"}
    assert states(tasks).count("succeeded") == 48


@pytest.mark.parametrize("missing", [1, 2, 10, 50])
def test_a_batch_that_is_not_found_because_of_some_ids_is_asked_for_in_halves(
    missing: int,
) -> None:
    gone = set(random.Random(missing).sample(IDS, missing))
    service = Service([task_id for task_id in IDS if task_id not in gone])

    def ask(ids: Sequence[str]) -> BatchResponse:
        if gone & set(ids):
            service.queries.append([])
            raise errors.NotFound("no such task", code="not_found")
        return service(ids)

    tasks = run(IDS, ask, service.retrieve)
    assert {task.id for task in tasks if task.state is State.NOT_FOUND} == gone
    assert states(tasks).count("succeeded") == 50 - missing
    most = {1: 14, 2: 25}.get(missing, 2 * 15 + 50)
    assert len(service.queries) + len(service.alone) <= most


def test_a_batch_that_is_not_found_may_hold_what_is_there_all_the_same() -> None:
    service = Service(IDS)

    def ask(_: Sequence[str]) -> BatchResponse:
        raise errors.NotFound("no such task", code="not_found")

    assert states(run(IDS, ask, service.retrieve)) == ["succeeded"] * 50


def test_a_fault_that_denies_a_task_again_is_an_answer() -> None:
    service = Service(IDS, change=newest())

    def alone(task_id: str) -> dict[str, object] | None:
        if task_id == IDS[7]:
            raise errors.TaskDenied("TaskNotFound", code="api_error")
        return service.retrieve(task_id)

    assert states(run(IDS, service, alone)).count("not_found") == 1


@pytest.mark.parametrize("body", ['"has_more": true', '"error": {"code": "timeout"}', '"total": 9'])
def test_what_a_reply_leaves_out_that_is_not_all_is_asked_for_alone(body: str) -> None:
    service = Service(IDS)

    def ask(ids: Sequence[str]) -> BatchResponse:
        item = json.dumps(finished(ids[0]))
        return parse_batch(ResponseHead(200), f'{{"items": [{item}], {body}}}'.encode())

    assert states(run(IDS[:4], ask, service.retrieve)) == ["succeeded"] * 4


@pytest.mark.parametrize("most", [49, 10, 1])
def test_a_reply_that_is_too_large_is_asked_for_in_halves(most: int) -> None:
    service = Service(IDS)

    def ask(ids: Sequence[str]) -> BatchResponse:
        if len(ids) > most:
            service.queries.append([])
            raise errors.ResponseTooLarge("too large", code="reply_too_large")
        return service(ids)

    assert states(run(IDS, ask)) == ["succeeded"] * 50
    assert len(service.queries) <= 2 * 50


def test_only_a_single_task_that_is_too_large_is_unanswered() -> None:
    service = Service(IDS)

    def ask(ids: Sequence[str]) -> BatchResponse:
        if IDS[17] in ids:
            raise errors.ResponseTooLarge("too large", code="reply_too_large")
        return service(ids)

    def alone(task_id: str) -> None:
        assert task_id == IDS[17]
        raise errors.ResponseTooLarge("too large alone", code="reply_too_large")

    tasks = run(IDS, ask, alone)
    assert states(tasks) == ["succeeded"] * 17 + ["unknown"] + ["succeeded"] * 32
    assert tasks[17].error is not None
    assert tasks[17].error.message == "too large alone"


def test_replies_that_are_too_large_whatever_is_asked_are_not_asked_for_again() -> None:
    service = Service(IDS[:40])
    queries = 0

    def ask(_: Sequence[str]) -> BatchResponse:
        nonlocal queries
        queries += 1
        raise errors.ResponseTooLarge("too large", code="reply_too_large")

    assert states(run(IDS, ask, service.retrieve)) == ["succeeded"] * 40 + ["not_found"] * 10
    assert queries <= 7
    assert len(service.alone) == 50


@given(st.integers(0, 2**32), st.floats(0, 1), st.integers(1, 60))
def test_every_id_is_settled_within_bounds_whatever_the_reply(
    seed: int, loss: float, count: int
) -> None:
    chance = random.Random(seed)

    def mutate(items: list[dict[str, object]]) -> list[object]:
        kept: list[object] = [item for item in items if chance.random() > loss]
        kept += chance.sample(kept, len(kept) // 2)
        kept += [json.loads(json.dumps(finished("foreign")))] * chance.randrange(3)
        chance.shuffle(kept)
        return kept[: chance.randrange(1, 60)]

    ids = make_ids(count)
    known = [task_id for task_id in ids if chance.random() < 0.8]
    service = Service(known, change=mutate, refuses=chance.sample(ids, min(2, count)))
    tasks = run(ids, service)
    for task in tasks:
        assert task.state is not State.SUCCEEDED or task.id in known
    assert len(service.queries) <= (MOST_ROUNDS + 1) * 2 * count
