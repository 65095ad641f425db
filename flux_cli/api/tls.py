"""TLS: the handshake, and TLS within TLS for a proxy."""

import socket
import ssl
import time
from collections.abc import Callable
from typing import TypeVar

from flux_cli.api.deadline import Deadline
from flux_cli.api.dialer import Connected


T = TypeVar("T")
_PIECE = 1 << 16  # bytes moved between two layers at a time


def shake_hands(
    connection: Connected, context: ssl.SSLContext, host: str, deadline: Deadline
) -> Connected:
    """Return `connection` with TLS, after `host` has proved that it is that host.

    Raises OSError, of which ssl.SSLError says that the other side is not to be
    trusted, unless it is ssl.SSLEOFError: then it has left.
    """
    connection.settimeout(deadline.left())
    if isinstance(connection, socket.socket) and not isinstance(connection, ssl.SSLSocket):
        return context.wrap_socket(connection, server_hostname=host)
    return _TlsInTls(connection, deadline.left(), context, host)


def abort(connection: Connected) -> None:
    """End a connection for whoever waits for it. Raises OSError."""
    if isinstance(connection, socket.socket):
        # Not as an SSLSocket, which would go on without TLS.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    else:
        connection.shutdown(socket.SHUT_RDWR)


class _TlsInTls:
    """TLS to a server within the TLS of a proxy, which the module `ssl` does between buffers."""

    def __init__(
        self, outer: Connected, timeout: float, context: ssl.SSLContext, host: str
    ) -> None:
        self._outer = outer
        self._timeout = timeout
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._do(self._tls.do_handshake)

    def recv_into(self, buffer: memoryview, /) -> int:
        try:
            data = self._do(lambda: self._tls.read(len(buffer)))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return 0
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: memoryview, /) -> int:
        return self._do(lambda: self._tls.write(data))

    def settimeout(self, seconds: float, /) -> None:
        self._timeout = seconds

    def fileno(self) -> int:
        return self._outer.fileno()

    def shutdown(self, how: int, /) -> None:
        del how
        abort(self._outer)

    def close(self) -> None:
        self._outer.close()

    def _do(self, step: Callable[[], T]) -> T:
        """Do a step of TLS, for which bytes may have to go and come first."""
        end = time.monotonic() + self._timeout
        piece = memoryview(bytearray(_PIECE))
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush(end)
                self._wait_until(end)
                if size := self._outer.recv_into(piece):
                    self._incoming.write(piece[:size])
                else:
                    self._incoming.write_eof()
            else:
                self._flush(end)
                return result

    def _flush(self, end: float) -> None:
        data = memoryview(self._outgoing.read())
        while data:
            self._wait_until(end)
            data = data[self._outer.send(data) :]

    def _wait_until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the TLS handshake timed out")
        self._outer.settimeout(left)
