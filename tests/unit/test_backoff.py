"""How long to wait after trouble: the bounds of chance, and what the service asks for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from flux_cli.api.backoff import backoff, parse_retry_after


NOW = datetime(2025, 1, 8, 12, 0, 0, tzinfo=UTC)


def test_the_bounds_of_chance_grow_twofold_to_20_seconds() -> None:
    failures = [*range(1, 9), 10**9]
    assert [backoff(n, min) for n in failures] == [0.0] * 9
    assert [backoff(n, max) for n in failures] == [0.5, 1, 2, 4, 8, 16, 20, 20, 20]


@pytest.mark.parametrize(
    ("after", "seconds"),
    [(timedelta(seconds=90), 90.0), (-timedelta(hours=1), 0.0), (timedelta(days=99), 7 * 86400.0)],
)
def test_a_date_is_so_many_seconds_away_at_most_a_week(after: timedelta, seconds: float) -> None:
    value = format_datetime(NOW + after, usegmt=True)
    assert parse_retry_after(value, NOW.timestamp()) == seconds


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e3", "Wed, 99 Foo 2025", "nan", "٣"])
def test_what_is_neither_seconds_nor_a_date_says_nothing(value: str) -> None:
    assert parse_retry_after(value, NOW.timestamp()) is None
