"""One deadline for a whole exchange: the name, connecting, sending, every byte that comes back.

httpx applies its timeouts to each read and write, so a server that sends one
byte a second is never late. Here every operation on a connection gets what is
left of the exchange's time instead. An exchange happens in one thread from
beginning to end, so the deadline is kept for each thread.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Any

import httpcore

from flux_cli.api.http import httpx
from flux_cli.api.ip_rules import is_public


Resolve = Callable[[str, int], list[str]]  # the addresses of a host, or OSError, UnicodeError
_CONNECT_SHARE = 3  # an address may take a third of the time at most, if it is the only one


class ForbiddenAddress(Exception):
    """A host has no public address, and only those may be connected to."""


class DeadlineTransport(httpx.HTTPTransport):
    """An HTTP transport whose exchanges each end within `seconds`.

    Raises httpx.TimeoutException when the time is over.
    """

    def __init__(
        self,
        *,
        seconds: float,
        public_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
        resolve: Resolve | None = None,
        **options: Any,
    ) -> None:
        """With `public_only`, connecting elsewhere raises ForbiddenAddress.

        `resolve` is how the addresses of a host are found: as the system does.
        """
        super().__init__(**options)
        self._seconds = seconds
        self._limit = _Limit(clock)
        # The pool takes a backend in its constructor only, which httpx calls.
        pool: Any = self._pool
        pool._network_backend = _Backend(  # noqa: SLF001
            pool._network_backend,  # noqa: SLF001
            self._limit,
            resolve or _addresses,
            public_only=public_only,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; its time runs from here to the last byte that is read."""
        self._limit.start(self._seconds)
        return super().handle_request(request)

    def renew(self) -> None:
        """Give the exchange of this thread its whole time again: it makes progress."""
        self._limit.start(self._seconds)


class _Limit(threading.local):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds = 0.0
        self._end = 0.0

    def start(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = self._clock() + seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises httpx.ReadTimeout when none are."""
        left = self._end - self._clock()
        if left <= 0:
            raise httpx.ReadTimeout("the exchange took too long")
        return left

    def for_connecting(self, others: int) -> float:
        """Return the share of one address, with `others` after it and the exchange after those.

        However many addresses do not answer, the last one has its chance.
        """
        left = self.left()
        return min(left / (others + 2), self._seconds / _CONNECT_SHARE)


class _Backend:
    def __init__(self, backend: Any, limit: _Limit, resolve: Resolve, *, public_only: bool) -> None:
        self._backend = backend
        self._limit = limit
        self._resolve = resolve
        self._public_only = public_only

    def connect_tcp(self, host: str, port: int, timeout: Any = None, **options: Any) -> "_Stream":
        """Connect to the first address of `host` that answers: what was checked is connected to.

        Raises ForbiddenAddress when only public ones are wanted and one of
        them is not, httpx.ConnectError when the host is not known.
        """
        del timeout
        addresses = [host] if _is_literal(host) else self._looked_up(host, port)
        if self._public_only and not all(map(is_public, addresses)):
            raise ForbiddenAddress(host)
        *others, last = addresses
        for number, address in enumerate(others):
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._connect(address, port, len(others) - number, options)
        return self._connect(last, port, 0, options)

    def _connect(self, host: str, port: int, others: int, options: dict[str, Any]) -> "_Stream":
        stream = self._backend.connect_tcp(
            host, port, timeout=self._limit.for_connecting(others), **options
        )
        return _Stream(stream, self._limit)

    def _looked_up(self, host: str, port: int) -> list[str]:
        """Ask the system in another thread: its question knows no deadline, and is left behind."""
        answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self._limit.left())
        except Empty:
            raise httpx.ConnectTimeout("the name was not resolved in time") from None
        if isinstance(answer, (OSError, UnicodeError)):
            raise httpx.ConnectError("the host is not known") from answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


class _Stream:
    def __init__(self, stream: Any, limit: _Limit) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        del timeout
        data: bytes = self._stream.read(max_bytes, timeout=self._limit.left())
        return data

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        del timeout
        self._stream.write(buffer, timeout=self._limit.left())

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: Any = None
    ) -> "_Stream":
        del timeout
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=self._limit.left())
        return _Stream(stream, self._limit)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
