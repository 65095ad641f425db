"""HTTP/1.1 over one connection: `http.client` speaks it, within the deadline of each exchange."""

import contextlib
import http.client
import io
import re
import ssl
from collections.abc import Callable, Iterable, Iterator

from flux_cli.api.deadline import Deadline
from flux_cli.api.dialer import Connected
from flux_cli.api.http import httpx


# Bytes of a body that are received at a time, at most. The C library's allocator keeps
# blocks of this size; larger ones it maps anew each time, which takes longer than receiving.
_PIECE = 120_000
_HEAD = 1 << 14  # bytes that are received at a time while a head is read
_BREAK = re.compile(r"[\r\n\0]+[ \t]*")  # what no header's value may hold (RFC 9110, section 5.5)
_LENGTH = re.compile(r"[0-9]{1,18}")
_RECORD = 1 << 14  # bytes that TLS sends in one piece, which arrives whole or is not understood
_FIRST_FINAL = 200  # the statuses before it announce another reply


class Http1Connection(http.client.HTTPConnection):
    """A connection that is used for one exchange after the other.

    Raises httpx's exceptions: LocalProtocolError, ConnectError and ConnectTimeout
    before anything is sent, then WriteError and WriteTimeout, then ReadError,
    ReadTimeout and RemoteProtocolError.
    """

    auto_open = 0

    def __init__(self, connected: Connected, deadline: Deadline) -> None:
        super().__init__("")
        self.response_class = _Response
        self.stream = _Stream(connected, deadline)
        self.sock = self.stream  # what http.client wants of a socket, it has

    def exchange(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[bytes, bytes]],
        content: bytes,
        deadline: Deadline,
    ) -> "_Response":
        """Send a request and read the head of its response."""
        self.stream.deadline = deadline
        self.stream.has_sent = self.stream.has_received = False
        try:
            self.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                self.putheader(name.decode("latin-1"), value)
            self.endheaders(content)
        except (ValueError, http.client.HTTPException):
            # Its text may be a secret.
            raise httpx.LocalProtocolError("the request cannot be sent") from None
        try:
            self.stream.send()
        except TimeoutError as error:
            kind = httpx.WriteTimeout if self.stream.has_sent else httpx.ConnectTimeout
            raise kind("timed out while sending the request") from error
        except OSError as error:
            if not self.stream.has_sent:
                raise httpx.ConnectError(reason(error)) from error
            # It may have been answered all the same: too large, or not wanted.
            with contextlib.suppress(httpx.HTTPError):
                return self._response()
            raise httpx.WriteError("the connection was lost while sending the request") from error
        return self._response()

    def _response(self) -> "_Response":
        with _receiving():
            response: _Response = self.getresponse()  # type: ignore[assignment]
        response.check(self.stream)
        return response


class Body(httpx.SyncByteStream):
    """The body of a response, as it came over the wire.

    Raises httpx.RemoteProtocolError when it ends before its end.
    """

    def __init__(
        self,
        response: "_Response",
        deadline: Deadline,
        *,
        step: int,
        buffer: memoryview | None = None,
        end: Callable[[bool], None],
    ) -> None:
        """Renew the deadline with each `step` bytes, if any; call `end` at last.

        It is told whether the connection can be used again. With a `buffer`, bytes are
        received into it, and a piece is only good until the next one is asked for.
        """
        self._response = response
        self._deadline = deadline
        self._step = step
        self._buffer = buffer
        self._end = end
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        with _receiving():
            while piece := self._response.piece(self._buffer):
                yield piece  # type: ignore[misc] # what is received into a buffer is like bytes
                received += len(piece)
                if 0 < self._step <= received:
                    self._deadline.renew()
                    received = 0
        if self._response.length:
            raise httpx.RemoteProtocolError("the reply was cut short")
        self._is_whole = True

    def close(self) -> None:
        """End the exchange."""
        self._response.close()
        self._end(self._is_whole and not self._response.will_close)


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        """Read the head of the final response; those that announce it are passed over."""
        super().begin()
        while self.status < _FIRST_FINAL:
            self.headers = self.msg = None  # type: ignore[assignment] # not begun
            super().begin()

    def check(self, stream: "_Stream") -> None:
        """Refuse what http.client takes for something else: httpx.RemoteProtocolError."""
        headers = self.headers
        lengths = {*headers.get_all("content-length", ())}
        codings = headers.get_all("transfer-encoding", ())
        if (
            stream.has_ended  # inside the head
            or headers.get_payload()  # a line without a colon, and what followed it
            or (codings and not self.chunked)
            or len(lengths) > 1
            or not all(map(_LENGTH.fullmatch, lengths))
        ):
            raise httpx.RemoteProtocolError("the reply is not valid HTTP")

    def piece(self, buffer: memoryview | None) -> bytes | memoryview:
        """Receive a piece of the body, into `buffer` if that can be; nothing at its end."""
        if buffer is None or self.chunked or not self.length:
            return self.read1(_PIECE)
        size = self.fp.readinto1(buffer[: self.length])
        self.length -= size
        return buffer[:size]

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers, each on one line."""
        return [
            (name.encode("latin-1"), _BREAK.sub(" ", value).encode("latin-1"))
            for name, value in self.headers.items()
        ]


class _Stream(io.RawIOBase):
    """What http.client wants of a socket: requests leave in one piece, and time is limited."""

    def __init__(self, connected: Connected, deadline: Deadline) -> None:
        self.connected = connected
        self.deadline = deadline  # of the exchange that is under way
        self.has_sent = False  # a part of the request that can be understood
        self.has_received = False  # a byte of the response
        self.has_ended = False
        self._outgoing = b""

    def sendall(self, data: bytes) -> None:
        self._outgoing += data

    def send(self) -> None:
        """Send what there is."""
        outgoing = memoryview(self._outgoing)
        self._outgoing = b""
        while outgoing:
            self._limit()
            outgoing = outgoing[self.connected.send(outgoing[:_RECORD]) :]
            self.has_sent = True

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(self, _HEAD)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # that is what comes
        self._limit()
        size = self.connected.recv_into(buffer)
        if size and isinstance(self.connected, ssl.SSLSocket):
            size += _received_already(self.connected, buffer, size)
        self.has_received = self.has_received or size > 0
        self.has_ended = size == 0
        return size

    def close(self) -> None:
        """Leave it open: a response ends, the connection does not."""

    def _limit(self) -> None:
        self.connected.settimeout(self.deadline.left())


def _received_already(connected: ssl.SSLSocket, buffer: memoryview, size: int) -> int:
    """Return how many bytes have come beyond the `size` that TLS has given: one record of many."""
    first = size
    connected.settimeout(0.0)
    # What goes wrong here, goes wrong once more when the next bytes are waited for.
    with contextlib.suppress(OSError):
        while len(buffer) - size >= _RECORD and (more := connected.recv_into(buffer[size:])):
            size += more
    return size - first


def reason(error: OSError) -> str:
    """Return the system's words for what broke a connection."""
    return (error.strerror or "not connected").lower()


@contextlib.contextmanager
def _receiving() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx.ReadTimeout("timed out waiting for the reply") from error
    except OSError as error:
        raise httpx.ReadError("the connection was lost before the reply was complete") from error
    except http.client.HTTPException as error:
        raise httpx.RemoteProtocolError("the reply is not valid HTTP") from error
