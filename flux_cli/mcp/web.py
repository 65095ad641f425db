"""The server over streamable HTTP: on this machine, or elsewhere with a bearer token."""

import hmac
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings


_REFUSAL = b'{"error": "a bearer token is required"}'
Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class BearerOnly:
    """Lets requests through that carry the token, and answers 401 to all others."""

    def __init__(self, app: Asgi, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request."""
        given = next((v for k, v in scope.get("headers", ()) if k == b"authorization"), b"")
        if scope["type"] != "http" or hmac.compare_digest(given, self._expected):
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})


def serve(server: MCPServer[Any], listener: socket.socket, *, host: str, token: str | None) -> None:
    """Serve on `listener` until a signal ends it. With `token` nothing else is let in."""
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    security = None  # the SDK's own check of hosts and origins, for this machine
    if token is not None:
        security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    app: Asgi = server.streamable_http_app(host=host, transport_security=security)
    config = uvicorn.Config(
        app if token is None else BearerOnly(app, token),
        lifespan="on",
        log_config=None,  # what there is to say goes to stderr
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])
