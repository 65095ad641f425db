"""How large a picture is, by its header alone: nothing is decoded."""

import re

from flux_cli.models.media import Media


_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # segments that tell the size
_MOST_SEGMENTS = 10_000
_JPEG_MARKER = re.compile(rb"\xff+([\x01-\xfe])")


def picture_size(data: bytes, media: Media) -> tuple[int, int] | None:
    """Return width and height in pixels; None where the header does not tell, or for a video.

    Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), GIF89a, WebP (RFC 9649).
    """
    match media:
        case Media.PNG:
            size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        case Media.JPEG:
            size = _jpeg_size(data)
        case Media.GIF:
            size = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
        case Media.WEBP:
            size = _webp_size(data)
        case _:
            return None
    return size if all(size) else None


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    for _ in range(_MOST_SEGMENTS):
        match = _JPEG_MARKER.match(data, position)
        if match is None:
            break
        position = match.end()
        if match[1][0] in _JPEG_FRAMES:
            height, width = data[position + 3 : position + 5], data[position + 5 : position + 7]
            return int.from_bytes(width), int.from_bytes(height)
        position += max(2, int.from_bytes(data[position : position + 2]))
    return 0, 0


def _webp_size(data: bytes) -> tuple[int, int]:
    def number(start: int, length: int) -> int:
        return int.from_bytes(data[start : start + length], "little")

    match data[12:16]:
        case b"VP8 ":
            return number(26, 2) & 0x3FFF, number(28, 2) & 0x3FFF
        case b"VP8L":
            bits = number(21, 4)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return number(24, 3) + 1, number(27, 3) + 1
    return 0, 0
