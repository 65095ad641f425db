"""Pages of an account's history, from services that answer in every way there is."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli.api.responses import BatchResponse
from flux_cli.engine.listing import Bounds, Lister
from flux_cli.errors import BadRequest, ServerFault
from tests.support.records import make_ids


START = 1_790_000_000.0
DEFAULT_PAGE = 12


@dataclass
class Service:
    """An account with tasks, and the ways in which a service may tell of them."""

    times: list[float | None]
    order: str = "newest"
    bounds: str = "inclusive"
    honours_limit: bool = True
    honours_offset: bool = True
    repeats: bool = False
    counts: bool = True
    refuses_offset: bool = False
    queries: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = make_ids(len(self.times))
        self.tasks: list[dict[str, Any]] = [
            {"id": task_id} | ({} if at is None else {"created_at": at})
            for task_id, at in zip(ids, self.times, strict=True)
        ]

    def ask(self, query: Mapping[str, Any]) -> BatchResponse:
        self.queries.append(query)
        assert "ids" not in query
        if self.refuses_offset and "offset" in query:
            raise BadRequest("unknown field offset", code="bad_request")
        found = [task for task in self.tasks if self._is_within(task, query)]
        if self.order == "oldest":
            found.sort(key=lambda task: task.get("created_at", 0))
        else:
            found.sort(key=lambda task: -task.get("created_at", math.inf))
        first = query.get("offset", 0) if self.honours_offset else 0
        limit = query["limit"] if self.honours_limit else DEFAULT_PAGE
        page = found[first : first + limit]
        if self.order == "shuffled":
            random.Random(len(self.queries)).shuffle(page)
        if self.repeats:
            page += page[: len(page) // 2]
        return BatchResponse(tuple(page), len(page), len(found) if self.counts else 0)

    def _is_within(self, task: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
        at = task.get("created_at")
        if at is None or self.bounds == "ignored":
            return True
        low, high = (
            query.get("created_at_min", -math.inf),
            query.get("created_at_max", math.inf),
        )
        if self.bounds == "exclusive":
            return bool(low < at < high)
        if self.bounds == "whole seconds" and math.isfinite(high):
            high = math.floor(high)
        return bool(low <= at <= high)


def run(service: Service, bounds: Bounds = Bounds()) -> list[str]:  # noqa: B008 - frozen
    lister = Lister(service.ask, bounds, now=lambda: START)
    return [task.id for page in lister.pages() for task in page]


TIMES = st.one_of(
    st.lists(st.integers(0, 40).map(lambda n: START - n), max_size=300),
    st.lists(st.floats(0, 10_000, width=32).map(lambda n: START - n), max_size=300),
    st.integers(0, 2000).map(lambda count: [START - number / 7 for number in range(count)]),
    st.integers(0, 400).map(lambda count: [START] * count),
    st.lists(st.one_of(st.none(), st.integers(0, 40).map(lambda n: START - n)), max_size=25),
)


@settings(deadline=None, max_examples=300)
@given(
    times=TIMES,
    order=st.sampled_from(["newest", "oldest", "shuffled"]),
    bounds=st.sampled_from(["inclusive", "exclusive", "ignored", "whole seconds"]),
    honours_limit=st.booleans(),
    honours_offset=st.booleans(),
    repeats=st.booleans(),
    counts=st.booleans(),
    refuses_offset=st.booleans(),
)
def test_no_task_twice_none_left_out_that_is_told_of_and_always_an_end(
    times: list[float | None], **ways: Any
) -> None:
    service = Service(times, **ways)
    found = run(service)
    assert len(found) == len(set(found))
    assert len(service.queries) <= 10 + len(times)
    has_limit = service.honours_limit
    is_offset_honoured = service.honours_offset and not service.refuses_offset
    crowded = max((times.count(at) for at in set(times)), default=0)
    tells_all = is_offset_honoured or (
        service.bounds != "ignored"
        and (crowded <= 250 if has_limit else crowded <= DEFAULT_PAGE // 2)
        and service.bounds != "whole seconds"  # a second may hold more than a page
        and (service.order != "oldest" or service.bounds == "inclusive")
    )
    if tells_all:
        assert len(found) == len(times)


@settings(deadline=None, max_examples=200)
@given(times=TIMES, bounds=st.sampled_from(["inclusive", "exclusive"]), offset=st.booleans())
def test_a_service_that_behaves_is_asked_seldom(
    times: list[float | None], bounds: str, *, offset: bool
) -> None:
    service = Service(times, bounds=bounds, honours_offset=offset)
    assert len(run(service)) == len(times)
    assert len(service.queries) <= 2 + len(times) / 20


@settings(deadline=None, max_examples=200)
@given(
    times=TIMES,
    bounds=st.sampled_from(["inclusive", "exclusive", "ignored", "whole seconds"]),
    since=st.integers(0, 60).map(lambda n: START - n),
    order=st.sampled_from(["newest", "oldest", "shuffled"]),
)
def test_since_leaves_out_what_is_older_and_nothing_else(
    times: list[float | None], since: float, **ways: Any
) -> None:
    service = Service(times, **ways)
    found = run(service, Bounds(since=since))
    wanted = [task["id"] for task in service.tasks if task.get("created_at", since) >= since]
    if ways["bounds"] == "exclusive":  # what was created at that very moment may be missing
        wanted = [i for i in wanted if i in found or times[service_index(service, i)] != since]
    assert sorted(found) == sorted(wanted)


def service_index(service: Service, task_id: str) -> int:
    return next(n for n, task in enumerate(service.tasks) if task["id"] == task_id)


def test_a_service_that_ignores_bounds_is_not_asked_for_what_is_too_old() -> None:
    service = Service([START - number for number in range(1000)], bounds="ignored")
    assert len(run(service, Bounds(since=START - 20))) == 21
    assert len(service.queries) == 1


def test_the_newest_are_told_first_though_the_oldest_come_first() -> None:
    service = Service([START - number for number in range(100)], order="oldest")
    lister = Lister(service.ask, Bounds(), now=lambda: START)
    first = next(lister.pages())
    assert {task.created_at for task in first} == set(service.times)


def test_until_and_type_are_asked_for_and_held_to() -> None:
    service = Service([START - number for number in range(50)], bounds="ignored")
    for number, task in enumerate(service.tasks):
        task["type"] = "videos" if number % 2 else "images"
    found = run(service, Bounds(until=START - 10, type="videos"))
    assert len(found) == 20
    assert service.queries[0]["type"] == "videos"
    assert service.queries[0]["created_at_max"] == START - 10


def test_an_error_is_passed_on_and_what_was_told_before_it_stays() -> None:
    service = Service([START - number for number in range(100)])

    def ask(query: Mapping[str, Any]) -> BatchResponse:
        if len(service.queries) == 2:
            raise ServerFault("gone", code="http_503")
        return service.ask(query)

    found = []
    pages = Lister(ask, Bounds(), now=lambda: START).pages()
    found += [*next(pages), *next(pages)]
    with pytest.raises(ServerFault):
        next(pages)
    assert len(found) >= 60


def test_a_service_that_makes_tasks_up_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flux_cli.engine.listing.MOST_PAGES", 50)
    made = iter(make_ids(10_000))

    def ask(_: Mapping[str, Any]) -> BatchResponse:
        return BatchResponse(tuple({"id": next(made), "created_at": START} for _ in range(30)), 30)

    assert len([*Lister(ask, Bounds(), now=lambda: START).pages()]) <= 52
