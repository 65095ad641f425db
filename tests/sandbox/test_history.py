"""Batch queries and the history of the account: well and badly."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

from flux_cli.sandbox.faults import HISTORY_DELAY, Faults, Misbehaviour
from flux_cli.sandbox.samples import add_history
from flux_cli.sandbox.server import Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.sandbox.client import (
    CLOCK,
    STARTED,
    SUBMISSION,
    VIDEO,
    batch,
    history,
    ids_of,
    now,
    retrieve,
    send,
    submit,
)


def test_a_batch_is_paged_also_where_ids_are_given(served: Callable[..., Sandbox]) -> None:
    server = served()
    ids = history(server, 30)
    assert len(batch(server, *ids)["items"]) == 12
    assert batch(server, *ids)["count"] == 30
    assert sorted(ids_of(batch(server, *ids, limit=30))) == sorted(ids)
    server.faults = Faults(page_limit=7)
    assert len(batch(server, *ids, limit=30)["items"]) == 7
    assert ids_of(batch(server, *ids, limit=30, offset=28)) == ids[28:]


def test_ids_are_ignored_but_one_is_answered_truly(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.IGNORE_IDS)
    ids = history(server, 30)
    assert ids_of(batch(server, *ids[20:])) == ids[:12]
    assert ids_of(batch(server, *ids[20:], limit=10)) == ids[:10]
    assert retrieve(server, ids[25])["id"] == ids[25]
    assert retrieve(server, "unknown") == {}


def test_the_history_is_paged_by_its_fields(served: Callable[..., Sandbox]) -> None:
    server = served()
    ids = history(server, 30)
    first, last = STARTED - 10_000, STARTED - 10_000 + 290
    assert ids_of(batch(server)) == ids[:12]
    assert batch(server)["count"] == 30
    assert ids_of(batch(server, limit=5, offset=10)) == ids[10:15]
    assert ids_of(batch(server, created_at_max=first + 20)) == ids[27:]
    assert ids_of(batch(server, created_at_min=last - 10)) == ids[:2]
    bounds = {"created_at_min": first + 10, "created_at_max": first + 30}
    assert ids_of(batch(server, **bounds)) == ids[26:29]
    assert batch(server, **bounds)["count"] == 3
    video = server.store.submit(VIDEO, type="videos", created_at=first).id
    assert ids_of(batch(server, type="videos")) == [video]
    assert ids_of(batch(server, type="images", limit=99)) == ids


def test_a_bound_is_what_a_record_says(served: Callable[..., Sandbox]) -> None:
    """The oldest created_at of a page, as the next bound, finds tasks of that very moment."""
    server = served()
    task = server.store.submit(SUBMISSION, created_at=STARTED - 7 / 3)
    said = retrieve(server, task.id)["created_at"]
    assert ids_of(batch(server, created_at_max=said, created_at_min=said)) == [task.id]


def test_equal_times_are_told_apart_by_the_order_of_coming(served: Callable[..., Sandbox]) -> None:
    server = served()
    ids = history(server, 30, step=0.0)
    assert ids_of(batch(server, limit=30)) == ids


def test_bounds_are_ignored(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.IGNORE_BOUNDS)
    ids = history(server, 5)
    assert ids_of(batch(server, created_at_max=1, created_at_min=STARTED)) == ids


def test_bounds_are_exclusive(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.EXCLUSIVE_BOUNDS)
    ids = history(server, 5)
    first = STARTED - 10_000
    assert ids_of(batch(server, created_at_min=first, created_at_max=first + 40)) == ids[1:4]


def test_limit_and_offset_are_ignored(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.IGNORE_PAGING)
    ids = history(server, 30)
    assert ids_of(batch(server, limit=20, offset=9)) == ids[:12]


def test_the_type_is_ignored(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.IGNORE_TYPE)
    ids = history(server, 3)
    assert ids_of(batch(server, type="videos")) == ids


def test_the_order_is_another(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.OLDEST_FIRST)
    ids = history(server, 30)
    assert ids_of(batch(server)) == ids[:17:-1]
    server.faults = Faults(misbehaviours={Misbehaviour.MIXED_PAGES})
    page = ids_of(batch(server))
    assert page != ids[:12]
    assert set(page) == set(ids[:12])
    server.faults = Faults(misbehaviours={Misbehaviour.ANY_ORDER})
    pages = [ids_of(batch(server, offset=offset)) for offset in (0, 12, 24)]
    assert set(pages[0]) != set(ids[:12])
    assert sorted(task_id for page in pages for task_id in page) == sorted(ids)


def test_a_page_repeats(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.REPEAT)
    ids = history(server, 30)
    assert ids_of(batch(server, offset=12)) == [ids[0], *ids[12:24], *ids[12:24]]
    assert ids_of(batch(server, ids[7])) == [ids[0], ids[7], ids[7]]


def test_there_is_no_history(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.NO_HISTORY)
    ids = history(server, 3)
    assert batch(server) == {"items": [], "count": 0}
    assert ids_of(batch(server, *ids)) == ids


def test_the_history_is_late(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.LATE_HISTORY)
    task_id = submit(server)
    assert ids_of(batch(server)) == []
    assert ids_of(batch(server, task_id)) == [task_id]
    CLOCK[0] += HISTORY_DELAY
    assert ids_of(batch(server)) == [task_id]


def test_there_is_a_count_without_items(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.NO_ITEMS)
    ids = history(server, 3)
    assert batch(server, *ids) == {"items": [], "count": 3}
    assert retrieve(server, ids[0])["id"] == ids[0]


def test_a_wrong_token_finds_nothing(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.OPEN_QUERIES)
    body = {"action": "retrieve_batch", "ids": history(server, 1)}
    wrong = {"token": "wrong"}
    assert send(server, "/flux/tasks", body, **wrong) == (200, {"items": [], "count": 0})
    assert send(server, "/flux/images", SUBMISSION, **wrong)[0] == 401


def test_an_account_may_begin_with_a_history() -> None:
    store = TaskStore(failure_rate=0.0, now=now)
    add_history(store, 50)
    times = [task.created_at for task in store.newest()]
    assert times == sorted(times, reverse=True)
    assert 6 * 86_400 < times[0] - times[-1] <= 7 * 86_400
    assert {task.type for task in store.newest()} == {"images", "videos"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("ids", "abc"), ("ids", {"a": 1}), ("ids", 0), ("type", 7)),
        *(("offset", "x"), ("offset", 1.5), ("limit", "12"), ("limit", True)),
        *(("created_at_min", "2025-01-08"), ("created_at_max", [])),
    ],
)
def test_a_field_that_is_not_of_its_kind_is_refused(
    served: Callable[..., Sandbox], field: str, value: Any
) -> None:
    server = served()
    history(server, 2)
    body = {"action": "retrieve_batch", field: value}
    status, document = send(server, "/flux/tasks", body)
    assert (status, document["error"]["code"]) == (400, "bad_request")
    assert document["error"]["message"].startswith(f"{field} must be ")
    assert batch(server, **{field: None})["count"] == 2  # null is as good as nothing


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_another_method_is_refused_in_json(served: Callable[..., Sandbox], method: str) -> None:
    server = served()
    connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
    connection.request(method, "/flux/tasks", b"{}")
    reply = connection.getresponse()
    document = json.loads(reply.read())
    connection.close()
    assert (reply.status, document["error"]["code"]) == (501, "api_not_implemented")
    assert reply.headers["connection"] == "close"  # the body was not read
