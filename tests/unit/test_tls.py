"""TLS: whom flux trusts, and TLS within the TLS of a proxy."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trustme

from flux_cli.api.deadline import Deadline
from flux_cli.api.dialer import Connected
from flux_cli.api.tls import abort, shake_hands
from tests.support.patience import LONGEST


AUTHORITY = trustme.CA()
DATA = b"a whole page" * 20_000  # more than one layer takes at a time


def server_context(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture
def context() -> ssl.SSLContext:
    made = ssl.create_default_context()
    AUTHORITY.configure_trust(made)
    return made


def in_thread(stack: ExitStack, serve: "threading.Thread") -> None:
    serve.start()
    stack.callback(serve.join, LONGEST)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def echo_server(stack: ExitStack, context: ssl.SSLContext) -> socket.socket:
    """Return a connection to a server that gives back what it gets, over TLS."""
    near, far = socket.socketpair()
    stack.callback(near.close)

    def serve() -> None:
        try:
            with context.wrap_socket(far, server_side=True) as secure:
                while piece := secure.recv(1 << 16):
                    secure.sendall(piece)
        except OSError:
            far.close()

    in_thread(stack, threading.Thread(target=serve, daemon=True))
    return near


def tunnel(stack: ExitStack, proxy: ssl.SSLContext, inner: ssl.SSLContext) -> socket.socket:
    """Return a connection to a proxy that leads, through its own TLS, to an echo server."""
    target = echo_server(stack, inner)
    near, far = socket.socketpair()
    stack.callback(near.close)

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(1 << 16):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def serve() -> None:
        try:
            with proxy.wrap_socket(far, server_side=True) as secure:
                back = threading.Thread(target=pump, args=(target, secure), daemon=True)
                back.start()
                pump(secure, target)
                target.close()
                back.join(LONGEST)
        except OSError:
            far.close()

    in_thread(stack, threading.Thread(target=serve, daemon=True))
    return near


def deadline() -> Deadline:
    return Deadline(LONGEST, time.monotonic)


def echoed(connection: Connected, data: bytes) -> bytes:
    """Send `data` while what comes back is read; return that."""
    connection.settimeout(LONGEST)
    received = bytearray()
    buffer = memoryview(bytearray(1 << 16))
    left = memoryview(data)
    while left:
        left = left[connection.send(left[: 1 << 14]) :]
        received += buffer[: connection.recv_into(buffer)]
    while len(received) < len(data):
        received += buffer[: connection.recv_into(buffer)]
    return bytes(received)


def test_bytes_pass_through_tls(stack: ExitStack, context: ssl.SSLContext) -> None:
    plain = echo_server(stack, server_context("api.example"))
    secure = shake_hands(plain, context, "api.example", deadline())
    stack.callback(secure.close)
    assert echoed(secure, DATA) == DATA


def test_bytes_pass_through_tls_within_tls(stack: ExitStack, context: ssl.SSLContext) -> None:
    plain = tunnel(stack, server_context("proxy.example"), server_context("api.example"))
    outer = shake_hands(plain, context, "proxy.example", deadline())
    stack.callback(outer.close)
    inner = shake_hands(outer, context, "api.example", deadline())
    assert inner.fileno() == outer.fileno()
    assert echoed(inner, DATA) == DATA
    inner.shutdown(socket.SHUT_RDWR)
    assert inner.recv_into(memoryview(bytearray(1))) == 0


def test_another_host_is_not_trusted(stack: ExitStack, context: ssl.SSLContext) -> None:
    plain = echo_server(stack, server_context("evil.example"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(plain, context, "api.example", deadline())


def test_another_host_within_the_tls_of_a_proxy_is_not_trusted(
    stack: ExitStack, context: ssl.SSLContext
) -> None:
    plain = tunnel(stack, server_context("proxy.example"), server_context("evil.example"))
    outer = shake_hands(plain, context, "proxy.example", deadline())
    stack.callback(outer.close)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(outer, context, "api.example", deadline())


def test_a_handshake_ends_at_the_deadline(context: ssl.SSLContext) -> None:
    near, far = socket.socketpair()
    with near, far, pytest.raises(TimeoutError):  # nobody answers
        shake_hands(near, context, "api.example", Deadline(0.05, time.monotonic))


def test_whoever_waits_for_a_connection_hears_of_its_end(
    stack: ExitStack, context: ssl.SSLContext
) -> None:
    plain = echo_server(stack, server_context("api.example"))
    secure = shake_hands(plain, context, "api.example", deadline())
    stack.callback(secure.close)
    secure.settimeout(LONGEST)
    timer = threading.Timer(0.05, abort, [secure])
    timer.start()
    assert secure.recv_into(memoryview(bytearray(1))) == 0
    timer.join()
