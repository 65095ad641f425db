"""The way to servers, for the API and for files: an httpx transport of the standard library.

httpx's own one cannot end an exchange at a deadline, look at an address before
it is connected to, or receive a file without copying it three times.
"""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator

from flux_cli.api.certificates import Certificates
from flux_cli.api.connection import Proxy
from flux_cli.api.connection_pool import ConnectionPool, Origin
from flux_cli.api.deadline import Deadline
from flux_cli.api.dialer import Connected, Dialer
from flux_cli.api.http import httpx
from flux_cli.api.http1 import Body, Http1Connection, reason
from flux_cli.api.proxy import ProxyServer, parse_proxy
from flux_cli.api.tls import shake_hands


# With these, the request has certainly not arrived; with any other it may have.
BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)
_PORTS = {"http": 80, "https": 443}


class UntrustedHost(httpx.ConnectError):
    """The certificate is not good, or what answers does not speak TLS."""


class Transport(httpx.BaseTransport):
    """Sends requests over pooled connections, each exchange within `seconds`.

    Raises httpx.TransportError, whose class says how far the request came (see
    BEFORE_SENDING), and ForbiddenAddress where the dialer does.

    Extensions of a request: `renew_after`, the bytes of the reply's body that give
    it its whole time again; `is_repeatable`, that it does no harm to send it twice;
    `buffer`, what the body is received into, piece after piece.
    """

    def __init__(
        self,
        *,
        seconds: float,
        connections: int = 1,
        context: ssl.SSLContext | None = None,
        proxy: ProxyServer | None = None,
        dialer: Dialer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`context` is for https; `connections` are kept for further requests, at most."""
        self._seconds = seconds
        self._context = context
        self._proxy = proxy
        self._dialer = dialer or Dialer()
        self._clock = clock
        self._pool = ConnectionPool(connections, clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request`; its time runs from here to the last byte that is read."""
        deadline = Deadline(self._seconds, self._clock)
        origin = _origin(request.url)
        idle = self._pool.take(origin)
        if idle is None:
            return self._exchange(self._connect(origin, deadline), origin, request, deadline)
        broken: httpx.TransportError | None = None
        try:
            return self._exchange(idle, origin, request, deadline)
        except httpx.ConnectError:
            pass  # It was closed while it was idle, and nothing has been sent.
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            # So it was, or it was closed because of the request.
            if idle.stream.has_received or not request.extensions.get("is_repeatable"):
                raise
            broken = error
        try:
            return self._exchange(self._connect(origin, deadline), origin, request, deadline)
        except BEFORE_SENDING as error:
            raise broken or error from None

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _exchange(
        self,
        connection: Http1Connection,
        origin: Origin,
        request: httpx.Request,
        deadline: Deadline,
    ) -> httpx.Response:
        target, headers = request.url.raw_path, request.headers.raw
        via_proxy = self._proxy is not None and origin[0] == "http"
        if self._proxy is not None and via_proxy:
            target = b"http://" + request.url.netloc + target
            headers = [*headers, *self._proxy.headers]
        try:
            response = connection.exchange(
                request.method, target.decode("ascii"), headers, request.read(), deadline
            )
            if via_proxy:
                _check_proxy(response.status)
        except BaseException:
            self._pool.discard(connection)
            raise

        def end(is_reusable: bool) -> None:
            if is_reusable:
                self._pool.put_back(origin, connection)
            else:
                self._pool.discard(connection)

        step = request.extensions.get("renew_after", 0)
        buffer = request.extensions.get("buffer")
        body = Body(response, deadline, step=step, buffer=buffer, end=end)
        return httpx.Response(response.status, headers=response.raw_headers(), stream=body)

    def _connect(self, origin: Origin, deadline: Deadline) -> Http1Connection:
        """Connect to an origin, or to the proxy that leads there."""
        proxy = self._proxy
        scheme, host, port = origin
        first_host, first_port = (proxy.host, proxy.port) if proxy else (host, port)
        with _connecting():
            connected = self._dialer.dial(first_host, first_port, deadline)
            try:
                if proxy is not None and proxy.scheme == "https":
                    connected = self._secure(connected, proxy.host, deadline)
                if proxy is not None and scheme == "https":
                    _open_tunnel(connected, proxy, host, port, deadline)
                if scheme == "https":
                    connected = self._secure(connected, host, deadline)
            except BaseException:
                connected.close()
                raise
        connection = Http1Connection(connected, deadline)
        self._pool.add(connection)
        return connection

    def _secure(self, connected: Connected, host: str, deadline: Deadline) -> Connected:
        if self._context is None:
            raise httpx.UnsupportedProtocol("a transport without certificates cannot do https")
        return shake_hands(connected, self._context, host, deadline)


def chunks(response: httpx.Response) -> Iterator[bytes]:
    """Return the body of a response, as it came over the wire."""
    if not isinstance(response.stream, httpx.SyncByteStream):
        raise TypeError("the response is not a synchronous one")
    return iter(response.stream)


def _origin(url: httpx.URL) -> Origin:
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol("neither http nor https")
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


@contextlib.contextmanager
def _connecting() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx.ConnectTimeout("timed out while connecting") from error
    except ssl.SSLEOFError as error:
        raise httpx.ConnectError("the connection was closed") from error
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason
        raise UntrustedHost(f"the connection is not secure: {why}") from error
    except OSError as error:
        raise httpx.ConnectError(reason(error)) from error


def _check_proxy(status: int) -> None:
    if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
        raise httpx.ProxyError("the proxy requires authentication")


def _open_tunnel(
    connected: Connected, proxy: ProxyServer, host: str, port: int, deadline: Deadline
) -> None:
    """Have the proxy connect to a server (RFC 9110, section 9.3.6)."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [(b"Host", authority.encode("ascii")), *proxy.headers]
    try:
        response = Http1Connection(connected, deadline).exchange(
            "CONNECT", authority, headers, b"", deadline
        )
    except httpx.TimeoutException as error:
        raise httpx.ConnectTimeout("the proxy timed out") from error
    except httpx.TransportError as error:
        raise httpx.ProxyError("the proxy's reply is not valid HTTP") from error
    if not httpx.codes.is_success(response.status):
        raise httpx.ProxyError(f"the proxy answered {response.status}")


def make_transport(
    *,
    is_encrypted: bool,
    seconds: float,
    connections: int,
    proxy: Proxy | None,
    certificates: Certificates,
    public_only: bool = False,
) -> Transport:
    """Return a transport whose exchanges each end within `seconds`.

    With `public_only` it connects to no private address. Raises UsageError,
    naming the setting, for a proxy or certificate setting that cannot be used.
    """
    server = parse_proxy(proxy) if proxy else None
    is_encrypted = is_encrypted or (server is not None and server.scheme == "https")
    return Transport(
        seconds=seconds,
        connections=connections,
        context=certificates.context() if is_encrypted else None,
        proxy=server,
        dialer=Dialer(public_only=public_only),
    )
