"""Records: in time, and in other shapes."""

from collections.abc import Callable

from flux_cli.sandbox.faults import Misbehaviour
from flux_cli.sandbox.server import Sandbox
from tests.sandbox.client import CLOCK, batch, finish, retrieve, send, submit


def test_a_task_goes_through_its_states(served: Callable[..., Sandbox]) -> None:
    server = served()
    task_id = submit(server)
    task = server.store.newest()[0]
    assert not {"started_at", "finished_at", "response"} & retrieve(server, task_id).keys()
    CLOCK[0] = task.started_at
    record = retrieve(server, task_id)
    assert (record["response"], "started_at" in record, "elapsed" in record) == (None, True, False)
    CLOCK[0] = task.finished_at
    assert retrieve(server, task_id)["response"]["success"] is True


def test_a_placeholder_stands_where_the_response_will_be(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.PLACEHOLDER)
    ids = [submit(server) for _ in range(20)]
    records = batch(server, *ids, limit=20)["items"]
    placeholders = {tuple(record["response"]) for record in records}
    assert len(placeholders) == 3
    assert not any("data" in record["response"] for record in records)
    finish()
    assert retrieve(server, ids[0])["response"]["success"] is True


def test_records_are_odd(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.ODD_RECORDS)
    ids = [submit(server, prompt=f"{n} {'fail' * (n % 2)}") for n in range(60)]
    running = batch(server, *ids, limit=60)["items"]
    assert any(record.get("finished_at", 0) is None for record in running)
    finish()
    records = batch(server, *ids, limit=60)["items"]
    assert any(isinstance(record.get("response"), str) for record in records)
    assert any("result" in record for record in records)
    assert any("error" in record for record in records)
    assert any(isinstance(record["created_at"], str) for record in records)
    outputs = [
        output
        for record in records
        if isinstance(record.get("response"), dict)
        for output in record["response"].get("data", ())
    ]
    assert {type(output["seed"]) for output in outputs} == {int, str}


def test_records_have_no_creation(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.UNDATED)
    assert "created_at" not in retrieve(server, submit(server))


def test_requests_are_trimmed(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.TRIMMED_REQUESTS)
    task_id = submit(server, model="flux-dev", count=1, callback_url="https://x.example/")
    expected = {"action": "generate", "prompt": "a red fox", "size": "1:1"}
    assert retrieve(server, task_id)["request"] == expected


def test_errors_are_odd(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.ODD_ERRORS)
    answers = [send(server, "/flux/images", {})[1] for _ in range(40)]
    assert {type(answer["error"]) for answer in answers} == {dict, str, type(None)}
    query = {"action": "retrieve", "id": "unknown"}
    unknown = [send(server, "/flux/tasks", query) for _ in range(60)]
    assert {(status, bool(document)) for status, document in unknown} == {
        (200, False),
        (404, True),
        (400, True),
    }
    assert None in [document for _, document in unknown]
