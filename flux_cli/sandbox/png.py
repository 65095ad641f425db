"""Real PNG files: a gradient that depends on the seed."""

import re
import struct
import zlib


_SIZE = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_MOST_PIXELS = 2048  # on a side


def make_png(seed: int, size: object) -> bytes:
    """Return a PNG of `size` ("1024x768", else 512x512 pixels) in colours from `seed`."""
    match = _SIZE.fullmatch(size) if isinstance(size, str) else None
    width, height = (int(match[1]), int(match[2])) if match else (512, 512)
    width, height = (max(1, min(side, _MOST_PIXELS)) for side in (width, height))
    top, bottom = seed & 0xFFFFFF, (seed * 2654435761) & 0xFFFFFF
    rows = (
        b"\0" + _mix(top, bottom, row / max(1, height - 1)) * width  # filter type 0, then RGB
        for row in range(height)
    )
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _mix(first: int, second: int, share: float) -> bytes:
    return bytes(
        round((first >> shift & 255) * (1 - share) + (second >> shift & 255) * share)
        for shift in (16, 8, 0)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
