"""Rates as people write them: `2`, `1/s`, `30/m`, `100/h`."""

import re

from flux_cli.errors import UsageError


_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:/(s|m|h))?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_SLOWEST, _FASTEST = 1 / 3600, 1000.0


def parse_rate(text: str) -> float:
    """Return `text` as a number a second. Raises UsageError for what is no rate."""
    match = _RATE.fullmatch(text.strip().lower())
    rate = float(match[1]) / _SECONDS[match[2]] if match else 0.0
    if not _SLOWEST <= rate <= _FASTEST:
        raise UsageError(
            f"{text!r} is not a rate from 1/h to {_FASTEST:g}/s (such as 2, 1/s, 30/m or 100/h)"
        )
    return rate
