"""Real PNG files, of the size that was asked for."""

import math
import re
import struct
import zlib

from flux_cli.sandbox.pictures import paint


_PIXELS = re.compile(r"([0-9]{1,4})x([0-9]{1,4})")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")
_MOST_PIXELS = 2048  # on a side
_AREA = 512 * 512  # of a picture whose size is a ratio


def make_png(seed: int, size: object, prompt: str = "") -> bytes:
    """Return a PNG of `size`: "1024x768" pixels, a ratio as "16:9", else 512x512 pixels."""
    width, height = _dimensions(size)
    palette, rows = paint(seed, width, height, prompt)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            # A row begins with its filter: 0 is none.
            _chunk(b"IDAT", zlib.compress(b"\0" + b"\0".join(rows), 1)),
            _chunk(b"IEND", b""),
        )
    )


def _dimensions(size: object) -> tuple[int, int]:
    text = size if isinstance(size, str) else ""
    if match := _PIXELS.fullmatch(text):
        width, height = int(match[1]), int(match[2])
        return max(1, min(width, _MOST_PIXELS)), max(1, min(height, _MOST_PIXELS))
    match = _RATIO.fullmatch(text)
    ratio = int(match[1]) / int(match[2]) if match else 1.0
    width = 16 * round(math.sqrt(_AREA * ratio) / 16)
    return width, 16 * round(_AREA / width / 16)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
