"""Proxies: of http and https, for http and https, with and without a password."""

import contextlib
import ssl

import httpx
import pytest
import trustme

from flux_cli.api.connection import Proxy
from flux_cli.api.proxy import parse_proxy
from flux_cli.api.transport import Transport, UntrustedHost
from flux_cli.errors import UsageError
from tests.support.fault_server import FaultServer, reply
from tests.support.proxy import ForwardProxy


CREDENTIALS = "user:p%40ss@"  # as it stands in a URL
OPENED = "user:p@ss"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.create_default_context()
    authority.configure_trust(made)
    return made


def made(proxy: ForwardProxy, context: ssl.SSLContext, user: str = "") -> Transport:
    server = parse_proxy(Proxy(proxy.url(user), "ALL_PROXY"))
    return Transport(seconds=30.0, context=context, proxy=server)


def get(transport: Transport, url: str) -> bytes:
    with contextlib.closing(
        transport.handle_request(httpx.Request("GET", url, headers={"authorization": "mine"}))
    ) as response:
        return response.read()


@pytest.mark.parametrize("user", ["", CREDENTIALS], ids=["open", "password"])
@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http proxy", "https proxy"])
@pytest.mark.parametrize("server_tls", [False, True], ids=["http", "https"])
def test_what_is_asked_through_a_proxy(
    server_context: ssl.SSLContext,
    context: ssl.SSLContext,
    *,
    server_tls: bool,
    proxy_tls: bool,
    user: str,
) -> None:
    body = b"x" * 500_000
    with (
        FaultServer(lambda _: [reply(200, body)], tls=server_context if server_tls else None) as to,
        ForwardProxy(
            int(to.url.rpartition(":")[2]),
            tls=server_context if proxy_tls else None,
            user=OPENED if user else "",
        ) as proxy,
        made(proxy, context, user) as transport,
    ):
        assert get(transport, f"{to.url}/a?b") == body
        assert get(transport, f"{to.url}/a?b") == body
    assert (to.connections, len(to.requests)) == (1, 2)
    place = to.url.partition("//")[2]
    first = proxy.heads[0]
    assert first.startswith(f"CONNECT {place} " if server_tls else f"GET {to.url}/a?b ")
    assert ("Proxy-Authorization: Basic " in first) == bool(user)
    if server_tls:
        assert "mine" not in first
        assert all("proxy-authorization" not in request.headers for request in to.requests)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_refuses(context: ssl.SSLContext, scheme: str) -> None:
    with (
        ForwardProxy(0, user=OPENED) as proxy,
        made(proxy, context, "user:wrong@") as transport,
        pytest.raises(httpx.ProxyError),
    ):
        get(transport, f"{scheme}://pictures.example/")


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 403 No\r\n\r\n", b"", b"HTTP/1.1 20", b"SSH-2.0-OpenSSH\r\n"]
)
def test_what_is_no_tunnel(context: ssl.SSLContext, answer: bytes) -> None:
    with (
        ForwardProxy(0, answers=answer) as proxy,
        made(proxy, context) as transport,
        pytest.raises(httpx.ProxyError),
    ):
        get(transport, "https://pictures.example/")


@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http proxy", "https proxy"])
def test_a_certificate_is_looked_at_through_a_proxy_too(
    server_context: ssl.SSLContext, *, proxy_tls: bool
) -> None:
    """Whichever of the two is not to be trusted."""
    with (
        FaultServer(tls=server_context) as to,
        ForwardProxy(
            int(to.url.rpartition(":")[2]), tls=server_context if proxy_tls else None
        ) as proxy,
        made(proxy, ssl.create_default_context()) as transport,
        pytest.raises(UntrustedHost, match="not secure: unable to get local issuer certificate"),
    ):
        get(transport, to.url)
    assert to.requests == []


def test_a_certificate_for_another_host_within_the_tls_of_a_proxy(
    authority: trustme.CA, server_context: ssl.SSLContext, context: ssl.SSLContext
) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)
    with (
        FaultServer(tls=other) as to,
        ForwardProxy(int(to.url.rpartition(":")[2]), tls=server_context) as proxy,
        made(proxy, context) as transport,
        pytest.raises(UntrustedHost, match="not valid for 'localhost'"),
    ):
        get(transport, to.url)


@pytest.mark.parametrize(
    "url", ["socks5://a:1", "gopher://a", "http://[::1", "http://", "http://a:99999", "http://a:x"]
)
def test_proxies_that_cannot_be_used(url: str) -> None:
    with pytest.raises(UsageError, match="ALL_PROXY: unsupported proxy"):
        parse_proxy(Proxy(url, "ALL_PROXY"))
