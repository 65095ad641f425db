"""Moments as people write them: `2h` (ago), `2026-11-20`, `2026-11-20T09:30`, `…+01:00`."""

from datetime import UTC, datetime
from typing import NamedTuple

from flux_cli.config.durations import parse_duration
from flux_cli.errors import UsageError


_LONGEST_AGE = 10 * 365 * 86400.0  # seconds


class Moment(NamedTuple):
    """A moment, as it was written: a time in Unix seconds, or how many seconds ago."""

    text: str
    at: float | None = None
    ago: float = 0.0

    def resolve(self, now: float) -> float:
        """Return Unix seconds; `now` is what "ago" counts from."""
        return now - self.ago if self.at is None else self.at


def parse_moment(text: str) -> Moment:
    """Read a duration (that long ago) or an ISO 8601 date or time, local where it names no zone.

    Raises UsageError.
    """
    text = text.strip()
    try:
        return Moment(text, ago=parse_duration(text, most=_LONGEST_AGE))
    except UsageError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return Moment(text, at=moment.timestamp())
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{text!r} is neither a duration (2h, 7d) nor a date (2026-11-20, 2026-11-20T09:30)"
        ) from None


def format_moment(at: float) -> str:
    """Return Unix seconds as a local date and time, to the minute."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
