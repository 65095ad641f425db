"""Text out of the bytes of a file or a stream, piece by piece, with LF at the end of each line."""

import codecs
import io
from collections.abc import Iterator
from typing import Protocol

from flux_cli.errors import InputError


CHUNK = 1 << 16  # bytes
_LONGEST_LINE = 1 << 26  # characters; a line is kept in memory
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class Readable(Protocol):
    """What can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""


class Text:
    """The text of a stream that messages call `name`, as an iterator of pieces.

    UTF-8, with a byte order mark or without, and UTF-16 with one; LF, CRLF and
    CR end a line. Raises InputError, with the line, for bytes that are not
    text; with `lossy`, only for what is binary.
    """

    def __init__(self, stream: Readable, name: str, *, lossy: bool = False) -> None:
        self.name = name
        self.last = ""
        """The piece that was given last: for a look at what could not be made sense of."""
        self._pieces = self._decoded(stream, lossy=lossy)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = next(self._pieces)
        return self.last

    def _decoded(self, stream: Readable, *, lossy: bool) -> Iterator[str]:
        data = more = stream.read(CHUNK)
        while more and len(data) < len(codecs.BOM_UTF8):
            more = stream.read(CHUNK)
            data += more
        bom = next((bom for bom in _BOMS if data.startswith(bom)), b"")
        encoding = _BOMS.get(bom, "utf-8")
        decoder = _decoder(encoding, "replace" if lossy else "strict")
        data = data[len(bom) :]
        lines = 1
        while True:
            try:
                text = decoder.decode(data, final=not more)
            except UnicodeDecodeError as error:
                if encoding == "utf-8" and b"\0" in error.object:
                    raise self._binary() from None
                self.last = error.object.decode(encoding, "replace")
                before = _decoder(encoding).decode(error.object[: error.start], final=True)
                raise InputError(
                    f"{self.name}:{lines + before.count(chr(10))}: this is not valid"
                    f" {encoding[:6].upper()}",
                    hint="Save the file as UTF-8, or as UTF-16 with a byte order mark",
                ) from None
            if "\0" in text:
                raise self._binary()
            lines += text.count("\n")
            if text:
                yield text
            if not more:
                return
            data = more = stream.read(CHUNK)

    def _binary(self) -> InputError:
        return InputError(
            f"{self.name}: this is a binary file, not text",
            hint="Use text, JSON, JSON lines or CSV, in UTF-8",
        )


def _decoder(encoding: str, errors: str = "strict") -> io.IncrementalNewlineDecoder:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    return io.IncrementalNewlineDecoder(decoder, translate=True)


def lines_of(pieces: Iterator[str], name: str) -> Iterator[str]:
    """Yield the lines of a text without their ends. Raises InputError for an endless one."""
    parts: list[str] = []
    length = 0
    number = 1
    for piece in pieces:
        first, *others = piece.split("\n")
        parts.append(first)
        length += len(first)
        if length > _LONGEST_LINE:
            raise InputError(
                f"{name}:{number}: this line is too long",
                hint=f"Keep lines within {_LONGEST_LINE:,} characters",
            )
        for line in others:
            yield "".join(parts)
            parts, length = [line], len(line)
            number += 1
    if last := "".join(parts):
        yield last
