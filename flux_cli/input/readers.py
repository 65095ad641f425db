"""Task ids out of files and streams: text, JSON, JSON lines or CSV, told apart by content.

Everything is read as a stream, so that memory grows by the ids alone.
"""

import codecs
import csv
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flux_cli.errors import InputError


_CHUNK = 1 << 16  # bytes
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_ID_KEYS = ("task_id", "id")
_SPACE = re.compile(r"\s*")
_NOT_A_FORMULA = re.compile(r"^'(?=[=+\-@])")  # what flux's own CSV puts before such an id


class Readable(Protocol):
    """What can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none only at the end."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that should hold a task id and does not."""

    message: str


JsonObject = Mapping[str, Any]
# an id or a problem, the line it starts in, and the JSON object it stood in, if any
FoundId = tuple[str | Problem, int, JsonObject | None]


def read_ids(stream: Readable, name: str) -> Iterator[FoundId]:
    """Yield what `stream` holds where ids belong, each with its line, counted from 1.

    The ids are not checked. Raises InputError, naming `name` and the line,
    for bytes that are not text and for JSON or CSV that cannot be read.
    """
    chunks = _decoded(stream, name)
    head = ""
    for chunk in chunks:
        head += chunk
        body = head.lstrip()
        if body and ("\n" in body or len(body) >= _CHUNK):
            break
    first_line = head.lstrip().partition("\n")[0]
    text = itertools.chain([head], chunks)
    if delimiter := _csv_delimiter(first_line):
        return _csv_ids(text, name, delimiter)
    if first_line[:1] in ("{", "[", '"'):
        return _JsonStream(text, name).ids()
    return _text_ids(text)


def _decoded(stream: Readable, name: str) -> Iterator[str]:
    chunk = stream.read(_CHUNK)
    bom = next((bom for bom in _BOMS if chunk.startswith(bom)), b"")
    encoding = _BOMS.get(bom, "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)()
    chunk = chunk[len(bom) :]
    lines = 1
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            raise InputError(
                f"{name}:{line}: this is not text in {encoding[:6].upper()}",
                hint="Save the file as UTF-8, or as UTF-16 with a byte order mark",
            ) from None
        if "\0" in text:
            raise InputError(
                f"{name}: this is a binary file, not a list of task ids",
                hint="Give a file of text, JSON, JSON lines or CSV",
            )
        lines += text.count("\n")
        yield text
        if not chunk:
            return
        chunk = stream.read(_CHUNK)


def _lines(chunks: Iterator[str]) -> Iterator[str]:
    parts: list[str] = []
    for chunk in chunks:
        first, *others = chunk.split("\n")
        parts.append(first)
        for line in others:
            yield "".join(parts)
            parts = [line]
    if last := "".join(parts):
        yield last


def _text_ids(chunks: Iterator[str]) -> Iterator[FoundId]:
    for number, line in enumerate(_lines(chunks), 1):
        for word in line.split():
            if word.startswith("#"):
                break
            yield word, number, None


def _csv_delimiter(header: str) -> str | None:
    """Return the delimiter with which `header` has a column for ids, if any does."""
    for delimiter in ",;\t":
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        if any(_column_name(cell) in _ID_KEYS for cell in cells):
            return delimiter
    return None


def _column_name(cell: str) -> str:
    return cell.strip().lower()


def _csv_ids(chunks: Iterator[str], name: str, delimiter: str) -> Iterator[FoundId]:
    rows = csv.reader((f"{line}\n" for line in _lines(chunks)), delimiter=delimiter)
    column = None
    line = 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InputError(f"{name}:{line}: this CSV cannot be read: {error}") from None
        if row is None:
            return
        if column is None and any(row):
            names = [_column_name(cell) for cell in row]
            column = next(names.index(key) for key in _ID_KEYS if key in names)
        elif any(cell.strip() for cell in row) and column is not None:
            cell = row[column].strip() if column < len(row) else ""
            cell = _NOT_A_FORMULA.sub("", cell)
            yield cell or Problem("this row has no task id"), line, None
        line = rows.line_num + 1


class _JsonStream:
    """Reads JSON values one after the other: JSON lines, one document, or a long array."""

    def __init__(self, chunks: Iterator[str], name: str) -> None:
        self._chunks = chunks
        self._name = name
        self._buffer = ""
        self._position = 0
        self._line = 1
        self._decoder = json.JSONDecoder()

    def ids(self) -> Iterator[FoundId]:
        in_array = False
        while (mark := self._next_mark()) is not None:
            if mark == "[" and not in_array:
                in_array = True
                self._advance(self._position + 1)
            elif mark in ",]" and in_array:
                in_array = mark == ","
                self._advance(self._position + 1)
            else:
                line = self._line
                value = self._value()
                for found, record in _ids_in(value):
                    yield found, line, record
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
        wanted = _CHUNK
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as error:
                if not self._more(wanted):
                    self._advance(error.pos)
                    raise self._error(error.msg) from None
                wanted *= 2  # a large value is not tried again for each chunk
            except (ValueError, RecursionError):
                raise self._error("a number too long or nesting too deep") from None
            else:
                self._advance(end)
                return value

    def _more(self, wanted: int = 1) -> bool:
        """Take at least `wanted` further characters; False when there are none at all."""
        parts: list[str] = []
        got = 0
        while got < wanted and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            got += len(chunk)
        if got:
            self._buffer = "".join([self._buffer[self._position :], *parts])
            self._position = 0
        return got > 0

    def _advance(self, position: int) -> None:
        self._line += self._buffer.count("\n", self._position, position)
        self._position = position

    def _error(self, reason: str) -> InputError:
        return InputError(
            f"{self._name}:{self._line}: this JSON cannot be read: {reason}",
            hint="Give JSON lines, a JSON document, CSV with a header, or plain ids",
        )


def _end_of_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _ids_in(value: Any) -> Iterator[tuple[str | Problem, JsonObject | None]]:
    """Yield the ids in one JSON value: an id, a task, a submission's or a batch's reply."""
    if isinstance(value, str):
        yield value, None
    elif isinstance(value, dict):
        key = next((key for key in _ID_KEYS if value.get(key) is not None), None)
        if key is not None:
            task_id = value[key]
            is_text = isinstance(task_id, str)
            yield (task_id if is_text else Problem(f'"{key}" is not a string')), value
        elif isinstance(value.get("items"), list):
            for item in value["items"]:
                yield from _ids_in(item)
        elif value.get("error"):
            reason = _reason(value["error"])
            yield Problem(f"this is a reply about an error, not a task: {reason}"), None
        else:
            yield Problem('this object has no "task_id" and no "id"'), None
    else:
        yield Problem("this is no task id, and no object with one"), None


def _reason(error: Any) -> str:
    if isinstance(error, dict):
        return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return str(error)
