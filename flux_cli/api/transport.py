"""The way to a server, and what goes wrong on it: transports, and ServiceErrors for httpx's."""

import ssl
from collections.abc import Sequence

from flux_cli import errors
from flux_cli.api.connection import Proxy
from flux_cli.api.deadline import DeadlineTransport
from flux_cli.api.http import httpx
from flux_cli.errors import ServiceError, UsageError


def make_transport(
    *,
    is_encrypted: bool,
    seconds: float,
    connections: int,
    proxy: Proxy | None,
    public_only: bool = False,
) -> DeadlineTransport:
    """Return a transport whose exchanges each end within `seconds`.

    With `public_only` it connects to no private address. Raises UsageError,
    naming the setting, for a proxy or certificate setting that cannot be used.
    """
    try:
        return DeadlineTransport(
            seconds=seconds,
            public_only=public_only,
            verify=_ssl_context(is_encrypted=is_encrypted),
            proxy=proxy and proxy.url,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=60.0,
            ),
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        raise UsageError(
            f"{proxy.name if proxy else 'proxy'}: flux cannot use this proxy",
            hint="Use a proxy URL that starts with http:// or https://",
        ) from None


def _ssl_context(*, is_encrypted: bool) -> ssl.SSLContext:
    """Return what verifies the server; loading the certificates takes a while."""
    if not is_encrypted:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is never asked
    try:
        return httpx.create_ssl_context(trust_env=True)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"SSL_CERT_FILE or SSL_CERT_DIR: the certificates cannot be read: {error.strerror}",
            hint="Correct the variable, or unset it",
        ) from None


def service_error(
    error: httpx.HTTPError, url: httpx.URL, *, seconds: float, proxy: Proxy | None
) -> ServiceError:
    """Return what `error`, raised by an exchange with `url`, means for its reader."""
    host = url.host
    causes = list(_causes(error))
    bad_certificate = next((c for c in causes if isinstance(c, ssl.SSLError)), None)
    if bad_certificate is not None:
        reason = getattr(bad_certificate, "verify_message", "") or bad_certificate.reason
        return errors.UntrustedServer(
            f"{host}: the connection is not secure: {reason}",
            code="untrusted_server",
            hint="Check the base URL and this machine's clock; behind a company's proxy,"
            " name its certificate in SSL_CERT_FILE",
        )
    if isinstance(error, httpx.TimeoutException):
        return errors.ConnectionFault(
            f"{host}: no whole reply within {seconds:g} seconds",
            code="timeout",
            hint="Check the network, or allow more with --request-timeout",
        )
    if isinstance(error, httpx.ProxyError) and proxy is not None:
        return errors.ConnectionFault(
            f"{host}: the proxy from {proxy.name} refuses",
            code="proxy_error",
            hint=f"Check {proxy.name}",
        )
    if isinstance(error, httpx.ConnectError):
        via = f" through {proxy.name}" if proxy else ""
        address = f"{host}:{url.port}" if url.port else host
        return errors.ConnectionFault(
            f"cannot connect to {address}{via}: {_plain_reason(causes)}",
            code="unreachable",
            hint="Check the network and the base URL",
        )
    return errors.ConnectionFault(
        f"{host}: the connection broke before the reply was whole",
        code="reply_cut",
        hint="Check the network",
    )


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _plain_reason(causes: Sequence[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return "no connection"
