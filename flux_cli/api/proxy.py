"""How a proxy is reached and asked: CONNECT for https, absolute URLs for http."""

import base64
from typing import NamedTuple

from flux_cli.api.connection import Proxy
from flux_cli.api.http import httpx
from flux_cli.errors import UsageError


_LAST_PORT = 65535


class ProxyServer(NamedTuple):
    """Where a proxy is, and the headers that open it."""

    scheme: str
    host: str
    port: int
    headers: tuple[tuple[bytes, bytes], ...]


def parse_proxy(proxy: Proxy) -> ProxyServer:
    """Read a proxy's URL. Raises UsageError, naming the setting, when flux cannot use it."""
    try:
        url = httpx.URL(proxy.url)
        host = url.raw_host.decode("ascii")
        default_port = {"http": 80, "https": 443}[url.scheme]
    except (httpx.InvalidURL, ValueError, KeyError):
        raise _unusable(proxy) from None
    port = url.port or default_port
    if not host or port > _LAST_PORT:
        raise _unusable(proxy)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if url.userinfo:
        user = f"{url.username}:{url.password}".encode()
        headers = ((b"Proxy-Authorization", b"Basic " + base64.b64encode(user)),)
    return ProxyServer(url.scheme, host, port, headers)


def _unusable(proxy: Proxy) -> UsageError:
    return UsageError(
        f"{proxy.name}: unsupported proxy",
        hint="Use a proxy URL that starts with http:// or https://",
    )
