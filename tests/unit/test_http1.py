"""One exchange over one connection: what is sent, what is read, and which error says what."""

from typing import Any

import httpx
import pytest

from flux_cli.api.deadline import Deadline
from flux_cli.api.http1 import Body, Http1Connection
from tests.support.clock import FakeClock
from tests.support.network import FakeConnection


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
HEADERS = [(b"host", b"a.example"), (b"authorization", b"Bearer test-token-not-a-secret")]


class Line:
    """A connection in virtual time, over which `reply` comes, and what became of it."""

    def __init__(self, reply: bytes, **options: Any) -> None:
        self.clock = FakeClock()
        self.connection = FakeConnection(self.clock, reply, **options)
        self.http1 = Http1Connection(self.connection, self.deadline())
        self.ends: list[bool] = []

    def deadline(self) -> Deadline:
        return Deadline(30.0, self.clock)

    def get(self, headers: list[tuple[bytes, bytes]] = HEADERS, *, step: int = 0) -> bytes:
        deadline = self.deadline()
        response = self.http1.exchange("POST", "/flux/tasks", headers, b"{}", deadline)
        body = Body(response, deadline, step=step, end=self.ends.append)
        try:
            return b"".join(body)
        finally:
            body.close()


@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
def test_what_is_sent_and_what_comes_back(piece: int) -> None:
    line = Line(OK * 2, piece=piece)
    assert line.get() == b"ok"
    assert line.connection.sent == (
        b"POST /flux/tasks HTTP/1.1\r\nhost: a.example\r\n"
        b"authorization: Bearer test-token-not-a-secret\r\n\r\n{}"
    )
    assert not line.connection.is_closed
    assert line.ends == [True]  # it can be used again


@pytest.mark.parametrize("close", [b"connection: close\r\n", b""])
def test_a_connection_that_the_server_will_close_cannot_be_used_again(close: bytes) -> None:
    length = b"content-length: 2\r\n" if close else b""  # without one, the end is the end
    line = Line(b"HTTP/1.1 200 OK\r\n" + length + close + b"\r\nok")
    assert line.get() == b"ok"
    assert line.ends == [False]


def test_replies_that_announce_another_are_passed_over() -> None:
    early = b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 102 Busy\r\n\r\n"
    assert Line(early + OK).get() == b"ok"


@pytest.mark.parametrize(
    "reply",
    [
        OK[:-1],
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok",
        b"",
    ],
)
def test_what_is_no_whole_reply_is_an_error(reply: bytes) -> None:
    line = Line(reply)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        line.get()
    assert True not in line.ends


@pytest.mark.parametrize(
    ("sending", "takes", "kind"),
    [
        (ConnectionResetError(104, "Reset"), 0, httpx.ConnectError),
        (TimeoutError(), 0, httpx.ConnectTimeout),
        (ConnectionResetError(104, "Reset"), 10, httpx.WriteError),
        (TimeoutError(), 10, httpx.WriteTimeout),
    ],
)
def test_an_error_says_whether_anything_was_sent(
    sending: OSError, takes: int, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        Line(b"", sending=sending, takes=takes).get()


def test_an_answer_that_came_before_the_request_was_sent_whole_counts() -> None:
    line = Line(OK, sending=BrokenPipeError(32, "Broken pipe"), takes=10)
    assert line.get() == b"ok"


def test_a_reply_that_drips_is_late_unless_it_makes_progress() -> None:
    body = b"x" * 100
    reply = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + body
    assert Line(reply, delay=1.0, piece=10).get() == body
    with pytest.raises(httpx.ReadTimeout):
        Line(reply, delay=4.0, piece=10).get()
    line = Line(reply, delay=4.0, piece=50)
    assert line.get(step=50) == body


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb"])
def test_a_header_that_cannot_be_sent_is_not_quoted(value: bytes) -> None:
    line = Line(OK)
    with pytest.raises(httpx.LocalProtocolError) as caught:
        line.get([(b"authorization", b"test-token-not-a-secret" + value)])
    assert "secret" not in str(caught.value)
    assert line.connection.sent == b""
