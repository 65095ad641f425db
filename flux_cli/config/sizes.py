"""Sizes as people write them: `500`, `200MB`, `1.5 GB`, `64MiB`."""

import re

from flux_cli.errors import UsageError


_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kmgt]?i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_MOST = 10**15


def parse_size(text: str) -> int:
    """Return `text` in bytes. Raises UsageError outside of 1 byte to a thousand terabytes."""
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match is not None:
        prefix = match[2].lower()
        base = 1024 if prefix.endswith("i") else 1000
        power = _POWERS.get(prefix.removesuffix("i"), 0)
        size = int(float(match[1]) * base**power)
    if not 1 <= size <= _MOST:
        raise UsageError(f"{text!r} is not a size (such as 500kB, 200MB or 1GiB)")
    return size
