"""Connecting to public addresses only: what was checked is what is connected to."""

import socket
from typing import Any

import httpcore
import httpx
import pytest

from flux_cli.api.deadline import DeadlineTransport, ForbiddenAddress


class Backend:
    """Notes where it is told to connect, and is not able to."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connect_tcp(self, host: str, port: int, timeout: float, **_: Any) -> None:
        del port, timeout
        self.asked.append(host)
        raise httpcore.ConnectError


def connect(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> tuple[Backend, Exception]:
    """Ask for a host whose name stands for `addresses`; return what was tried and the error."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        del host
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    backend = Backend()
    with DeadlineTransport(seconds=1.0, public_only=True) as transport:
        pool: Any = transport._pool
        pool._network_backend._backend = backend
        with pytest.raises((ForbiddenAddress, httpx.ConnectError)) as caught:
            transport.handle_request(httpx.Request("GET", "https://pictures.example/"))
    return backend, caught.value


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("10.0.0.1",), ("::1",), ("1.1.1.1", "192.168.0.1"), ("::ffff:127.0.0.1",)],
)
def test_a_name_for_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    backend, error = connect(monkeypatch, *addresses)
    assert (backend.asked, type(error)) == ([], ForbiddenAddress)


def test_public_addresses_are_tried_in_turn_and_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend, error = connect(monkeypatch, "1.1.1.1", "2606:4700::1111")
    assert backend.asked == ["1.1.1.1", "2606:4700::1111"]
    assert isinstance(error, httpx.ConnectError)


def test_an_unknown_name_is_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, error = connect(monkeypatch)
    assert (backend.asked, type(error)) == ([], httpx.ConnectError)
