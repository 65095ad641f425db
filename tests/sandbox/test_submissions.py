"""What the sandbox accepts and refuses, and how a reply is lost."""

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from flux_cli.sandbox.faults import Misbehaviour
from flux_cli.sandbox.server import TOKEN, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.sandbox.client import (
    SUBMISSION,
    VIDEO,
    batch,
    fetch,
    finish,
    retrieve,
    send,
    submit,
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": None}, "action is required"),
        ({"action": "make"}, "action is invalid."),
        ({"prompt": ""}, "prompt is required"),
        ({"prompt": 7}, "prompt is invalid."),
        ({"size": None}, "size is required"),
        ({"size": "5:7"}, "size is invalid."),
        ({"size": ["1:1"]}, "size is invalid."),
        ({"size": "1000x1000"}, "size is invalid."),
        ({"size": "1024x1024", "model": "flux-2-pro"}, "size is invalid."),
        ({"model": "flux-9"}, "model is invalid."),
        ({"count": 0}, "count is invalid."),
        ({"count": 1.5}, "count is invalid."),
        ({"count": True}, "count is invalid."),
        ({"async": "yes"}, "async is invalid."),
        ({"callback_url": "here"}, "callback_url is invalid."),
        ({"action": "edit"}, "image_url is required"),
        ({"action": "edit", "image_url": ["https://x.example/1.png"]}, "image_url is invalid."),
    ],
)
def test_what_is_no_image_is_refused(
    served: Callable[..., Sandbox], changes: dict[str, Any], message: str
) -> None:
    server = served()
    status, document = send(server, "/flux/images", {**SUBMISSION, **changes})
    assert (status, document["error"]) == (400, {"code": "bad_request", "message": message})
    assert (server.accepted, server.store.newest()) == (0, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"size": "1024x1792"},
        {"size": "1792x1024", "model": "flux-pro"},
        {"size": "9:21", "model": "flux-kontext-max"},
        {"count": 4},
        {"count": 2.0},  # as the vendor's command line sends it
        {"action": "edit", "image_url": "https://x.example/1.png"},
        {"async": None, "callback_url": "https://x.example/"},
        {"seed": 7},  # unknown fields do no harm here
    ],
)
def test_what_is_an_image_is_accepted(
    served: Callable[..., Sandbox], changes: dict[str, Any]
) -> None:
    server = served()
    task_id = submit(server, **changes)
    finish()
    item = retrieve(server, task_id)
    assert len(item["response"]["data"]) == changes.get("count", 1)
    assert item["request"] == {**SUBMISSION, **changes}
    assert server.accepted == 1


FRAMES = ["https://x.example/1.png", "https://x.example/2.png"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": None}, "prompt is required"),
        ({"prompt": "x" * 4097}, "prompt is invalid."),
        ({"seed": 7}, "seed is not allowed"),
        ({"size": "1:1"}, "size is not allowed"),
        ({"model": "flux-dev"}, "model is invalid."),
        ({"mode": "x2v"}, "mode is invalid."),
        ({"mode": ["t2v"]}, "mode is invalid."),
        ({"keyframes": FRAMES}, "keyframes is not allowed"),
        ({"mode": "i2v"}, "keyframes is required"),
        ({"mode": "i2v", "keyframes": FRAMES * 6}, "keyframes is invalid."),
        ({"mode": "i2v", "keyframes": [[2, FRAMES[0]], [1, FRAMES[1]]]}, "keyframes is invalid."),
        ({"mode": "i2v", "keyframes": [FRAMES[0], [1, FRAMES[1]]]}, "keyframes is invalid."),
        ({"mode": "v2v"}, "start_video is required"),
        ({"mode": "v2v", "start_video": FRAMES[0], "duration": 16}, "duration is invalid."),
        ({"mode": "draft_enhance", "prompt": None}, "draft_task_id is required"),
        ({"mode": "draft_enhance", "draft_task_id": "x"}, "prompt is not allowed"),
        ({"duration": 4}, "duration is invalid."),
        ({"duration": 21}, "duration is invalid."),
        ({"duration": "5"}, "duration is invalid."),
        ({"resolution": "4k"}, "resolution is invalid."),
        ({"aspect_ratio": "3:2"}, "aspect_ratio is invalid."),
        ({"generate_audio": "no"}, "generate_audio is invalid."),
        ({"draft": True, "resolution": "fhd"}, "draft is for hd only"),
        ({"safety_tolerance": 5}, "safety_tolerance is invalid."),
    ],
)
def test_what_is_no_video_is_refused(
    served: Callable[..., Sandbox], changes: dict[str, Any], message: str
) -> None:
    server = served()
    body = {key: value for key, value in {**VIDEO, **changes}.items() if value is not None}
    status, document = send(server, "/flux/videos", body)
    assert (status, document["error"]) == (400, {"code": "bad_request", "message": message})
    assert server.accepted == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"duration": "auto", "aspect_ratio": "2:1", "generate_audio": False, "model": "flux-3"},
        {"duration": 20, "resolution": "uhd", "safety_tolerance": 0, "version": "latest"},
        {"mode": "i2v", "keyframes": FRAMES},
        {"mode": "i2v", "keyframes": FRAMES[0]},
        {"mode": "i2v", "keyframes": [[0, FRAMES[0]], [2.5, FRAMES[1]]]},
        {"mode": "v2v", "start_video": "https://x.example/1.mp4", "duration": 15},
        {"mode": "draft_enhance", "draft_task_id": "x", "prompt": None, "resolution": "fhd"},
    ],
)
def test_what_is_a_video_is_accepted(
    served: Callable[..., Sandbox], changes: dict[str, Any]
) -> None:
    server = served()
    task_id = submit(server, "/flux/videos", **changes)
    finish()
    item = retrieve(server, task_id)
    assert item["type"] == "videos"
    assert item["response"]["data"][0]["video_url"].endswith(".mp4")


