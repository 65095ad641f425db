"""Pictures and videos: which kind a file is, and whether its end is there, by its bytes alone."""

import os
import re
from enum import StrEnum
from typing import BinaryIO


class Media(StrEnum):
    """The kinds of file that are saved; the value is the extension of the file's name."""

    PNG = "png"
    JPEG = "jpg"
    WEBP = "webp"
    GIF = "gif"
    MP4 = "mp4"
    WEBM = "webm"

    @property
    def mime_type(self) -> str:
        """As in `image/png`, which is how protocols name the kind."""
        kind = "video" if self in (Media.MP4, Media.WEBM) else "image"
        return f"{kind}/{'jpeg' if self is Media.JPEG else self.value}"


HEAD = 64  # bytes from the beginning of a file that tell its kind
_MOST_PARTS = 100_000  # of one file; a real one has a few hundred
_MOST_BLOCKS = 2_000_000  # of data in a GIF; they hold 255 bytes each
_STRETCH = 1 << 16  # bytes of a JPEG that are searched at once
_PNG = b"\x89PNG\r\n\x1a\n"
_MP4_BRANDS = re.compile(rb"iso[2-9m]|mp4[12]|avc1|M4V |dash|MSNV")
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # none that stands inside a scan
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_GIF_TABLE = 0x80  # the flag for a table of colours, whose size is in the three lowest bits


def recognise(head: bytes) -> Media | None:  # noqa: PLR0911 - a table
    """Return the kind of file that begins with `head`, at least HEAD bytes of it."""
    if head.startswith(_PNG):
        return Media.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Media.JPEG
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return Media.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Media.WEBP
    if head[4:8] == b"ftyp":
        length = min(int.from_bytes(head[:4]), HEAD)
        brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
        return Media.MP4 if any(map(_MP4_BRANDS.fullmatch, brands)) else None
    if head.startswith(_EBML) and b"\x42\x82\x84webm" in head:
        return Media.WEBM
    return None


def is_whole(file: BinaryIO, media: Media, size: int) -> bool:
    """Tell whether a file of `size` bytes reaches the end that its own format marks.

    What comes after that end does no harm. False for a format's own "to wherever
    the file ends": then only the server can say where that is.

    Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), GIF89a, WebP (RFC 9649),
    MP4 (ISO/IEC 14496-12), WebM (RFC 8794).
    """
    match media:
        case Media.PNG:
            return _png_is_whole(file, size)
        case Media.JPEG:
            return _jpeg_is_whole(file)
        case Media.GIF:
            return _gif_is_whole(file)
        case Media.WEBP:
            length = int.from_bytes(_at(file, 4, 4), "little")
            return 12 < length <= size - 8  # noqa: PLR2004 - a file with a picture in it
        case Media.MP4:
            return _mp4_is_whole(file, size)
        case Media.WEBM:
            return _webm_is_whole(file, size)


def _at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


def _png_is_whole(file: BinaryIO, size: int) -> bool:
    position = len(_PNG)
    for _ in range(_MOST_PARTS):
        header = _at(file, position, 8)
        if len(header) < 8:  # noqa: PLR2004
            return False
        position += 12 + int.from_bytes(header[:4])
        if header[4:] == b"IEND":
            return position <= size
    return False


def _jpeg_is_whole(file: BinaryIO) -> bool:
    position, has_picture = 2, False
    for _ in range(_MOST_PARTS):
        found = _next_marker(file, position)
        if found is None:
            return False
        position, kind = found
        if kind == _JPEG_END:
            return has_picture
        length = int.from_bytes(_at(file, position, 2))
        position += max(2, length)
        has_picture = has_picture or kind == _JPEG_SCAN
    return False


def _next_marker(file: BinaryIO, position: int) -> tuple[int, int] | None:
    """Return where the next marker ends, and its second byte; the data of a scan is skipped."""
    while len(data := _at(file, position, _STRETCH)) > 1:
        if match := _JPEG_MARKER.search(data):
            return position + match.end(), data[match.end() - 1]
        position += len(data) - 1  # the last byte may be the first one of a marker
    return None


def _gif_is_whole(file: BinaryIO) -> bool:
    position = 13 + _table_size(_at(file, 10, 1))
    file.seek(position)
    blocks = 0
    for _ in range(_MOST_PARTS):
        match file.read(1):
            case b"\x3b":
                return True
            case b"\x21":  # an extension
                file.read(1)
            case b"\x2c":  # a picture
                file.seek(_table_size(file.read(9)[8:]) + 1, os.SEEK_CUR)
            case b"\x00":  # some programs fill up with zeros
                continue
            case _:
                return False
        while length := file.read(1)[:1].strip(b"\0"):
            file.seek(length[0], os.SEEK_CUR)
            blocks += 1
            if blocks > _MOST_BLOCKS:
                return False
    return False


def _table_size(flags: bytes) -> int:
    """Return the bytes of the table of colours that a byte of flags announces."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & _GIF_TABLE else 0


def _mp4_is_whole(file: BinaryIO, size: int) -> bool:
    position = 0
    kinds: set[bytes] = set()
    for _ in range(_MOST_PARTS):
        if position >= size:
            return position == size and b"mdat" in kinds and bool(kinds & {b"moov", b"moof"})
        header = _at(file, position, 16)
        if len(header) < 8:  # noqa: PLR2004
            return False
        length = int.from_bytes(header[:4])
        if length == 1:
            length = int.from_bytes(header[8:16])
        if length < 8:  # noqa: PLR2004
            return False
        kinds.add(header[4:8])
        position += length
    return False


def _webm_is_whole(file: BinaryIO, size: int) -> bool:
    head = _at(file, 0, 4096)
    length, width = _ebml_number(head[4:12])
    start = 4 + width + (length or 0)
    if length is None or head[start : start + 4] != _SEGMENT:
        return False
    length, width = _ebml_number(head[start + 4 : start + 12])
    return length is not None and start + 4 + width + length <= size


def _ebml_number(data: bytes) -> tuple[int | None, int]:
    """Return a number and its width in bytes; None for "unknown", which a stream may have."""
    if not data or not data[0]:
        return None, 0
    width = 9 - data[0].bit_length()
    if len(data) < width:
        return None, 0
    mask = (1 << 7 * width) - 1
    number = int.from_bytes(data[:width]) & mask
    return (None if number == mask else number), width
