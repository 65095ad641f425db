"""Connects to a host: its name is looked up, and its addresses are tried one after the other."""

import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import Protocol

from flux_cli.api.deadline import Deadline
from flux_cli.api.ip_rules import is_public


class Connected(Protocol):
    """What is wanted of a socket, be there TLS in it or not."""

    def recv_into(self, buffer: memoryview, /) -> int:
        """Wait for bytes and return how many came; none at the end."""

    def send(self, data: memoryview, /) -> int:
        """Send some of the bytes and return how many."""

    def settimeout(self, seconds: float, /) -> None:
        """Let each operation from now on take so long."""

    def fileno(self) -> int:
        """Return the file descriptor."""

    def shutdown(self, how: int, /) -> None:
        """End the connection, for whoever waits for it too."""

    def close(self) -> None:
        """Close it."""


Resolve = Callable[[str, int], list[str]]  # the addresses of a host, or OSError, UnicodeError
Connect = Callable[[str, int, float], Connected]  # to an address, within so many seconds


class ForbiddenAddress(Exception):
    """A host has no public address, and only those may be connected to."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of `host`, as the system finds them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[4][0]) for place in found]


def connect(address: str, port: int, timeout: float) -> Connected:
    """Connect to an address."""
    connected = socket.create_connection((address, port), timeout)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class Dialer:
    """Connects to the first address of a host that answers: what was checked is connected to."""

    def __init__(
        self,
        *,
        public_only: bool = False,
        resolve: Resolve = resolve,
        connect: Connect = connect,
    ) -> None:
        self._public_only = public_only
        self._resolve = resolve
        self._connect = connect

    def dial(self, host: str, port: int, deadline: Deadline) -> Connected:
        """Connect to `host` before the deadline, which leaves each address its share of the time.

        Raises ForbiddenAddress when only public ones are wanted and one of its
        addresses is not; OSError, TimeoutError included, when none answers.
        """
        addresses = [host] if _is_literal(host) else self._looked_up(host, port, deadline)
        if self._public_only and not all(map(is_public, addresses)):
            raise ForbiddenAddress(host)
        failure = OSError("the host has no address")
        for number, address in enumerate(addresses, 1):
            try:
                share = deadline.for_connecting(len(addresses) - number)
                return self._connect(address, port, share)
            except OSError as error:
                failure = error
        raise failure

    def _looked_up(self, host: str, port: int, deadline: Deadline) -> list[str]:
        """Ask the system in another thread: its question knows no deadline, and is left behind."""
        answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=deadline.left())
        except Empty:
            raise TimeoutError("the DNS lookup timed out") from None
        if isinstance(answer, UnicodeError):
            raise OSError("host not found") from answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