@pytest.mark.parametrize("path", ["/flux/images", "/flux/videos"])
def test_moderation_refuses_a_prompt(served: Callable[..., Sandbox], path: str) -> None:
    server = served()
    body = {**(SUBMISSION if path == "/flux/images" else VIDEO), "prompt": "a forbidden fox"}
    status, document = send(server, path, body)
    assert (status, document["error"]["code"]) == (403, "forbidden")
    assert server.accepted == 0


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("fail", {"api_error", "forbidden"}),
        ("moderated", {"forbidden"}),
        ("overloaded", {"service_unavailable"}),
    ],
)
def test_a_word_of_the_prompt_makes_a_task_fail(
    served: Callable[..., Sandbox], word: str, codes: set[str]
) -> None:
    server = served()
    ids = [submit(server, prompt=f"bound to be {word}") for _ in range(12)]
    finish()
    responses = [item["response"] for item in batch(server, *ids)["items"]]
    assert {response["error"]["code"] for response in responses} == codes
    assert not any(response["success"] or "cost" in response for response in responses)


def test_a_submission_that_is_not_asynchronous_is_answered_at_its_end() -> None:
    with Sandbox(TaskStore(speed=20.0, failure_rate=0.0)) as server:
        body = {**SUBMISSION, "async": False}
        status, document = send(server, "/flux/images", body)
        assert (status, document["success"], len(document["data"])) == (200, True, 1)
        assert retrieve(server, document["task_id"])["response"] == document
        for word, expected in (("moderated", 403), ("overloaded", 503)):
            status, document = send(server, "/flux/images", {**body, "prompt": word})
            assert (status, document["success"]) == (expected, False)


def test_a_balance_is_used_up(served: Callable[..., Sandbox]) -> None:
    server = served(balance=2)
    for _ in range(2):
        submit(server)
    status, document = send(server, "/flux/images", SUBMISSION)
    assert (status, document["error"]["code"]) == (403, "used_up")
    assert len(server.store.newest()) == 2


def test_an_application_is_disabled(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.DISABLED)
    status, document = send(server, "/flux/videos", VIDEO)
    assert (status, document["error"]["code"]) == (403, "disabled")
    assert batch(server)["count"] == 0


def test_odd_replies(served: Callable[..., Sandbox]) -> None:
    server = served(Misbehaviour.ODD_REPLIES)
    shapes = {tuple(send(server, "/flux/images", SUBMISSION)[1]) for _ in range(60)}
    usual = ("task_id", "trace_id")
    assert shapes == {usual, ("success", *usual), ("task_id",)}


def test_what_is_taken_may_have_no_reply(served: Callable[..., Sandbox]) -> None:
    """Each way to lose a reply, and all of the submissions are counted and there."""
    server = served(lose_replies=1.0)
    ways: set[str] = set()
    sent = 0
    while len(ways) < 6:
        sent += 1
        try:
            status, document = send(server, "/flux/images", SUBMISSION)
            ways.add("late" if status == 200 else document["error"]["code"])
        except http.client.RemoteDisconnected:
            ways.add("closed")
        except ConnectionResetError:
            ways.add("reset")
        except http.client.IncompleteRead:
            ways.add("half")
        except json.JSONDecodeError as error:
            ways.add(error.doc[12:22])
    assert ways == {"closed", "reset", "half", "<title>504", "api_error", "late"}
    assert server.accepted == batch(server)["count"] == sent
    assert json.loads(fetch(server, "/sandbox/accepted")[1]) == {"accepted": sent}


def test_a_share_of_the_replies_is_lost(served: Callable[..., Sandbox]) -> None:
    server = served(lose_replies=0.3)
    lost = 0
    for _ in range(100):
        try:
            submit(server)
        except (OSError, http.client.HTTPException, ValueError, AssertionError):
            lost += 1
    assert 10 < lost < 60
    assert (server.accepted, batch(server)["count"]) == (100, 100)


def test_what_goes_wrong_before_is_not_taken(served: Callable[..., Sandbox]) -> None:
    server = served(error_rate=1.0)
    for _ in range(30):
        with suppress(OSError, http.client.HTTPException, ValueError):
            assert send(server, "/flux/images", SUBMISSION)[0] in (429, 500, 503)
    assert (server.accepted, server.store.newest()) == (0, [])


def test_bodies_in_chunks(served: Callable[..., Sandbox]) -> None:
    server = served()
    data = json.dumps(SUBMISSION).encode()
    chunks = iter((data[:7], data[7:30], data[30:]))
    assert send(server, "/flux/images", b"", chunks=chunks)[0] == 200
    [task] = server.store.newest()
    assert task.request == SUBMISSION


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 2000000",
        b"content-length: -1",
        b"content-length: many",
        b"transfer-encoding: chunked",
    ],
)
def test_a_body_that_cannot_be_read_ends_the_connection(
    served: Callable[..., Sandbox], head: bytes
) -> None:
    port = served().server_address[1]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        token = TOKEN.encode()
        connection.sendall(
            b"POST /flux/images HTTP/1.1\r\nauthorization: Bearer " + token + b"\r\n" + head
        )
        connection.sendall(b"\r\n\r\nnothing of the kind\r\n")
        answer = b""
        while more := connection.recv(4096):
            answer += more
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"The body is not a JSON object." in answer
