"""How long to wait after trouble: the service's `Retry-After`, or full jitter."""

import email.utils
import math
import re
from collections.abc import Callable
from datetime import UTC


LONGEST_PAUSE = 60.0  # seconds of Retry-After that are waited out; beyond them flux stops
_FIRST_CEILING = 0.5  # seconds
_LAST_CEILING = 20.0  # seconds
_LONGEST_READ = 7 * 86400.0  # seconds; more than that is as good as never
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def backoff(failures: int, uniform: Callable[[float, float], float]) -> float:
    """Return the seconds to wait after `failures` failures in a row, at least one.

    Full jitter: U(0, min(20, 0.5 * 2^n)), with n counted from 0.
    """
    ceiling = min(_LAST_CEILING, _FIRST_CEILING * 2 ** min(failures - 1, 16))
    return uniform(0.0, ceiling)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3) as seconds from `now`.

    `now` is Unix time. A date in the past is 0; anything that is neither a
    number of seconds nor a date is None. More than a week is a week.
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST_READ)
    date = parse_date(value)
    return None if date is None else min(max(0.0, date - now), _LONGEST_READ)


def parse_date(value: str | None) -> float | None:
    """Read a date of HTTP (RFC 9110, section 5.6.7) as Unix seconds; None for anything else."""
    try:
        date = email.utils.parsedate_to_datetime(value or "")
        seconds = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
