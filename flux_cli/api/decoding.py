"""Reads the body of a reply: whole, decoded, and never larger than a cap."""

import zlib
from collections.abc import Iterable


MAX_BYTES = 16 * 1024 * 1024  # of one decoded reply; 50 records are a tenth of a megabyte
_GZIP = zlib.MAX_WBITS | 16
_MAGIC = b"\x1f"  # a member begins with; the second byte may be in the next chunk
_PIECE = 1 << 16  # bytes decoded at a time


class BodyTooLarge(Exception):
    """The decoded body grew beyond the cap."""


class BodyCut(Exception):
    """The compressed body is damaged, or ended before its end."""


class UnknownEncoding(Exception):
    """The body is compressed in a way that was not asked for."""


def read_body(chunks: Iterable[bytes], encoding: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Join and decode the chunks of a body as they came over the wire.

    `encoding` is the reply's content-encoding, empty for none. Memory stays
    near `max_bytes` whatever arrives. Raises BodyTooLarge, BodyCut and
    UnknownEncoding.
    """
    if encoding in ("", "identity"):
        return _joined(chunks, max_bytes)
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(chunks, max_bytes)
    raise UnknownEncoding(encoding)


def _joined(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            parts.clear()  # whoever keeps the error keeps this frame
            raise BodyTooLarge
        parts.append(chunk)
    return b"".join(parts)


def _gunzipped(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    """Decode the members, one after the other, that a gzip body may have."""
    decoder = zlib.decompressobj(_GZIP)
    body = bytearray()
    for chunk in chunks:
        packed = chunk
        while packed:
            if decoder.eof:
                if not packed.startswith(_MAGIC):
                    break  # padding
                decoder = zlib.decompressobj(_GZIP)
            try:
                body += decoder.decompress(packed, _PIECE)
            except zlib.error as error:
                raise BodyCut from error
            if len(body) > max_bytes:
                body.clear()  # as above
                raise BodyTooLarge
            packed = decoder.unused_data or decoder.unconsumed_tail
    if not decoder.eof:
        raise BodyCut
    return bytes(body)
