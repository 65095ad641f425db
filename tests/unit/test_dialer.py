"""Connecting to public addresses only: what was checked is what is connected to."""

import socket
from typing import Any

import httpx
import pytest

from flux_cli.api.dialer import Dialer, ForbiddenAddress
from flux_cli.api.transport import Transport


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
