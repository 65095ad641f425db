"""Small files of every kind that is saved, built as their formats have it."""

import struct
import zlib

from flux_cli.models.media import Media


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + kind + data


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _ebml(identifier: bytes, data: bytes) -> bytes:
    return identifier + struct.pack(">Q", 1 << 56 | len(data)) + data


_DOCTYPE = _ebml(b"\x42\x86", b"\x01") + b"\x42\x82\x84webm"
FILES = {
    Media.PNG: b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes((4 * y,)) * 64 for y in range(64)), 1))
    + _chunk(b"IEND", b""),
    Media.JPEG: b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xdb\x00\x43\x00" + b"\x10" * 64 + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    b"\x12\x34\xff\x00\x56" * 40 + b"\xff\xd9",
    Media.GIF: b"GIF89a\x40\x00\x40\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00"
    b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x40\x00\x40\x00\x80;;;;;;\x02"
    + (b"\x3a" + b";" * 58) * 2
    + b"\x02;\x00\x00;",
    Media.WEBP: b"RIFF"
    + struct.pack("<I", 4 + 8 + 200)
    + b"WEBPVP8 "
    + struct.pack("<I", 200)
    + b"\x55" * 200,
    Media.MP4: _box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2mp41")
    + _box(b"moov", _box(b"mvhd", b"\x00" * 100))
    + _box(b"mdat", b"\x11" * 300),
    Media.WEBM: _ebml(b"\x1a\x45\xdf\xa3", _DOCTYPE) + _ebml(b"\x18\x53\x80\x67", b"\x22" * 300),
}
