"""Moments as people write them."""

import time
from collections.abc import Iterator

import pytest

from flux_cli.config.moments import format_moment, parse_moment
from flux_cli.errors import UsageError


NOW = 1_790_000_000.0


@pytest.fixture(autouse=True)
def _in_tokyo() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - 7200),
        ("7d", NOW - 7 * 86400),
        (" 90 ", NOW - 90),
        ("400d", NOW - 400 * 86400),
        ("2026-11-20", 1795100400.0),  # midnight in Tokyo
        ("2026-11-20T09:30", 1795134600.0),
        ("2026-11-20 09:30:00Z", 1795167000.0),
        ("2026-11-20T09:30+01:00", 1795163400.0),
    ],
)
def test_how_long_ago_or_when(text: str, at: float) -> None:
    assert parse_moment(text).resolve(NOW) == at


@pytest.mark.parametrize("text", ["", "soon", "-1h", "2026-13-01", "9999d", "0001-01-01", "1e3"])
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(UsageError, match="neither a duration"):
        parse_moment(text).resolve(NOW)


def test_a_moment_is_shown_in_local_time() -> None:
    assert format_moment(1795134600.0) == "2026-11-20 09:30"
