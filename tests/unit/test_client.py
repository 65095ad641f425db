"""Connections end with the client that made them."""

import contextlib
import email.utils
import json
import socket
import threading
from collections.abc import Callable

import httpx
import pytest

from flux_cli.api.client import Client
from flux_cli.api.connection import Connection
from flux_cli.api.file_client import Access, FileClient
from flux_cli.api.responses import parse_object
from flux_cli.errors import ServerFault, ServiceError, TokenRejected
from flux_cli.token import Token
from tests.support.fault_server import reply
from tests.support.records import batch, finished


def ask(url: str) -> Callable[[], None]:
    """Ask a service for a task; return what closes the client, which lives on."""
    client = Client(Connection(url, Token("test-token-not-a-secret")))
    assert client.retrieve_batch(["a1"]).size == 1
    return client.__exit__


def fetch(url: str) -> Callable[[], None]:
    """Fetch a file likewise."""
    access = Access(30.0, connections=2, allows_local=True, route=lambda *_: None)
    files = FileClient(access)
    with files.open(f"{url}/picture.png") as answer:
        assert b"".join(answer.chunks)
    return files.__exit__


@pytest.mark.parametrize("use", [ask, fetch])
def test_the_pool_of_connections_is_closed_with_the_client(
    use: Callable[[str], Callable[[], None]],
) -> None:
    closed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                data = b""
                while b"\r\n\r\n" not in data or (b"POST" in data and b"}" not in data):
                    data += connection.recv(1 << 16)
                connection.sendall(reply(200, batch([finished("a1")])))
                if connection.recv(1) == b"":
                    closed.set()

        threading.Thread(target=serve, daemon=True).start()
        close = use(f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert not closed.is_set()  # it is kept for the next request
        close()
        assert closed.wait(30)


def say_of(body: bytes, secret: str) -> str:
    """Return the line in which `--debug` shows a reply."""
    said: list[str] = []
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    connection = Connection("http://api.example", Token(secret), trace=said.append)
    with contextlib.suppress(ServiceError):
        Client(connection, transport=transport).retrieve_batch(["a1"])
    return said[-1]


@pytest.mark.parametrize("depth", [1, 2, 90, 801, 2601])
def test_no_part_of_the_token_is_left_where_a_reply_is_cut(depth: int) -> None:
    secret = "test-token-not-a-secret"  # noqa: S105 - it is not one
    spelled = "".join("\\" * depth + f"u{ord(letter):04x}" for letter in secret)
    for before in range(0, len(spelled) if depth < 3 else 2, 7):
        padding = "x" * before
        shown = say_of(f'{{"items": [], "zz": "{padding}{spelled * 40}"}}'.encode(), secret)
        assert "u00" not in shown
        assert "[token]" in shown
        assert len(shown) < 2100


def test_a_run_of_backslashes_takes_no_more_time_than_it_is_long() -> None:
    token = Token("test-token-not-a-secret")
    body = "\\" * 2_000_000 + "x\\u0074"
    assert token.hide(body) == body  # with time that grows as its square, an hour
    assert not token.may_be_in(body.encode())


@pytest.mark.parametrize("items", [b"[]", b'[{"id": "b2"}]', b"[null]"])
def test_an_error_beside_nothing_that_was_asked_for_is_raised(items: bytes) -> None:
    body = b'{"items": %s, "count": 1, "error": {"code": "service_unavailable"}}' % items
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    client = Client(
        Connection("http://api.example", Token("test-token-not-a-secret")), transport=transport
    )
    with pytest.raises(ServerFault):
        client.retrieve_batch(["a1"])
    if b"b2" in items:
        assert client.retrieve_batch(["b2"]).error is not None
        assert client.list_page({"limit": 1}).size == 1
    else:
        with pytest.raises(ServerFault):
            client.list_page({"limit": 1})


def test_one_exchange_is_what_every_verb_is_made_of() -> None:
    """Whatever the path and the request: token, parsing and errors are the same."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == "/flux/images":
            return httpx.Response(200, json={"task_id": "t1"})
        return httpx.Response(401, json={"error": {"code": "invalid_token"}})

    token = Token("test-token-not-a-secret")
    connection = Connection("https://service.example/base", token, "Log in")
    with (
        Client(connection, transport=httpx.MockTransport(handle)) as client,
        pytest.raises(TokenRejected) as caught,
    ):
        client.retrieve("a1")
    connection = Connection("https://service.example", token)
    with Client(connection, transport=httpx.MockTransport(handle)) as client:
        reply = client.exchange("/flux/images", {"a": 1}, parse_object, is_repeatable=False)
    assert caught.value.hint == "Log in"
    assert reply == {"task_id": "t1"}
    assert [request.url.path for request in asked] == ["/base/flux/tasks", "/flux/images"]
    assert asked[1].content == b'{"a":1}'
    assert [request.extensions["is_repeatable"] for request in asked] == [True, False]
    assert {request.headers["authorization"] for request in asked} == {
        "Bearer test-token-not-a-secret"
    }


NOW = 1_790_000_000.4


def answering(reply: httpx.Response | Exception) -> Client:
    """Return a client, by whose clock it is NOW, of a service that always answers the same."""

    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(reply, Exception):
            raise reply
        return reply

    connection = Connection("http://api.example", Token("test-token-not-a-secret"))
    return Client(connection, now=lambda: NOW, transport=httpx.MockTransport(handle))


def test_a_submission_is_sent_once_and_becomes_a_task() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"task_id": "task-1", "trace_id": "trace-1"})

    connection = Connection("http://api.example", Token("test-token-not-a-secret"))
    with Client(connection, transport=httpx.MockTransport(handle)) as client:
        accepted = client.submit("/flux/images", {"prompt": "Füchse 🦊"})
    assert accepted == ("task-1", "trace-1")
    [request] = asked
    assert (request.method, request.url.path) == ("POST", "/flux/images")
    assert request.extensions["is_repeatable"] is False
    assert json.loads(request.content) == {"prompt": "Füchse 🦊"}


@pytest.mark.parametrize(
    ("failure", "may_have"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.ProxyError("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.ReadError("x"), True),
        (httpx.WriteError("x"), True),
        (httpx.WriteTimeout("x"), True),
        (httpx.RemoteProtocolError("x"), True),
        (httpx.Response(200, content=b"\x1f\x8b", headers={"content-encoding": "gzip"}), True),
        (httpx.Response(200, content=b"?", headers={"content-encoding": "br"}), True),
        (httpx.Response(500, json={"error": {"code": "api_error"}}), True),
        (httpx.Response(429, content=b""), False),
    ],
)
def test_a_failure_says_whether_it_may_have_been_taken(
    failure: httpx.Response | Exception, may_have: bool
) -> None:
    with answering(failure) as client, pytest.raises(ServiceError) as caught:
        client.submit("/flux/images", {"prompt": "a"})
    assert caught.value.may_have_taken_effect is may_have


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        (email.utils.formatdate(NOW - 0.4, usegmt=True), -0.4),
        (email.utils.formatdate(NOW + 89.6, usegmt=True), 89.6),
        (email.utils.formatdate(NOW - 7200.4, usegmt=True), -7200.4),
        *((text, None) for text in (None, "", "soon", "Fri, 31 Feb 2026 00:00:00 GMT", "7")),
    ],
)
@pytest.mark.parametrize("status", [200, 503])
def test_the_service_s_clock_is_known_from_any_reply(
    status: int, date: str | None, skew: float | None
) -> None:
    headers = {"date": date} if date is not None else {}
    with answering(httpx.Response(status, json={}, headers=headers)) as client:
        assert client.clock_skew is None
        with contextlib.suppress(ServiceError):
            client.submit("/flux/images", {"prompt": "a"})
        assert client.clock_skew == (skew and pytest.approx(skew))
