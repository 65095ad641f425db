"""Which address of a host is connected to, and which never is: what was checked is what is."""

import socket
from typing import Any

import httpx
import pytest

from flux_cli.api.deadline import Deadline
from flux_cli.api.dialer import Connected, Dialer, ForbiddenAddress
from flux_cli.api.transport import Transport
from tests.support.clock import FakeClock
from tests.support.network import FakeConnection


def connect(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> tuple[list[str], Exception]:
    """Ask for a host whose name stands for `addresses`; return what was tried and the error."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        del host
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    def refuse(address: str, port: int, timeout: float) -> socket.socket:
        del port, timeout
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    dialer = Dialer(public_only=True, connect=refuse)
    with (
        Transport(seconds=1.0, dialer=dialer) as transport,
        pytest.raises((ForbiddenAddress, httpx.ConnectError)) as caught,
    ):
        transport.handle_request(httpx.Request("GET", "https://pictures.example/"))
    return asked, caught.value


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("10.0.0.1",), ("::1",), ("1.1.1.1", "192.168.0.1"), ("::ffff:127.0.0.1",)],
)
def test_a_name_for_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    asked, error = connect(monkeypatch, *addresses)
    assert (asked, type(error)) == ([], ForbiddenAddress)


def test_public_addresses_are_tried_in_turn_and_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, error = connect(monkeypatch, "1.1.1.1", "2606:4700::1111")
    assert asked == ["1.1.1.1", "2606:4700::1111"]
    assert isinstance(error, httpx.ConnectError)


def test_an_unknown_name_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, error = connect(monkeypatch)
    assert (asked, type(error)) == ([], httpx.ConnectError)


class Network:
    """Addresses that answer, and what each attempt was given, in seconds."""

    def __init__(self, *answering: str) -> None:
        self.answering = answering
        self.clock = FakeClock()
        self.shares: list[float] = []

    def connect(self, address: str, port: int, timeout: float) -> FakeConnection:
        del port
        self.shares.append(timeout)
        if address not in self.answering:
            raise ConnectionRefusedError(111, f"{address} refused")
        return FakeConnection(self.clock, b"")

    def dial(self, host: str, *addresses: str) -> Connected:
        dialer = Dialer(resolve=lambda *_: list(addresses), connect=self.connect)
        return dialer.dial(host, 443, Deadline(30.0, self.clock))


def test_the_first_address_that_answers_is_connected_to() -> None:
    network = Network("second", "third")
    assert isinstance(network.dial("api.example", "first", "second", "third"), FakeConnection)
    assert len(network.shares) == 2


def test_an_address_is_not_looked_up() -> None:
    for address in ("1.1.1.1", "2606:4700::1111"):
        assert isinstance(Network(address).dial(address, "another"), FakeConnection)


def test_the_last_address_says_why_none_answers() -> None:
    with pytest.raises(ConnectionRefusedError, match="second refused"):
        Network().dial("api.example", "first", "second")
    with pytest.raises(OSError, match="the host has no address"):
        Network().dial("api.example")


def test_a_name_that_cannot_be_one_is_not_known() -> None:
    def resolve(host: str, port: int) -> list[str]:
        del port
        raise UnicodeError(host)

    dialer = Dialer(resolve=resolve, connect=Network().connect)
    with pytest.raises(OSError, match="host not found"):
        dialer.dial("a" * 70, 443, Deadline(30.0, FakeClock()))
