"""Task ids in what files and streams hold, and what is there instead of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flux_cli.input.decoding import Text
from flux_cli.input.readers import Kind, folded, read_entries
from flux_cli.models.ids import flaw, flaw_in_text, is_uuid


_ID_KEYS = ("taskid", "id")  # folded, as are these
_LIST_KEYS = ("taskids", "ids", "items")
_NESTED_KEYS = ("data", "result")
_WORD = re.compile(r"[^\s,]+")
_QUOTED = re.compile(r"""^(["'])(.*)\1$""")
_NOT_A_FORMULA = re.compile(r"^'(?=[=+\-@])")  # what flux's own CSV puts before such an id
_LOOKS = (
    (re.compile(r"\s*<"), "HTML or XML"),
    (re.compile(r"\s*[|+]|.*(?:\s\|\s|-\+-)"), "a drawn table"),
    (re.compile(r".*\S[,;\t]\S"), "CSV without task_id or id in its first line"),
    (re.compile(r"\s*(?:[-*+]|\d+[.)])\s"), "a bulleted or numbered list"),
    (re.compile(r"\s*[\w -]{1,40}[:=](?:\s|$)"), "text with labels"),
)
_LONGEST_LOOK = 1000  # characters


class Problem(NamedTuple):
    """Something in the input that should be a task id and is not.

    `message` is a clause about it; with `word`, what comes after `"WORD" is not
    a task id: it `.
    """

    message: str
    word: str | None = None


JsonObject = Mapping[str, Any]
# an id or a problem, the line it starts in, and the JSON object it stood in, if any
FoundId = tuple[str | Problem, int, JsonObject | None]


def read_ids(text: Text) -> Iterator[FoundId]:
    """Yield what `text` holds where ids belong, each with its line, counted from 1.

    Raises InputError, naming the text and the line, for what cannot be read.
    """
    is_list = False
    for kind, value, line in read_entries(text, _ID_KEYS):
        if kind is Kind.LINE:
            for word in _in_line(value, is_list=is_list):
                is_list = True
                yield word, line, None
        elif kind is Kind.ROW:
            yield _in_row(value), line, None
        else:
            for found, record in _in_value(value):
                yield found, line, record


def checked(found: str) -> str | Problem:
    """Return `found` if it can be a task id, else what is wrong with it."""
    reason = flaw(found)
    return Problem(reason, found) if reason else found


def _in_line(line: str, *, is_list: bool) -> Iterator[str | Problem]:
    """Yield the ids in a line of plain text, or one problem; `is_list` if ids came before it."""
    if is_uuid(line):
        yield line
    elif (flawed := _flawed_word(line)) is None:
        yield from _words(line)
    else:
        look = None if is_list else _look(line[:_LONGEST_LOOK])
        yield Problem(f"this looks like {look}, not bare task ids") if look else flawed


def _words(line: str) -> Iterator[str]:
    for match in _WORD.finditer(line):
        word = _QUOTED.sub(r"\2", match[0])
        if word.startswith("#"):
            return
        yield word


def _flawed_word(line: str) -> Problem | None:
    first: str | None = None
    for word in _words(line):
        if reason := flaw_in_text(word):
            return Problem(reason, word)
        first = first or word
        if is_uuid(word) != is_uuid(first):
            other = first if is_uuid(word) else word
            return Problem("is on the same line as a UUID but is not one", other)
    return None


def _look(line: str) -> str | None:
    """Say what a line with something else than ids in it looks like; None for a list of ids."""
    words = list(_words(line))
    if len(words) == 1:
        return None
    for pattern, look in _LOOKS:
        if pattern.match(line):
            return look
    is_prose = 2 * sum(flaw_in_text(word) is not None for word in words) >= len(words)
    return "prose" if is_prose else None


def _in_row(row: Mapping[str, str]) -> str | Problem:
    names = {folded(name): name for name in row}
    name = next((names[key] for key in _ID_KEYS if key in names), None)
    if name is None:
        return Problem("this CSV has no task_id or id column")
    cell = _NOT_A_FORMULA.sub("", row[name].strip())
    return checked(cell) if cell else Problem("this row has no task id")


def _in_value(value: Any) -> Iterator[tuple[str | Problem, JsonObject | None]]:
    """Yield the ids in one JSON value: an id, a task, a submission's or a batch's reply."""
    if isinstance(value, dict):
        yield from _in_object(value)
    else:
        yield _as_id(value) or Problem("this is neither a task id nor an object with one"), None


def _in_object(
    value: JsonObject, *, is_nested: bool = False
) -> Iterator[tuple[str | Problem, JsonObject | None]]:
    entries = {folded(key): entry for key, entry in value.items() if entry is not None}
    key = next((key for key in _ID_KEYS if key in entries), None)
    lists = (entries[key] for key in _LIST_KEYS if isinstance(entries.get(key), list))
    objects = (entries[key] for key in _NESTED_KEYS if isinstance(entries.get(key), dict))
    if key is not None:
        yield (
            _as_id(entries[key]) or Problem("this id is neither a string nor an integer"),
            value,
        )
    elif (items := next(lists, None)) is not None:
        for item in items:
            yield from _in_value(item)
    elif not is_nested and (inner := next(filter(None, objects), None)):
        yield from _in_object(inner, is_nested=True)
    elif error := entries.get("error"):
        yield Problem(f"this is an error reply, not a task: {_reason(error)}"), None
    else:
        yield Problem('this object has no "task_id" or "id"'), None


def _as_id(value: Any) -> str | Problem | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return checked(str(value))
    return checked(value) if isinstance(value, str) else None


def _reason(error: Any) -> str:
    if isinstance(error, dict):
        return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return str(error)
