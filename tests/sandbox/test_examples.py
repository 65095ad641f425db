"""The answers of the sandbox beside the examples of the contract."""

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.server import Sandbox
from tests.sandbox.client import (
    CLOCK,
    SUBMISSION,
    VIDEO,
    batch,
    finish,
    send,
    submit,
)


CONTRACT = Path(__file__).parents[1] / "contract"


def shape(value: Any) -> Any:
    """Return the keys of a document, without what is in it."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return float if type(value) in (int, float) else type(value)


def example(name: str) -> Any:
    return json.loads((CONTRACT / name).read_bytes())


def test_an_acceptance_and_a_record_look_like_the_documented_ones(
    served: Callable[..., Sandbox],
) -> None:
    server = served()
    accepted = send(server, "/flux/images", SUBMISSION)[1]
    assert shape(accepted) == shape(example("accepted-async.json"))
    finish()
    mine = shape(batch(server, accepted["task_id"])["items"][0])
    documented = shape(example("batch-two-images.json")["items"][0])
    assert mine.pop("type") is str  # newer than the examples, as is the cost
    assert mine["response"].pop("cost") == {"amount": float, "currency": str, "list_amount": float}
    assert mine.pop("request") == shape(SUBMISSION)
    documented.pop("request")
    assert mine == documented
    assert list(mine)[:8] == list(documented)[:8]


def test_a_record_of_2025_looks_like_the_documented_one(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.RECORDS_2025)
    task_id = submit(server)
    finish()
    mine, documented = (
        shape(items[-1])
        for items in (batch(server, task_id)["items"], example("batch-two-images.json")["items"])
    )
    assert (mine.pop("request"), bool(documented.pop("request"))) == (shape(SUBMISSION), True)
    assert mine == documented


def test_a_video_looks_like_the_documented_one(served: Callable[..., Sandbox]) -> None:
    server = served()
    body = {**VIDEO, "draft": True, "async": False}
    CLOCK[0] = time.time() + 60  # somebody waits by the real clock; the task has ended for it
    status, document = send(server, "/flux/videos", body)
    assert (status, shape(document)) == (200, shape(example("video-response.json")))
    [output] = document["data"]
    assert (output["seconds"], output["fps"]) == (5.041667, 24)


def test_errors_look_like_the_documented_ones(served: Callable[..., Sandbox]) -> None:
    server = served()
    status, document = send(server, "/flux/tasks", {}, token="x")  # noqa: S106
    documented = example("error-401.json")
    assert (status, document["error"]) == (401, documented["error"])
    assert document.keys() >= documented.keys()
    status, document = send(server, "/flux/tasks", {}, token="")
    assert (status, document["error"]["code"]) == (400, "no_token")
    status, document = send(server, "/flux/nothing", {})
    assert (status, document["error"]["code"]) == (404, "no_api")
    server.faults = Faults(error_rate=1.0)
    kinds: set[str] = set()
    while len(kinds) < 7:
        try:
            status, document = send(server, "/flux/tasks", {})
            assert shape(document) == shape(example("error-500.json"))
            kinds.add(f"{status} {document['error']['code']}")
        except json.JSONDecodeError as error:
            kinds.add(error.doc[12:22])
        except http.client.RemoteDisconnected:
            kinds.add("cut")
        except ConnectionResetError:
            kinds.add("reset")
    errors = {"500 api_error", "429 too_many_requests", "503 service_unavailable"}
    assert kinds == {*errors, "cut", "reset", "<title>502", "<title>503"}
