"""Ages and durations in a few characters."""

from datetime import UTC, datetime


_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST_AGE = 100 * _DAY  # an older one is a date


def format_age(created_at: float | None, now: float) -> str:
    """Return how long ago `created_at` was (both Unix seconds), as "12m ago"; never negative."""
    if created_at is None:
        return ""
    age = max(0.0, now - created_at)
    if age < _MINUTE:
        return f"{age:.0f}s ago" if age >= 1 else "just now"
    if age < _HOUR:
        return f"{age // _MINUTE:.0f}m ago"
    if age < _DAY:
        return f"{age // _HOUR:.0f}h ago"
    if age < _LONGEST_AGE:
        return f"{age // _DAY:.0f}d ago"
    return datetime.fromtimestamp(created_at, UTC).astimezone().date().isoformat()


def format_duration(seconds: float | None, *, tenths: bool = True) -> str:
    """Return seconds as "9.6s" (without `tenths` "10s"), "42s", "2m 03s" or "1h 02m"."""
    if seconds is None or seconds < 0:
        return ""
    if tenths and seconds < 9.95:  # noqa: PLR2004 - what still rounds to 9.9
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    return f"{whole // _HOUR:,}h {whole % _HOUR // _MINUTE:02}m"


def format_estimate(seconds: int) -> str:
    """Return rounded seconds as "40s", "7 min" or "1h 15m"."""
    if seconds < _MINUTE:
        return f"{seconds}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    return f"{seconds // _HOUR:,}h {seconds % _HOUR // _MINUTE:02}m"
