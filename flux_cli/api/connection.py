"""Where requests go, and how: everything a client needs to know, decided before it is built."""

from collections.abc import Callable
from typing import NamedTuple

from flux_cli.api.certificates import Certificates
from flux_cli.token import Token


class Proxy(NamedTuple):
    """A proxy's URL, and the name of the setting that it came from."""

    url: str
    name: str


class Connection(NamedTuple):
    """One service and the way to it.

    `base_url` has no slash at its end; `token_remedy` says what to do when the
    token is rejected; `request_timeout` is in seconds for a whole exchange;
    `trace` receives a line for each request and reply.
    """

    base_url: str
    token: Token
    token_remedy: str = ""
    request_timeout: float = 30.0
    concurrency: int = 8
    proxy: Proxy | None = None
    certificates: Certificates = Certificates()
    trace: Callable[[str], None] | None = None
