"""JSON values out of a stream, one after the other."""

import json
import re
from collections.abc import Iterator
from typing import Any

from flux_cli.errors import InputError
from flux_cli.input.decoding import CHUNK


_SPACE = re.compile(r"\s*")
_CUT_TOKEN = re.compile(r"[^\s]{0,12}\Z")  # an escape or a word of JSON that may go on


class JsonValues:
    """Reads JSON lines, with or without commas after them, one document, or a long array.

    Of an array, every entry is a value. No more is kept than the value that is
    being read, and what is no JSON is told as soon as it is there.
    """

    def __init__(self, pieces: Iterator[str], name: str) -> None:
        self._pieces = pieces
        self._name = name
        self._buffer = ""
        self._position = 0
        self._line = 1
        self._decoder = json.JSONDecoder()

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        """Yield each value, and the line that it starts in. Raises InputError."""
        in_array = False
        is_first = True
        while (mark := self._next_mark()) is not None:
            if mark == "[" and not in_array:
                in_array = True
                self._advance(self._position + 1)
            elif mark == "," and not is_first:
                self._advance(self._position + 1)
            elif mark == "]" and in_array:
                in_array = False
                self._advance(self._position + 1)
            else:
                line = self._line
                yield self._value(), line
            is_first = False
        if in_array:
            raise self._error("the array is not closed")

    def _next_mark(self) -> str | None:
        """Skip white space and return the character that follows, None at the end."""
        while True:
            self._advance(_end_of_space(self._buffer, self._position))
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return None

    def _value(self) -> Any:
        while True:
            length = len(self._buffer) - self._position
            wanted = 1 if length < CHUNK else length  # a large one is not tried again each time
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as error:
                if not (self._is_cut(error) and self._more(wanted)):
                    self._advance(error.pos)
                    raise self._error(error.msg) from None
            except (ValueError, RecursionError):
                raise self._error("a number is too long or the nesting too deep") from None
            else:
                if end == len(self._buffer) and isinstance(value, float | int) and self._more():
                    continue  # a number may go on
                self._advance(end)
                return value

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Tell whether what follows may mend it: a string or a word is not at its end."""
        return error.msg.startswith("Unterminated string") or bool(
            _CUT_TOKEN.match(self._buffer, error.pos)
        )

    def _more(self, wanted: int = 1) -> bool:
        """Take at least `wanted` further characters; False when there are none at all."""
        parts: list[str] = []
        got = 0
        while got < wanted and (piece := next(self._pieces, None)) is not None:
            parts.append(piece)
            got += len(piece)
        if got:
            self._buffer = "".join([self._buffer[self._position :], *parts])
            self._position = 0
        return got > 0

    def _advance(self, position: int) -> None:
        self._line += self._buffer.count("\n", self._position, position)
        self._position = position

    def _error(self, reason: str) -> InputError:
        return InputError(
            f"{self._name}:{self._line}: invalid JSON: {reason}",
            hint="Use JSON lines, a JSON document, CSV with a header, or plain text",
        )


def _end_of_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position
