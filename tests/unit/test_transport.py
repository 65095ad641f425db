"""Exchanges over real connections: what is a whole reply, and what becomes of the connection."""

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.api.dialer import Dialer
from flux_cli.api.transport import Transport, chunks
from tests.support.clock import FakeClock
from tests.support.fault_server import End, FaultServer, Request, Script, Step, reply
from tests.support.network import FakeConnection


@pytest.fixture
def transport() -> Iterator[Transport]:
    with Transport(seconds=30.0, connections=2) as made:
        yield made


def get(transport: Transport, url: str, **extensions: object) -> httpx.Response:
    request = httpx.Request("GET", url, headers={"accept": "*/*"}, extensions=extensions)
    with contextlib.closing(transport.handle_request(request)) as response:
        response.read()
    return response


def serve(*replies: bytes) -> Script:
    """Return a script with a reply for each request, after which the connection is closed."""
    left = list(replies)

    def script(request: Request) -> list[Step]:
        del request
        if len(left) == 1:
            return [left.pop(), End.CLOSE]
        return [left.pop(0)]

    return script


HEAD = b"HTTP/1.1 200 OK\r\n"
BROKEN = (httpx.ReadError, httpx.RemoteProtocolError)


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (HEAD + b"content-length: 2\r\n\r\nok", b"ok"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (HEAD + b"content-length: 0\r\n\r\n", b""),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\n\r\n", b"ok"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nchecksum: 1\r\n\r\n", b""),
        (HEAD + b"\r\nok", b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"content-length: 2\r\n\r\nok", b"ok"),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
            + HEAD
            + b"content-length: 2\r\n\r\nok",
            b"ok",
        ),
    ],
    ids=[
        *("length", "length twice", "empty", "chunks", "trailers", "until the end", "HTTP 1.0"),
        *("no reason", "no content", "continue", "early hints"),
    ],
)
def test_whole_replies(transport: Transport, sent: bytes, body: bytes) -> None:
    with FaultServer(serve(sent)) as server:
        assert get(transport, server.url).content == body


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        HEAD + b"content-length: 2\r\n",
        HEAD + b"content-length: 2\r\n\r\no",
        HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\nok",
        HEAD + b"content-length: two\r\n\r\nok",
        HEAD + b"content-length: -1\r\n\r\nok",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\no",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nok",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nxyz\r\nok",
        HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"no colon\r\ncontent-length: 2\r\n\r\nok",
        HEAD + b"".join(b"h%d: x\r\n" % n for n in range(101)) + b"\r\n",
        HEAD + b"h: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 70_000,
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
def test_what_is_no_whole_reply_is_an_error(transport: Transport, sent: bytes) -> None:
    with FaultServer(serve(sent)) as server, pytest.raises(BROKEN):
        get(transport, server.url)


PARTS = st.sampled_from(
    [
        *(b"HTTP/1.1 ", b"HTTP/1.0 ", b"HTTP/9.9 ", b"200", b"100", b"101", b"204", b"304", b"999"),
        *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"From ", b"-1"),
        *(
            b"content-length: ",
            b"transfer-encoding: ",
            b"chunked",
            b"gzip",
            b"2",
            b"ok",
            b"0",
            b"5",
        ),
        *(b"content-type: multipart/mixed; boundary=x", b"content-type: message/rfc822", b"--x"),
        *(b"connection: close", b"keep-alive: 1", b";", b"x" * 70_000, b"99999999999999999999"),
    ]
)
BYTES = st.lists(PARTS, max_size=30).map(b"".join) | st.binary(max_size=200)


@given(st.sampled_from([b"", HEAD, HEAD + b"transfer-encoding: chunked\r\n\r\n"]), BYTES)
@example(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"99999999999999999999999\r\nok")
@example(b"HTTP/1.1 100\r\n\r\n", b"HTTP/1.1 102\r\n\r\nHTTP/1.1 200\r\n\r\n")
def test_whatever_comes_is_a_reply_or_one_of_httpx_s_errors(start: bytes, rest: bytes) -> None:
    clock = FakeClock()
    connection = FakeConnection(clock, start + rest, delay=0.001, piece=50_000)
    dialer = Dialer(connect=lambda *_: connection)
    with Transport(seconds=30.0, clock=clock, dialer=dialer) as transport:
        request = httpx.Request("GET", "http://127.0.0.1/")
        with (
            contextlib.suppress(httpx.TransportError),
            contextlib.closing(transport.handle_request(request)) as response,
        ):
            assert len(response.read()) <= len(start + rest)
    assert connection.is_closed


