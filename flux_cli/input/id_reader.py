"""Task ids in what files and streams hold, and what is there instead of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flux_cli.input.decoding import Text
from flux_cli.input.readers import Kind, folded, read_entries
from flux_cli.models.ids import flaw_in_data, flaw_in_text, is_uuid


_ID_KEYS = ("taskid", "id")  # folded, as are these
_LIST_KEYS = ("taskids", "ids", "items")
_NESTED_KEYS = ("data", "result")
_NONE: frozenset[str] = frozenset()
_TRACE_KEYS = ("traceid", "xtraceid")
_WORD = re.compile(r"[^\s,]+")
_QUOTED = re.compile(r"""^(["'])(.*)\1$""")
_NOT_A_FORMULA = re.compile(r"^'(?=[=+\-@])")  # what flux's own CSV puts before such an id
_LOOKS = (
    (re.compile(r"\s*<[!?/a-z]", re.IGNORECASE), "HTML or XML"),
    (re.compile(r"\s*\|"), "a Markdown table"),
    (re.compile(r"\s*\+-|.*(?:\||-\+-)"), "a table"),
    (re.compile(r".*\S[,;\t]\S"), "CSV without task_id or id in its first line"),
    (re.compile(r"\s*(?:[-*+]|\d+[.)])\s"), "a bulleted or numbered list"),
    (re.compile(r"\s*[\w -]{1,40}[:=](?:\s|$)"), "text with labels"),
)
_LONGEST_LOOK = 1000  # characters


_NO_ID = "this id is neither a string nor an integer"
_IN_JSON = "In JSON an id is text, a number, or in an object as task_id or id"
_IN_CSV = "Correct the row, or take it out"


class Problem(NamedTuple):
    """Something in the input that should be a task id and is not.

    `message` is a clause about it; with `word`, what comes after `"WORD" `.
    `advice` says what to do, where that is not to separate ids well.
    """

    message: str
    word: str | None = None
    advice: str | None = None


class ErrorReply(NamedTuple):
    """A reply to a submission that was refused, so that there is no task; and why it was.

    Flux's own record of a submission without an id is one, too: its fate may be in doubt.
    """

    reason: str
    is_record: bool = False


JsonObject = Mapping[str, Any]
Found = str | Problem | ErrorReply
# what was found, the line it starts in, and the JSON object it stood in, if any
FoundId = tuple[Found, int, JsonObject | None]


def read_ids(text: Text) -> Iterator[FoundId]:
    """Yield what `text` holds where ids belong, each with its line, counted from 1.

    Raises InputError, naming the text and the line, for what cannot be read.
    """
    is_list = False
    rows = _Rows()
    others = _OtherUuids()
    for kind, value, line in read_entries(text, _ID_KEYS):
        if kind is Kind.LINE:
            for word in _in_line(value, is_list=is_list):
                is_list = True
                yield word, line, None
        elif kind is Kind.ROW:
            names, cells = value
            cell = rows.id_in(names, cells)
            if others.names != _NONE and rows.is_guess:
                others.see(cell, zip(names, cells, strict=True))
            yield cell, line, None
        else:
            for found, record in _in_value(value):
                if others.names != _NONE and record is not None and _is_guess(record):
                    others.see(found, record.items())
                yield found, line, record
    if others.names:
        yield others.problem(), 1, None


def checked(found: str) -> str | Problem:
    """Return `found`, out of JSON or CSV, if it can be a task id, else what is wrong with it."""
    reason = flaw_in_data(found)
    return Problem(f"is not a task id: it {reason}", found) if reason else found


class _OtherUuids:
    """Where UUIDs stand each time, while what is called `id` holds none: row numbers do not."""

    def __init__(self) -> None:
        self.names: frozenset[str] | None = None
        """Such places as far as was read; None at the start, and once empty, for ever."""

    def see(self, found: Found, values: Iterable[tuple[str, Any]]) -> None:
        """Note what stands in one row or object beside `found`."""
        if not isinstance(found, str):
            return
        names = _NONE
        if not is_uuid(found):
            names = frozenset(
                name
                for name, value in values
                if isinstance(value, str)
                and is_uuid(value.strip())
                and folded(name) not in _TRACE_KEYS
            )
        self.names = names if self.names is None else self.names & names

    def problem(self) -> Problem:
        """Say where the UUIDs are."""
        name = min(self.names or ())
        return Problem(
            f'"id" holds no UUID here, and "{name}" holds one each time',
            advice=f'Rename "{name}" to task_id, or "id" if it is right',
        )


def _is_guess(record: JsonObject) -> bool:
    return not any(folded(key) == _ID_KEYS[0] for key in record)


class _Rows:
    """Finds the ids in rows of CSV."""

    def __init__(self) -> None:
        self.is_guess = False
        """Whether the column is not called task_id."""
        self._names: Sequence[str] | None = None
        self._column: int | Problem = 0

    def id_in(self, names: Sequence[str], cells: Sequence[str]) -> str | Problem:
        """Return the id in a row, or what is wrong with it."""
        if names is not self._names:
            self._names = names
            self._column = self._choose(names)
        if isinstance(self._column, Problem):
            return self._column
        if cell := _NOT_A_FORMULA.sub("", cells[self._column].strip()):
            found = checked(cell)
            return found._replace(advice=_IN_CSV) if isinstance(found, Problem) else found
        return Problem("this row has no task id", advice=_IN_CSV)

    def _choose(self, names: Sequence[str]) -> int | Problem:
        for key in _ID_KEYS:
            columns = [column for column, name in enumerate(names) if folded(name) == key]
            if len(columns) > 1:
                both = " and ".join(f'"{names[column].strip()}"' for column in columns)
                return Problem(
                    f"this CSV has {len(columns)} columns of task ids: {both}",
                    advice="Rename those that are not to be read",
                )
            if columns:
                self.is_guess = key != _ID_KEYS[0]
                return columns[0]
        return Problem("this CSV has no task_id or id column")


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
            return Problem(f"does not look like a task id: it {reason}", word)
        first = first or word
        if is_uuid(word) != is_uuid(first):
            other = first if is_uuid(word) else word
            return Problem(
                "does not look like a task id: it is on the same line as a UUID but is not one",
                other,
            )
    return None


def _look(line: str) -> str | None:
    """Say what a line with something else than ids in it looks like; None for a list of ids."""
    words = list(_words(line))
    for pattern, look in _LOOKS:
        if pattern.match(line):
            return look
    is_prose = len(words) > 1 and 2 * sum(flaw_in_text(word) is not None for word in words) >= len(
        words
    )
    return "prose" if is_prose else None


def _in_value(value: Any) -> Iterator[tuple[Found, JsonObject | None]]:
    """Yield the ids in one JSON value: an id, a task, a submission's or a batch's reply."""
    if isinstance(value, dict):
        yield from _in_object(value)
    else:
        problem = Problem("this is neither a task id nor an object with one", advice=_IN_JSON)
        yield _as_id(value) or problem, None


def _in_object(
    value: JsonObject, *, is_nested: bool = False
) -> Iterator[tuple[Found, JsonObject | None]]:
    entries = {folded(key): entry for key, entry in value.items() if entry is not None}
    key = next((key for key in _ID_KEYS if key in entries), None)
    if key is not None:
        yield _as_id(entries[key]) or Problem(_NO_ID, advice=_IN_JSON), value
    elif (items := _items(entries)) is not None:
        for item in items:
            yield from _in_value(item)
        count = entries.get("count")
        if isinstance(count, int) and count > len(items) and "items" not in entries:
            yield (
                Problem(
                    f"this names {len(items):,} of {count:,} tasks",
                    advice="Get all their ids with flux tasks check -o ids and --state",
                ),
                None,
            )
    elif not is_nested and (inner := _inner(entries)):
        yield from _in_object(inner, is_nested=True)
    elif error := entries.get("error"):
        yield ErrorReply(_reason(error), is_record="observedat" in entries), None
    else:
        yield Problem('this object has no "task_id" or "id"', advice=_IN_JSON), None


def _items(entries: JsonObject) -> Sequence[Any] | None:
    """Return a list of ids or tasks; in `data` are outputs, unless all have a task_id."""
    for key in _LIST_KEYS:
        if isinstance(items := entries.get(key), list):
            return items
    for key in _NESTED_KEYS:
        items = entries.get(key)
        if isinstance(items, list) and items and all(map(_is_of_task, items)):
            return items
    return None


def _is_of_task(item: Any) -> bool:
    return isinstance(item, dict) and not _is_guess(item)


def _inner(entries: JsonObject) -> JsonObject | None:
    objects = (entries.get(key) for key in _NESTED_KEYS)
    return next((entry for entry in objects if isinstance(entry, dict) and entry), None)


def _as_id(value: Any) -> str | Problem | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return checked(str(value))
    return checked(value) if isinstance(value, str) else None


def _reason(error: Any) -> str:
    if isinstance(error, dict):
        return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    return str(error)
