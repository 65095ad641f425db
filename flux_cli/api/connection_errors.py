"""What goes wrong on the way to a server: a ServiceError for each of httpx's."""

from flux_cli import errors
from flux_cli.api.connection import Proxy
from flux_cli.api.http import httpx
from flux_cli.api.transport import BEFORE_SENDING, UntrustedHost
from flux_cli.errors import ServiceError


def service_error(
    error: httpx.HTTPError, url: httpx.URL, *, seconds: float, proxy: Proxy | None
) -> ServiceError:
    """Return what `error`, raised by an exchange with `url`, means for its reader."""
    host = url.host
    may_have_taken_effect = not isinstance(error, BEFORE_SENDING)
    if isinstance(error, UntrustedHost):
        return errors.UntrustedServer(
            f"{host}: {error}",
            code="untrusted_server",
            hint=(
                "Check the base URL and your system clock; behind a corporate proxy, set"
                " SSL_CERT_FILE to its CA certificate"
            ),
            may_have_taken_effect=may_have_taken_effect,
        )
    if isinstance(error, httpx.TimeoutException):
        message = f"{host}: timed out: no complete reply within {seconds:g} seconds"
        code, hint = "timeout", "Check the network, or raise --request-timeout"
    elif isinstance(error, httpx.ProxyError) and proxy is not None:
        message = f"{host}: refused by the proxy set in {proxy.name}"
        code, hint = "proxy_error", f"Check {proxy.name}"
    elif isinstance(error, httpx.ConnectError):
        via = f" through {proxy.name}" if proxy else ""
        address = f"{host}:{url.port}" if url.port else host
        message = f"cannot connect to {address}{via}: {error}"
        code, hint = "unreachable", "Check the network and the base URL"
    else:
        message = f"{host}: the connection was lost before the reply was complete"
        code, hint = "reply_cut", "Check the network"
    return errors.ConnectionFault(
        message, code=code, hint=hint, may_have_taken_effect=may_have_taken_effect
    )