def test_a_reset_is_an_error(transport: Transport) -> None:
    with (
        FaultServer(lambda _: [HEAD + b"content-length: 9\r\n\r\nok", End.RESET]) as server,
        pytest.raises(BROKEN),
    ):
        get(transport, server.url)


def test_the_values_of_headers_are_one_line_and_any_bytes(transport: Transport) -> None:
    sent = HEAD + b"a: one\r\n two\r\nb: x\0y\r\nc: \xe4\xff\r\ncontent-length: 0\r\n\r\n"
    with FaultServer(serve(sent)) as server:
        headers = get(transport, server.url).headers
    assert headers["a"] == "one two"
    assert headers["b"] == "x y"
    assert (b"c", b"\xe4\xff") in headers.raw


def test_what_is_sent_is_what_was_asked_for_and_no_more(transport: Transport) -> None:
    with FaultServer(lambda _: [reply(200, b"", set_cookie="a=b")]) as server:
        get(transport, f"{server.url}/a%20b?c=d#e")
        get(transport, server.url)
    host = server.url.removeprefix("http://")
    assert [request.path for request in server.requests] == ["/a%20b?c=d", "/"]
    assert [request.headers for request in server.requests] == [{"host": host, "accept": "*/*"}] * 2


def test_a_header_that_cannot_be_sent_is_not_quoted(transport: Transport) -> None:
    with FaultServer() as server, pytest.raises(httpx.LocalProtocolError) as caught:
        transport.handle_request(httpx.Request("GET", server.url, headers={"x": "test\r\ntoken"}))
    assert "token" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    ("sent", "connections"),
    [
        (reply(200, b"ok"), 1),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 1),
        (reply(200, b"ok", connection="close"), 2),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 2),
    ],
    ids=["length", "chunks", "no content", "close", "HTTP 1.0"],
)
def test_connections_are_used_again(transport: Transport, sent: bytes, connections: int) -> None:
    with FaultServer(lambda _: [sent]) as server:
        for _ in range(2):
            get(transport, server.url)
    assert (len(server.requests), server.connections) == (2, connections)


def test_a_connection_whose_reply_was_not_read_to_its_end_is_not_used_again(
    transport: Transport,
) -> None:
    with FaultServer(lambda _: [reply(200, b"x" * 1_000_000)]) as server:
        for _ in range(2):
            response = transport.handle_request(httpx.Request("GET", server.url))
            next(chunks(response))
            response.close()
    assert server.connections == 2


def closed_when_used_again(request: Request) -> list[Step]:
    """Answer the first request of a connection, and close it when the second arrives."""
    return [End.CLOSE] if request.path == "/second" else [reply(200, b"ok")]


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    made: list[socket.socket] = []

    def remember(address: str, port: int, timeout: float) -> socket.socket:
        made.append(socket.create_connection((address, port), timeout))
        return made[-1]

    with (
        FaultServer(lambda _: [reply(200, b"ok"), End.CLOSE]) as server,
        Transport(seconds=30.0, dialer=Dialer(connect=remember)) as transport,
    ):
        get(transport, server.url)
        made[0].recv(1, socket.MSG_PEEK)  # until its end has come
        assert get(transport, server.url).content == b"ok"
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.parametrize(("is_repeatable", "requests"), [(True, 3), (False, 2)])
def test_a_request_that_meets_the_end_of_an_idle_connection_is_repeated_once_if_it_may_be(
    transport: Transport, is_repeatable: bool, requests: int
) -> None:
    with FaultServer(closed_when_used_again) as server:
        get(transport, server.url)
        with pytest.raises(BROKEN):
            get(transport, f"{server.url}/second", is_repeatable=is_repeatable)
    assert len(server.requests) == requests


