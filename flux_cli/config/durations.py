"""Durations as people write them: `90`, `90s`, `5m`, `1h`, `250ms`."""

import re

from flux_cli.errors import UsageError


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|)")
_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600}


def parse_duration(text: str, *, least: float = 0.0, most: float = 86400.0) -> float:
    """Return `text` in seconds. Raises UsageError outside of `least` to `most` seconds."""
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else -1.0
    if not least <= seconds <= most:
        raise UsageError(
            f"{text!r} is not a duration from {_spelled(least)} to {_spelled(most)}"
            " (as 90, 90s, 5m or 1h)"
        )
    return seconds


def _spelled(seconds: float) -> str:
    unit = next((u for u in ("h", "m") if seconds and not seconds % _SECONDS[u]), "s")
    return f"{seconds / _SECONDS[unit]:g}{unit}"
