"""What files and streams hold: lines, rows of CSV or JSON values, told apart by content.

Everything is read as a stream. What it is read for is no concern of this module.
"""

import csv
import itertools
import re
from collections.abc import Container, Iterator
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from flux_cli.errors import InputError
from flux_cli.input.decoding import CHUNK, Text, lines_of
from flux_cli.input.json_values import JsonValues


_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])[\s_-]+(?=[a-z0-9])")
_DELIMITERS = ",;\t"
_SEP = re.compile(rf"\"?sep=([{_DELIMITERS}])\"?", re.IGNORECASE)  # Excel's first line
_JSON = re.compile(  # `[10:00] done` is a log, and strings that share a line are words
    r"""\{|\[\s*(?:$|["'{\[\]]|-?\d+(?:\.\d+)?\s*(?:$|[,\]]))|"[^"]*"\s*$"""
)
_LONGEST_ROW = 1 << 17  # characters of a row that goes over several lines
_UNCLOSED = "a quotation mark opened in this row is never closed"
_LARGEST_CELL = (1 << 31) - 1


class Kind(Enum):
    """What an entry is."""

    LINE = "a line of text"
    ROW = "a row of CSV: the names of the columns, the same list each time, and the cells"
    VALUE = "a JSON value"


class Entry(NamedTuple):
    """One line, row or value, and the line that it starts in, counted from 1."""

    kind: Kind
    value: Any
    line: int


@lru_cache(1024)
def folded(name: str) -> str:
    """Return what the spellings of a key have in common: ` Task_ID ` and `taskId` are `taskid`."""
    return _BETWEEN_WORDS.sub("", name.strip().lower())


def read_entries(text: Text, columns: Container[str]) -> Iterator[Entry]:
    """Yield what `text` holds. CSV is what has one of `columns`, folded, in its first line.

    Raises InputError, with the line, for JSON or CSV that cannot be read.
    """
    head = ""
    for piece in text:
        head += piece
        if len(head) >= CHUNK or "\n" in head.lstrip():
            break
    first_line = head.lstrip().partition("\n")[0]
    pieces = itertools.chain([head], text)
    if delimiter := _csv_delimiter(first_line, columns):
        return _rows(lines_of(pieces, text.name), text.name, delimiter)
    if _JSON.match(first_line):
        values = JsonValues(pieces, text.name)
        return (Entry(Kind.VALUE, value, line) for value, line in values)
    lines = lines_of(pieces, text.name)
    return (Entry(Kind.LINE, line, number) for number, line in enumerate(lines, 1))


def _csv_delimiter(first_line: str, columns: Container[str]) -> str | None:
    """Return the delimiter that the first line names, or with which it has one of `columns`."""
    if match := _SEP.fullmatch(first_line.rstrip()):
        return match[1]
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([first_line], delimiter=delimiter), [])
        except csv.Error:
            continue
        if any(folded(cell) in columns for cell in cells):
            return delimiter
    return None


class _RowLines:
    """Feeds lines to a CSV reader, and stops it where a quote is never closed."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.taken = 0  # characters of the row that is being read

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.taken > _LONGEST_ROW:
            raise csv.Error(_UNCLOSED)
        line = next(self._lines)
        self.taken += len(line)
        return f"{line}\n"


def _rows(lines: Iterator[str], name: str, delimiter: str) -> Iterator[Entry]:
    csv.field_size_limit(_LARGEST_CELL)  # flux's own cells can be large; _RowLines has a limit
    fed = _RowLines(lines)
    rows = csv.reader(fed, delimiter=delimiter, strict=True)
    header: list[str] = []
    line = 1
    while True:
        fed.taken = 0
        try:
            row = next(rows, None)
        except csv.Error as error:
            reason = str(error)
            if reason in (_UNCLOSED, "unexpected end of data"):
                raise InputError(
                    f"{name}:{line}: {_UNCLOSED}", hint="Close it, or double it where it is text"
                ) from None
            raise InputError(
                f"{name}:{line}: invalid CSV row: {reason}",
                hint="Quote values that contain quotes or line breaks, with those doubled",
            ) from None
        if row is None:
            return
        is_sep = not header and row and row[0].lower().startswith("sep=")
        if not any(map(str.strip, row)) or is_sep or row == header:  # again: two files in one
            pass
        elif not header:
            header = row
        elif any(row[len(header) :]):
            raise InputError(
                f"{name}:{line}: this row has more cells than the header",
                hint="Quote values that contain the separator",
            )
        else:
            row += [""] * (len(header) - len(row))
            yield Entry(Kind.ROW, (header, row), line)
        line = rows.line_num + 1