class Dying(FakeConnection):
    """A connection that ends after one exchange, which nothing shows before the next is sent."""

    def __init__(self, clock: FakeClock) -> None:
        size = len(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        super().__init__(clock, reply(200, b"ok"), sending=BrokenPipeError(), takes=size)
        self.silent = socket.socketpair()

    def fileno(self) -> int:
        return self.silent[0].fileno()

    def close(self) -> None:
        for end in self.silent:
            end.close()


def test_what_was_not_sent_over_an_idle_connection_is_sent_over_another() -> None:
    """That does no harm, whether it may be repeated or not."""
    clock = FakeClock()
    made: list[Dying] = []

    def connect(*_: object) -> Dying:
        made.append(Dying(clock))
        return made[-1]

    with Transport(seconds=30.0, clock=clock, dialer=Dialer(connect=connect)) as transport:
        for _ in range(3):
            request = httpx.Request("GET", "http://127.0.0.1/")
            with contextlib.closing(transport.handle_request(request)) as response:
                assert response.read() == b"ok"
    assert len(made) == 3


def test_an_idle_connection_is_forgotten_after_a_minute() -> None:
    clock = FakeClock()
    with FaultServer(lambda _: [reply(200, b"ok")]) as server:
        with Transport(seconds=30.0, clock=clock) as transport:
            get(transport, server.url)
            clock.now += 59.0
            get(transport, server.url)
            assert server.connections == 1
            clock.now += 61.0
            get(transport, server.url)
        assert server.connections == 2


def test_no_more_connections_are_kept_than_were_asked_for(transport: Transport) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(FaultServer(serve_all)) for _ in range(3)]
        for server in [*servers, *servers]:
            get(transport, server.url)
    assert [server.connections for server in servers] == [2, 2, 2]  # the oldest is closed first


def serve_all(request: Request) -> list[Step]:
    del request
    return [reply(200, b"ok")]


def test_a_reply_that_has_begun_is_not_asked_for_again(transport: Transport) -> None:
    def script(request: Request) -> list[Step]:
        return [HEAD, End.CLOSE] if request.path == "/second" else [reply(200, b"ok")]

    with FaultServer(script) as server:
        get(transport, server.url)
        with pytest.raises(httpx.RemoteProtocolError):
            get(transport, f"{server.url}/second", is_repeatable=True)
    assert len(server.requests) == 2


def test_ipv6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6")
    heads: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heads.append(connection.recv(1 << 16))
            connection.sendall(reply(200, b"ok"))

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    with listener, Transport(seconds=30.0) as transport:
        assert get(transport, f"http://[::1]:{port}/").content == b"ok"
    assert f"Host: [::1]:{port}".encode() in heads[0]


def test_what_is_in_use_ends_when_the_transport_is_closed(transport: Transport) -> None:
    arrived = threading.Event()

    def stall(request: Request) -> Iterator[Step]:
        del request
        yield HEAD
        arrived.set()
        threading.Event().wait(60)

    with FaultServer(stall) as server:
        ended = threading.Event()

        def ask() -> None:
            with pytest.raises(httpx.TransportError):
                get(transport, server.url)
            ended.set()

        threading.Thread(target=ask, daemon=True).start()
        assert arrived.wait(30)
        transport.close()
        assert ended.wait(20)  # and not at the deadline


def test_what_is_in_use_over_tls_ends_as_well_and_brings_nothing_else() -> None:
    """The module `ssl` would go on without TLS, and take what comes for what is in it."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def pour(request: Request) -> Iterator[Step]:
        del request
        yield HEAD + b"\r\n"
        for _ in itertools.repeat(None):
            yield b"x" * 10_000

    with FaultServer(pour, tls=tls) as server:
        transport = Transport(seconds=30.0, context=context)
        request = httpx.Request("GET", server.url)
        with contextlib.closing(transport.handle_request(request)) as response:
            pieces = chunks(response)
            next(pieces)
            transport.close()
            rest: set[int] = set()
            with contextlib.suppress(httpx.TransportError):
                rest.update(*pieces)
    assert rest <= {ord("x")}
