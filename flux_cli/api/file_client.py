"""Fetches files from wherever the service says they are: no token, no private address, no surprise.

Such a URL is text from outside. It must not make flux reach into the network
that it runs in, tell a secret, or wait for ever.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Self

from flux_cli import __version__, errors
from flux_cli.api.backoff import parse_retry_after
from flux_cli.api.certificates import Certificates
from flux_cli.api.connection import Proxy
from flux_cli.api.connection_errors import service_error
from flux_cli.api.dialer import ForbiddenAddress
from flux_cli.api.http import httpx
from flux_cli.api.ip_rules import is_host, is_loopback, is_public
from flux_cli.api.transport import chunks, make_transport
from flux_cli.errors import DownloadError, FluxError


MOST_REDIRECTS = 5
STEP = 1 << 16  # bytes that have to arrive within each `request_timeout`
_HEADERS = {
    "accept": "image/*, video/*",
    "accept-encoding": "identity",
    "user-agent": f"flux-tasks/{__version__}",
}
_BUFFER = 1 << 19  # bytes that are received at a time, at most
_LAST_PORT = 65535
_EXPIRED = frozenset({403, 404, 410})
_PASSING = frozenset({408, 425})
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})")


class Access(NamedTuple):
    """How files are fetched.

    `request_timeout` is in seconds; `allows_local` permits http and private
    addresses, for a service on this machine; `route` names the proxy for a URL's
    scheme and host; `trace` receives a line for each request and reply.
    """

    request_timeout: float
    connections: int
    allows_local: bool
    route: Callable[[str, str], Proxy | None]
    certificates: Certificates = Certificates()
    trace: Callable[[str], None] | None = None


class FileResponse(NamedTuple):
    """A file, or the rest of one, on its way.

    `start` is the offset of the first byte, `total` the size of the whole file
    where the server tells it, `validator` what proves later that it is still
    the same file. A chunk is only good until the next one is asked for.
    """

    start: int
    total: int | None
    validator: str | None
    chunks: Iterator[bytes]


class FileClient:
    """Fetches files over pooled connections; safe to use from several threads."""

    def __init__(
        self,
        access: Access,
        *,
        now: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Build the client; no connection is made yet. `transport` is for tests."""
        self._access = access
        self._given = transport
        self._now = now
        self._transports: dict[tuple[str, Proxy | None], httpx.BaseTransport] = {}
        self._lock = threading.Lock()
        self._of_thread = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for transport in (self._given, *self._transports.values()):
            if transport is not None:
                transport.close()

    @contextlib.contextmanager
    def open(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> Iterator[FileResponse]:
        """Ask for a file, or with `start` and `validator` for the rest of it.

        Raises a ServiceError for trouble that may pass, and DownloadError for
        what will not. The server may send the whole file though only the rest
        was asked for: see `FileResponse.start`.
        """
        headers = {"range": f"bytes={start}-", "if-range": validator} if start and validator else {}
        target = _parsed(url)
        for _ in range(MOST_REDIRECTS + 1):
            proxy = self._admit(target)
            transport = self._transport(target.scheme, proxy)
            self._say(f"> GET {target}")
            try:
                sent = _sent(transport, target, _HEADERS | headers, self._buffer())
                with contextlib.closing(sent) as response:
                    self._say(f"< {response.status_code}")
                    if response.has_redirect_location:
                        target = _parsed(response.headers["location"], target)
                        continue
                    yield self._reply(response, target.host)
                    return
            except httpx.HTTPError as error:
                raise _lasting(
                    service_error(error, target, seconds=self._access.request_timeout, proxy=proxy)
                ) from error
            except ForbiddenAddress:
                raise _forbidden(target) from None
        raise DownloadError(f"too many redirects (more than {MOST_REDIRECTS})", code="redirects")

    def _admit(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for `url`. Raises DownloadError where flux does not go."""
        is_local = is_loopback(url.host)
        if url.scheme != "https" and not (
            url.scheme == "http" and is_local and self._access.allows_local
        ):
            raise DownloadError(
                f"the link does not start with https:// ({url.scheme}:)", code="forbidden_link"
            )
        if not url.host or url.userinfo:
            raise DownloadError(
                "the link has no host, or contains a user name", code="forbidden_link"
            )
        if not self._access.allows_local and (is_local or _is_private_literal(url.host)):
            raise _forbidden(url)
        return self._access.route(url.scheme, url.host)

    def _transport(self, scheme: str, proxy: Proxy | None) -> httpx.BaseTransport:
        if self._given is not None:
            return self._given
        with self._lock:
            if (scheme, proxy) not in self._transports:
                self._transports[scheme, proxy] = make_transport(
                    is_encrypted=scheme == "https",
                    seconds=self._access.request_timeout,
                    connections=self._access.connections,
                    proxy=proxy,
                    certificates=self._access.certificates,
                    # what a proxy connects to is the proxy's to decide
                    public_only=not self._access.allows_local and proxy is None,
                )
            return self._transports[scheme, proxy]

    def _buffer(self) -> memoryview:
        """Return what this thread receives into: it fetches one file at a time."""
        if not hasattr(self._of_thread, "buffer"):
            self._of_thread.buffer = memoryview(bytearray(_BUFFER))
        buffer: memoryview = self._of_thread.buffer
        return buffer

    def _reply(self, response: httpx.Response, host: str) -> FileResponse:
        status, headers = response.status_code, response.headers
        if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise errors.RangeRefused("the file changed during the download", code="range_refused")
        if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise self._refusal(response, host)
        if headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise DownloadError("it uses a compression that flux did not ask for", code="encoded")
        start, total = 0, _whole_number(headers.get("content-length"))
        if status == httpx.codes.PARTIAL_CONTENT:
            match = _RANGE.fullmatch(headers.get("content-range", ""))
            if match is None:
                raise errors.RangeRefused(
                    "the server sent only part of the file", code="range_refused"
                )
            start, total = int(match[1]), int(match[2])
        return FileResponse(start, total, _validator(headers), chunks(response))

    def _refusal(self, response: httpx.Response, host: str) -> FluxError:
        status = response.status_code
        answer = f"{host} answered HTTP {status}"
        if status in _EXPIRED:
            return DownloadError(f"the link has expired (HTTP {status})", code="expired")
        if status == httpx.codes.TOO_MANY_REQUESTS:
            pause = parse_retry_after(response.headers.get("retry-after"), self._now())
            return errors.RateLimited(answer, code="http_429", retry_after=pause)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _PASSING:
            return errors.ServerFault(answer, code=f"http_{status}")
        return DownloadError(answer, code=f"http_{status}")

    def _say(self, line: str) -> None:
        if self._access.trace is not None:
            self._access.trace(line)


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        made = base.join(url) if base is not None else httpx.URL(url)
        host = made.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        raise _not_a_url() from None
    if (host and not is_host(host)) or (made.port or 0) > _LAST_PORT:
        raise _not_a_url()
    return made


def _sent(
    transport: httpx.BaseTransport, url: httpx.URL, headers: Mapping[str, str], buffer: memoryview
) -> httpx.Response:
    """Ask for `url`; whatever a layer below takes for no URL after all, is none."""
    extensions = {"is_repeatable": True, "renew_after": STEP, "buffer": buffer}
    try:
        return transport.handle_request(
            httpx.Request("GET", url, headers=headers, extensions=extensions)
        )
    except (ValueError, OverflowError):
        raise _not_a_url() from None


def _not_a_url() -> DownloadError:
    return DownloadError("the link is not a URL", code="forbidden_link")


def _is_private_literal(host: str) -> bool:
    is_address = ":" in host or host.rpartition(".")[2].isdecimal()
    return is_address and not is_public(host)


def _forbidden(url: httpx.URL) -> DownloadError:
    return DownloadError(
        f"{url.host} is a private address; flux does not follow links to it",
        code="forbidden_address",
    )


def _lasting(error: errors.ServiceError) -> FluxError:
    """Return `error`; a bad certificate concerns this file, not the run."""
    if isinstance(error, errors.UntrustedServer):
        return DownloadError(error.message, code=error.code, hint=error.hint)
    return error


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None


def _validator(headers: httpx.Headers) -> str | None:
    """Return what `If-Range` may hold (RFC 9110, section 13.1.5): a strong tag, else a date.

    None where it could not be sent.
    """
    tag: str = headers.get("etag", "")
    value: str = tag if tag.startswith('"') else headers.get("last-modified", "")
    return value if value and value.isascii() and value.isprintable() else None
