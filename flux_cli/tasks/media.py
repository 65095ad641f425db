"""Pictures and videos: which kind a file is, and whether its end is there, by its bytes alone."""

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


HEAD = 64  # bytes from the beginning of a file that tell its kind
_MOST_PARTS = 100_000  # of one file; a real one has a few hundred
_TAIL = 1 << 16  # bytes in which the end of a JPEG is looked for
_PNG = b"\x89PNG\r\n\x1a\n"
_MP4_BRANDS = re.compile(rb"iso[2-9m]|mp4[12]|avc1|M4V |dash|MSNV")
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


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

    Formats: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), GIF89a, WebP (RFC 9649),
    MP4 (ISO/IEC 14496-12), WebM (RFC 8794).
    """
    match media:
        case Media.PNG:
            return _png_is_whole(file, size)
        case Media.JPEG:
            return _jpeg_is_whole(file, size)
        case Media.GIF:
            return _tail(file, size).rstrip(b"\0").endswith(b"\x3b")
        case Media.WEBP:
            length = int.from_bytes(_at(file, 4, 4), "little")
            return 8 + length <= size
        case Media.MP4:
            return _mp4_is_whole(file, size)
        case Media.WEBM:
            return _webm_is_whole(file, size)


def _at(file: BinaryIO, position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


def _tail(file: BinaryIO, size: int) -> bytes:
    return _at(file, max(0, size - _TAIL), _TAIL)


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


def _jpeg_is_whole(file: BinaryIO, size: int) -> bool:
    position = 2
    for _ in range(_MOST_PARTS):
        marker = _at(file, position, 4)
        if len(marker) < 4 or marker[0] != 0xFF:  # noqa: PLR2004
            return False
        if marker[1] == 0xDA:  # noqa: PLR2004 - the picture itself; the end comes after it
            start = max(position, size - _TAIL)
            return b"\xff\xd9" in _at(file, start, size - start)
        position += 2 + max(2, int.from_bytes(marker[2:]))
    return False


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
        elif length == 0:  # to the end of the file
            length = size - position
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
    if not width:
        return False
    return length is None or start + 4 + width + length <= size


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
