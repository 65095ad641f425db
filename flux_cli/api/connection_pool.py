"""The connections of a transport: those that wait for another request, and those in use."""

import contextlib
import select
import threading
from collections.abc import Callable

from flux_cli.api.http1 import Http1Connection
from flux_cli.api.tls import abort


Origin = tuple[str, str, int]  # scheme, host, port
_LONGEST_IDLE = 60.0  # seconds; servers and what is on the way forget connections, too


class ConnectionPool:
    """Keeps at most `size` idle connections; safe to use from several threads."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Origin, Http1Connection]] = []  # the oldest first
        self._in_use: set[Http1Connection] = set()
        self._is_closed = False

    def take(self, origin: Origin) -> Http1Connection | None:
        """Return an idle connection to `origin` that is still open."""
        while True:
            with self._lock:
                place = next(
                    (n for n in reversed(range(len(self._idle))) if self._idle[n][1] == origin),
                    None,
                )
                if place is None:
                    return None
                since, _, connection = self._idle.pop(place)
                self._in_use.add(connection)
            is_young = self._clock() - since < _LONGEST_IDLE
            # Nothing can have come for it but its end.
            if is_young and not _is_readable(connection.stream.connected.fileno()):
                return connection
            self.discard(connection)

    def add(self, connection: Http1Connection) -> None:
        """Note a new connection that is in use."""
        with self._lock:
            self._in_use.add(connection)
            if self._is_closed:
                _end(connection)

    def put_back(self, origin: Origin, connection: Http1Connection) -> None:
        """Keep a connection for the next request."""
        with self._lock:
            if self._is_closed:
                surplus = connection
            else:
                self._in_use.discard(connection)
                self._idle.append((self._clock(), origin, connection))
                if len(self._idle) <= self._size:
                    return
                surplus = self._idle.pop(0)[2]
        self.discard(surplus)

    def discard(self, connection: Http1Connection) -> None:
        """Close a connection."""
        with self._lock:
            self._in_use.discard(connection)
        connection.stream.connected.close()

    def close(self) -> None:
        """Close what is idle and end what is in use, which whoever uses it closes then."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            for connection in self._in_use:
                _end(connection)
        for _, _, connection in idle:
            connection.stream.connected.close()


def _end(connection: Http1Connection) -> None:
    with contextlib.suppress(OSError):
        abort(connection.stream.connected)


def _is_readable(descriptor: int) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])
