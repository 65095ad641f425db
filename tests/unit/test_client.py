"""Connections end with the client that made them."""

import socket
import threading
from collections.abc import Callable

import httpx
import pytest

from flux_cli.api.client import Client
from flux_cli.api.connection import Connection
from flux_cli.api.file_client import Access, FileClient
from flux_cli.api.responses import parse_object
from flux_cli.errors import TokenRejected
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
