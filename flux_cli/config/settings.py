"""Where requests go, and the token of the environment: decided from options and variables."""

import contextlib
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flux_cli.api.ip_rules import is_host, is_loopback
from flux_cli.errors import NoToken, UsageError
from flux_cli.token import Token


DEFAULT_BASE_URL = "https://api.acedata.cloud"
_PLATFORM = "https://platform.acedata.cloud"
TOKEN_VARIABLES = ("FLUX_API_TOKEN", "ACEDATACLOUD_API_TOKEN")
BASE_URL_VARIABLES = ("FLUX_API_BASE_URL", "ACEDATACLOUD_API_BASE_URL")
_LONGEST_URL = 2000  # characters
_DEFAULT_PORTS = {"https": 443, "http": 80}


class BaseUrl(NamedTuple):
    """A checked base URL without a slash at its end; `source` says where it was set."""

    text: str
    source: str

    @property
    def origin(self) -> str:
        """Scheme, host and port in one spelling: what a stored token is bound to."""
        parts = urllib.parse.urlsplit(self.text)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        suffix = "" if port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
        return f"{parts.scheme}://{host}{suffix}"

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.text).hostname or ""


class FoundToken(NamedTuple):
    """A token, the place it came from, and what to do when it is rejected, in words."""

    token: Token
    source: str
    remedy: str = ""


def find_base_url(
    option: str | None, environment: Mapping[str, str], of_profile: BaseUrl | None = None
) -> BaseUrl:
    """Return the base URL: option, variable, profile, default. Raises UsageError for a bad one."""
    if option is not None:
        return check_base_url(option, "--base-url")
    for name in BASE_URL_VARIABLES:
        if value := environment.get(name, "").strip():
            return check_base_url(value, name)
    return of_profile or BaseUrl(DEFAULT_BASE_URL, "the default")


def token_page(base_url: BaseUrl) -> str:
    """Return the address where tokens for a service are created, nothing when unknown."""
    return _PLATFORM if base_url.origin == DEFAULT_BASE_URL else ""


def check_base_url(text: str, source: str) -> BaseUrl:
    """Return a base URL that `source` has set. Raises UsageError for a bad one."""
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _bad_url(source, "is not a URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise _bad_url(source, "is not a URL that starts with https:// and a host")
    if not (text.isascii() and text.isprintable()) or set(text) & set(' "<>\\^`{|}'):
        raise _bad_url(source, "contains a character that is not allowed in a URL")
    place = re.escape(f"[{host}]" if ":" in host else host)
    if not is_host(host) or not re.search(f"(^|@){place}(:[0-9]*)?$", parts.netloc.lower()):
        raise _bad_url(source, "has an invalid host")
    if len(text) > _LONGEST_URL:
        raise _bad_url(source, f"is longer than {_LONGEST_URL:,} characters")
    if parts.username is not None or parts.password is not None:
        raise _bad_url(source, "must not contain a user name or password")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise _bad_url(source, "must not contain a query (?) or fragment (#)")
    if parts.scheme == "http" and not is_loopback(host):
        raise _bad_url(
            source, "would send the token unencrypted; http:// is allowed for this machine only"
        )
    return BaseUrl(f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}", source)


def _bad_url(source: str, problem: str) -> UsageError:
    return UsageError(f"{source}: the base URL {problem}", hint=f"Example: {DEFAULT_BASE_URL}")


def token_from_environment(environment: Mapping[str, str]) -> FoundToken | None:
    """Return the token that an environment variable holds. Raises NoToken for a bad one."""
    for name in TOKEN_VARIABLES:
        if value := environment.get(name, "").strip():
            try:
                return FoundToken(Token(value), name, f"Set {name} to a valid token")
            except ValueError as error:
                raise NoToken(
                    f"{name}: this is not a valid token: it {error}",
                    hint=f"Set {name} to the token alone",
                ) from None
    return None


def tokens_in(environment: Mapping[str, str]) -> Iterator[Token]:
    """Yield every token that a variable holds, also one that is not used."""
    for name in TOKEN_VARIABLES:
        with contextlib.suppress(ValueError):
            yield Token(environment.get(name, "").strip())
