"""Durations as people write them: `90`, `90s`, `5m`, `1h`, `2d`, `250ms`."""

import re

from flux_cli.errors import UsageError


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|)")
_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str, *, least: float = 0.0, most: float = 86400.0) -> float:
    """Return `text` in seconds. Raises UsageError outside of `least` to `most` seconds."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else -1.0
    if not least <= seconds <= most:
        raise UsageError(
            f"{text!r} is not a duration from {format_duration(least)} to {format_duration(most)}"
            " (such as 90, 90s, 5m, 1h or 2d)"
        )
    return seconds


def format_duration(seconds: float) -> str:
    """Return `seconds` as `parse_duration` reads them, in the largest unit that is whole."""
    unit = next((u for u in ("h", "m") if seconds and not seconds % _SECONDS[u]), "s")
    return f"{seconds / _SECONDS[unit]:.9f}".rstrip("0").rstrip(".") + unit
