"""Ages, durations, and durations as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.config.durations import parse_duration
from flux_cli.errors import UsageError
from flux_cli.output.times import format_age, format_duration


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3600, "just now"),
        (0, "just now"),
        (1, "1s ago"),
        (59, "59s ago"),
        (60, "1m ago"),
        (3599, "59m ago"),
        (3600, "1h ago"),
        (86400, "1d ago"),
        (99 * 86400, "99d ago"),
    ],
)
def test_age(seconds: float, text: str) -> None:
    assert format_age(NOW - seconds, NOW) == text


def test_an_old_age_is_a_date_and_an_unknown_one_is_nothing() -> None:
    assert format_age(1736304669.779, NOW).startswith("2025-01-0")
    assert format_age(None, NOW) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-1, ""),
        (0, "0.0s"),
        (9.6, "9.6s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m 00s"),
        (123, "2m 03s"),
        (3599.7, "1h 00m"),
        (3720, "1h 02m"),
        (4000000, "1,111h 06m"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600), ("250ms", 0.25), (" 1.5M ", 90)],
)
def test_reads_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "nan", "inf", "-5", "5 m", "1w", "1e3", "s", "2d", "٣"])
def test_refuses_what_is_no_duration_and_names_the_range(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration from 0s to 24h"):
        parse_duration(text)


@given(st.text())
def test_reading_a_duration_gives_one_in_range_or_one_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 1 <= parse_duration(text, least=1, most=60) <= 60
