"""Whether a request may have arrived: what certainly has not may be sent again."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import httpx
import pytest
import trustme

from flux_cli.api.client import Client
from flux_cli.api.connection import Connection, Proxy
from flux_cli.api.connection_errors import service_error
from flux_cli.api.dialer import Dialer
from flux_cli.api.proxy import parse_proxy
from flux_cli.api.transport import Transport
from flux_cli.errors import ServiceError
from flux_cli.token import Token
from tests.support.clock import FakeClock
from tests.support.fault_server import End, FaultServer, Request, Step, reply
from tests.support.network import FakeConnection, FakeNetwork
from tests.support.proxy import ForwardProxy


Made = tuple[str, Transport]  # a base URL and what leads there
HTTP = "http://service.example"
HTTPS = "https://service.example"
PROXY = Proxy("http://localhost:1", "ALL_PROXY")


def over(connection: Callable[[FakeClock], FakeConnection]) -> Callable[[ExitStack], Made]:
    """Over a connection in virtual time."""

    def make(_: ExitStack) -> Made:
        clock = FakeClock()
        network = FakeNetwork(clock, "1.1.1.1", connection=connection(clock))
        dialer = Dialer(resolve=lambda *_: ["1.1.1.1"], connect=network.connect)
        return HTTP, Transport(seconds=30.0, dialer=dialer, clock=clock)

    return make


def sending(error: OSError, takes: int) -> Callable[[ExitStack], Made]:
    """Over a connection that takes so many bytes of a request, and then fails."""
    return over(lambda clock: FakeConnection(clock, b"", sending=error, takes=takes))


def late(_: ExitStack) -> Made:
    """Over a connection that is made when no time is left for the request."""
    clock = FakeClock()

    def connect(*_: object) -> FakeConnection:
        clock.now += 31.0
        return FakeConnection(clock, HEAD)

    dialer = Dialer(resolve=lambda *_: ["1.1.1.1"], connect=connect)
    return HTTP, Transport(seconds=30.0, dialer=dialer, clock=clock)


def unknown(_: ExitStack) -> Made:
    def resolve(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    return HTTP, Transport(seconds=30.0, dialer=Dialer(resolve=resolve))


def resolver_hangs(stack: ExitStack) -> Made:
    hangs = threading.Event()
    stack.callback(hangs.set)

    def resolve(*_: object) -> list[str]:
        hangs.wait(60)
        return []

    return HTTP, Transport(seconds=0.05, dialer=Dialer(resolve=resolve))


def no_answer(_: ExitStack) -> Made:
    clock = FakeClock()
    network = FakeNetwork(clock, connection=FakeConnection(clock, b""))
    dialer = Dialer(resolve=lambda *_: ["1.1.1.1"], connect=network.connect)
    return HTTP, Transport(seconds=30.0, dialer=dialer, clock=clock)


def refused(_: ExitStack) -> Made:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}", Transport(seconds=30.0)


def untrusted(stack: ExitStack) -> Made:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    server = stack.enter_context(FaultServer(tls=context))
    return server.url, Transport(seconds=30.0, context=ssl.create_default_context())


def handshake(answer: bytes | None) -> Callable[[ExitStack], Made]:
    """To a server that answers the first message of TLS so, or not at all."""

    def make(stack: ExitStack) -> Made:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        done = threading.Event()
        stack.callback(done.set)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                if answer is None:
                    done.wait(60)
                else:
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        seconds = 0.2 if answer is None else 30.0
        return url, Transport(seconds=seconds, context=ssl.create_default_context())

    return make


def tunnel(answers: bytes) -> Callable[[ExitStack], Made]:
    """Through a proxy that answers CONNECT so."""

    def make(stack: ExitStack) -> Made:
        proxy = stack.enter_context(ForwardProxy(0, answers=answers))
        server = parse_proxy(Proxy(proxy.url(), "ALL_PROXY"))
        return HTTPS, Transport(seconds=30.0, proxy=server, context=ssl.create_default_context())

    return make


def tunnel_stalls(_: ExitStack) -> Made:
    clock = FakeClock()
    connection = FakeConnection(clock, b"HTTP/1.1 200 OK\r\n\r\n", delay=100.0)
    network = FakeNetwork(clock, "::1", "127.0.0.1", connection=connection)
    transport = Transport(
        seconds=30.0,
        clock=clock,
        proxy=parse_proxy(PROXY),
        context=ssl.create_default_context(),
        dialer=Dialer(connect=network.connect),
    )
    return HTTPS, transport


def password_wanted(stack: ExitStack) -> Made:
    proxy = stack.enter_context(ForwardProxy(0, user="user:password"))
    return HTTP, Transport(seconds=30.0, proxy=parse_proxy(Proxy(proxy.url(), "ALL_PROXY")))


def answering(*steps: Step) -> Callable[[ExitStack], Made]:
    def make(stack: ExitStack) -> Made:
        server = stack.enter_context(FaultServer(lambda _: steps))
        return server.url, Transport(seconds=30.0)

    return make


def gone_while_idle(stack: ExitStack) -> Made:
    """Over a connection that ends with the second request, when no other can be made."""
    server = FaultServer()

    def steps(request: Request) -> Iterator[Step]:
        if request.path == "/":
            yield reply(200, b"{}")
        else:
            server.__exit__()
            yield End.CLOSE

    server.script = steps
    stack.enter_context(server)
    transport = Transport(seconds=30.0)
    with contextlib.closing(transport.handle_request(httpx.Request("POST", server.url))) as first:
        first.read()
    return server.url, transport


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"
ROWS: list[tuple[str, Callable[[ExitStack], Made], str, bool]] = [
    ("host unknown", unknown, "unreachable", False),
    ("resolver hangs", resolver_hangs, "timeout", False),
    ("no answer", no_answer, "timeout", False),
    ("refused", refused, "unreachable", False),
    ("certificate", untrusted, "untrusted_server", False),
    ("no TLS", handshake(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "untrusted_server", False),
    ("gone in the handshake", handshake(b""), "unreachable", False),
    ("stalls in the handshake", handshake(None), "timeout", False),
    ("proxy refuses", tunnel(b"HTTP/1.1 403 No\r\n\r\n"), "proxy_error", False),
    ("proxy is gone", tunnel(b""), "proxy_error", False),
    ("proxy stalls", tunnel_stalls, "timeout", False),
    ("proxy wants a password", password_wanted, "proxy_error", False),
    ("breaks before sending", sending(BrokenPipeError(), 0), "unreachable", False),
    ("breaks while sending", sending(BrokenPipeError(), 20), "reply_cut", True),
    ("stalls before sending", sending(TimeoutError(), 0), "timeout", False),
    ("stalls while sending", sending(TimeoutError(), 20), "timeout", True),
    ("late before sending", late, "timeout", False),
    (
        "stalls before the reply",
        over(lambda clock: FakeConnection(clock, HEAD, delay=100.0)),
        "timeout",
        True,
    ),
    (
        "stalls in the reply",
        over(lambda clock: FakeConnection(clock, HEAD, delay=16.0, piece=20)),
        "timeout",
        True,
    ),
    ("no reply", answering(End.CLOSE), "reply_cut", True),
    ("reset", answering(End.RESET), "reply_cut", True),
    ("reply cut short", answering(HEAD, b"{", End.CLOSE), "reply_cut", True),
    ("not HTTP", answering(b"SSH-2.0-OpenSSH_9.6\r\n", End.CLOSE), "reply_cut", True),
    ("gone while idle", gone_while_idle, "reply_cut", True),
    ("401", answering(reply(401, b"")), "http_401", True),
    ("429", answering(reply(429, b"")), "http_429", True),
    ("503", answering(reply(503, b"")), "http_503", True),
]


@pytest.mark.parametrize(
    ("make", "code", "may_have_taken_effect"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_a_failure_says_whether_the_request_may_have_taken_effect(
    make: Callable[[ExitStack], Made], code: str, may_have_taken_effect: bool
) -> None:
    with ExitStack() as stack:
        url, transport = make(stack)
        connection = Connection(url, Token("test-token-not-a-secret"), proxy=PROXY)
        client: AbstractContextManager[Client] = Client(connection, transport=transport)
        with client as asked, pytest.raises(ServiceError) as caught:
            asked.retrieve("an-id")
    assert (caught.value.code, caught.value.may_have_taken_effect) == (code, may_have_taken_effect)


def test_every_error_of_httpx_is_one_of_ours() -> None:
    """One that a later httpx brings may have arrived, until somebody knows better."""
    before = {
        *("ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"),
        "LocalProtocolError",
    }
    kinds = [
        kind
        for name in httpx.__all__
        if isinstance(kind := getattr(httpx, name), type) and issubclass(kind, httpx.HTTPError)
    ]
    assert before <= {kind.__name__ for kind in kinds}
    for kind in kinds:
        error = kind.__new__(kind)
        fault = service_error(error, httpx.URL(HTTPS), seconds=1.0, proxy=None)
        assert fault.may_have_taken_effect == (kind.__name__ not in before), kind
