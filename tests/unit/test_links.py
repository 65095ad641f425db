"""Whatever a link or a base URL is: at most one file that is not saved, or one clear line."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flux_cli.api.connection import Proxy
from flux_cli.api.file_client import Access, FileClient
from flux_cli.api.ip_rules import is_host
from flux_cli.config.settings import find_base_url
from flux_cli.errors import DownloadError, ServiceError, UsageError


LABELS = st.sampled_from(
    [
        *("", "a", "xn--", "xn--a", "xn--zz--", "xn--mnchen-3ya", "x" * 63, "x" * 64, "-", "_a"),
        *(
            "ä",
            "ß",
            "xn--\u00e4",
            "\u3002",
            "\u2024",
            "\u202e",
            "\ud800",
            "127",
            "1",
            "999",
            "0x7f",
        ),
        *(
            "[",
            "]",
            "[::1]",
            "[::1%eth0]",
            "[v1.x]",
            "%41",
            "%",
            " ",
            "\0",
            "\n",
            "\\",
            "*",
            "\u0661",
        ),
    ]
)
HOSTS = st.lists(LABELS, max_size=5).map(".".join) | st.text(max_size=20)
LINKS = (
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["https://", "HTTPS://", "http://", "https:", "//", "https:///", "", " "]),
        st.sampled_from(["", "", "", "@", "a@", "a:b@"]),
        HOSTS,
        st.sampled_from(["", "/x.png", "/%", "?x", "#", ":", ":0", ":1", ":65536", ":99999999999"])
        | st.text(max_size=9),
    )
    | st.text(max_size=40)
    | st.just("https://a.example/" + "x" * 70_000)
)
EXAMPLES = [
    *(
        "https://xn--/x.png",
        "https://a..b/",
        "https://.a/",
        "https://xn--zz--.b/",
        "https://a:99999/",
    ),
    *(
        f"https://{'x' * 64}.example/",
        "https://a/\ud800",
        f"https://{'a.' * 200}b/",
        "https://[x]/",
        *("https://.[::1]", "https://[::1%eth0].ä.]"),
    ),
]


def with_examples(test: Callable[..., None]) -> Callable[..., None]:
    for link in EXAMPLES:
        test = example(link=link)(test)
    return test


@pytest.fixture(autouse=True)
def _no_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check names as the system does, but ask no server about them."""
    real = socket.getaddrinfo

    def numeric(*arguments: Any, **options: Any) -> Any:
        return real(*arguments, **options | {"flags": socket.AI_NUMERICHOST})

    monkeypatch.setattr(socket, "getaddrinfo", numeric)


@contextlib.contextmanager
def client(proxy: Proxy | None, *, allows_local: bool) -> Iterator[FileClient]:
    def trace(line: str) -> None:
        line.encode(errors="backslashreplace")

    access = Access(
        request_timeout=1.0,
        connections=1,
        allows_local=allows_local,
        route=lambda _scheme, _host: proxy,
        trace=trace,
    )
    with FileClient(access) as made:
        yield made


@pytest.mark.parametrize(
    ("proxy", "allows_local"),
    [(None, False), (None, True), (Proxy("http://127.0.0.1:1", "HTTPS_PROXY"), False)],
    ids=["checked", "local", "through a proxy"],
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@with_examples
@given(link=LINKS)
def test_any_link_is_at_most_one_file_that_is_not_saved(
    proxy: Proxy | None, link: str, *, allows_local: bool
) -> None:
    """Whichever way it goes: to addresses that are looked at, to any, or through a proxy."""
    with (
        client(proxy, allows_local=allows_local) as files,
        pytest.raises((DownloadError, ServiceError)),
        files.open(link),
    ):
        pass


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@with_examples
@given(link=LINKS)
def test_any_base_url_is_good_in_every_layer_or_refused(link: str) -> None:
    try:
        url = find_base_url(link, {})
    except UsageError as error:
        if not error.message.startswith("--base-url: the base URL "):
            raise
        return
    parsed = httpx.URL(f"{url.text}/flux/tasks")
    assert parsed.host
    assert is_host(url.host)
    with contextlib.suppress(OSError):
        socket.getaddrinfo(parsed.raw_host.decode(), parsed.port)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *[(host, True) for host in ("a", "a.example", "A_b.example.", "1.2.3.4", "::1")],
        *[(host, True) for host in ("xn--mnchen-3ya.de", "a-.b", "1a.b2", "x" * 63)],
        *[(host, False) for host in ("", ".", ".a", "a..b", "a b", "ä", "x" * 64, "a." * 128)],
        *[(host, False) for host in ("xn--", "a.xn--zz--", "1.2.3", "999.1.1.1", "fe80::1%eth0")],
    ],
)
def test_what_can_be_a_host(host: str, expected: bool) -> None:
    assert is_host(host) is expected
