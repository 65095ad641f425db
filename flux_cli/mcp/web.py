"""The server over streamable HTTP: on this machine, or elsewhere with a bearer token."""

import hmac
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings

from flux_cli import __version__
from flux_cli.api.ip_rules import is_loopback


_HEALTH = "/health"
_STOPPING_SECONDS = 1  # that calls under way have when the server ends
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Guard:
    """Lets in who may come in, and answers all others; a web page may not.

    A page of another origin, or of a name that was made to lead here, is told
    by its headers (DNS rebinding). Where the server listens on this machine,
    its name must be one of this machine's; anywhere else a token is required,
    which no page has. A page must come from where the server is.
    """

    def __init__(self, app: Asgi, *, host: str, token: str | None) -> None:
        self._app = app
        self._is_local = is_loopback(host)
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif refusal := self._refusal(scope["headers"]):
            await _answer(send, *refusal)
        elif scope["path"] == _HEALTH:
            await _answer(send, 200, {"status": "ok", "version": __version__})
        elif not self._has_token(scope["headers"]):
            error = {"error": "a bearer token is required"}
            await _answer(send, 401, error, (b"www-authenticate", b"Bearer"))
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> tuple[int, Any] | None:
        """Return status and body for a request that no client of an agent sends."""
        hosts = [value for key, value in headers if key == b"host"]
        origins = [value for key, value in headers if key == b"origin"]
        host = _name(b"//" + hosts[0]) if len(hosts) == 1 else None
        if host is None or (self._is_local and not is_loopback(host)):
            return 421, {"error": "the host is not this server's"}
        for origin in origins:
            name = _name(origin)
            is_own = name is not None and (is_loopback(name) if self._is_local else name == host)
            if not is_own:
                return 403, {"error": "the origin is not this server's"}
        return None

    def _has_token(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        if self._token is None:
            return True
        given = next((value for key, value in headers if key == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        is_bearer = scheme.lower() == b"bearer"
        return is_bearer and hmac.compare_digest(token.strip(b" "), self._token)


def _name(address: bytes) -> str | None:
    """Return the host of an origin, or of `//host:port`; None where there is none."""
    try:
        parts = urlsplit(address.decode("ascii"))
    except ValueError:
        return None
    return None if "@" in parts.netloc else parts.hostname


async def _answer(send: Any, status: int, body: Any, *headers: tuple[bytes, bytes]) -> None:
    head = [(b"content-type", b"application/json"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def serve_http(
    server: Server[Any], listener: socket.socket, *, host: str, token: str | None
) -> None:
    """Serve on `listener` until a signal ends it. With `token` nothing else is let in."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    guarded_here = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app: Asgi = server.streamable_http_app(transport_security=guarded_here)
    config = uvicorn.Config(
        Guard(app, host=host, token=token),
        lifespan="on",
        ws="none",
        log_config=None,  # what there is to say goes to stderr
        access_log=False,
        timeout_graceful_shutdown=_STOPPING_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])
