"""Prompts in what files and streams hold, each with its fields, and what is there instead of them.

Text has a prompt in each line: `\\` at its end continues it on the next one, after a space;
blank lines and those that begin with `#` are skipped, and `\\#` begins a prompt with `#`.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.readers import Entry, Kind, folded, read_entries
from flux_cli.models.ids import is_uuid
from flux_cli.models.requests import RequestKind, fields_of


_FIELDS = {folded(name): name for kind in RequestKind for name in fields_of(kind)}
_SETTABLE = {key: name for key, name in _FIELDS.items() if name not in ("action", "async")}
_MATERIAL = {  # what tells of a row that it is about a request; folded
    folded(name): name
    for name in ("prompt", "image_url", "keyframes", "start_video", "draft_task_id")
}
_RECORD = ({"id", "request"}, {"state", "outputs"}, {"state", "observedat"})  # folded
_BOM = "\ufeff"
_DEEPEST = 20  # levels of JSON in a label or field
_LONGEST_PROMPT = 1 << 16  # characters, of one that goes over several lines
_LONGEST_HEADER = 10_000  # characters of a line that are looked at
_MOST_NAMES = 10  # of columns, in a message
_LONGEST_NAME = 40  # characters
_NOTHING_SENT = "Nothing was sent"
_AS_TASKS = f"{_NOTHING_SENT}. To see where tasks stand, use flux tasks check"
_AS_COLUMN = f'{_NOTHING_SENT}. Name the column of the prompts "prompt", in the first line'
_AS_HEADER = f"{_NOTHING_SENT}. Make it the first line, with commas, semicolons or tabs in it"
_AS_JSON = f'{_NOTHING_SENT}. In JSON a prompt is text, or in an object as "prompt"'
_AS_TEXT = f"{_NOTHING_SENT}. Plain text has one prompt in each line"
_OF_PROMPTS = f"{_NOTHING_SENT}. Keep only fields of the request, such as prompt, model and size"

_HTML = re.compile(
    r"<(?:!doctype|!--|\?xml|(?:html|head|body|p|div|script|table)\b)", re.IGNORECASE
)
_MARKDOWN = re.compile(r"\|.*\|")
_JSON_IN_TEXT = re.compile(r'\{\s*"|\[\s*[{"]')
_RULE_OF_TABLE = re.compile(r"[\s|+:=-]*[|+][\s|+:=-]*")
_CSV_NAME = re.compile(r".*\.[ct]sv", re.IGNORECASE)
_COLUMN = re.compile(r"[A-Za-z_][\w.-]*(?: [\w.-]+)*")
_QUOTED_CELLS = re.compile(r'"[^"]*"(?:[,;]"[^"]*")+')
_USUAL_COLUMNS = {
    "id",
    "name",
    "title",
    "text",
    "description",
    "caption",
    "url",
    "file",
    "filename",
}


class Found(NamedTuple):
    """One prompt: what the request has, other things that stand with it, and its first line."""

    fields: Mapping[str, Any]
    labels: Mapping[str, str]
    line: int


def read_prompts_in(text: Text) -> Iterator[Found]:
    """Yield the prompts of `text`. Raises InputError for the first thing that is none."""
    entries = read_entries(text, _MATERIAL)
    columns: _Columns | None = None
    lines = _Lines(text.name)
    for entry in entries:
        match entry.kind:
            case Kind.LINE:
                yield from lines.take(entry)
            case Kind.ROW:
                names, cells = entry.value
                columns = columns or _Columns(names, f"{text.name}: this CSV")
                yield columns.found(cells, entry.line)
            case Kind.VALUE:
                yield _in_value(entry.value, text.name, entry.line)
    yield from lines.end()


def refusal_of_line(line: str) -> tuple[str, str] | None:
    """Say what a line, stripped, is instead of a prompt, and what to do; None for a prompt."""
    if all(map(is_uuid, re.split(r"[\s,]+", line.strip(", ")))):
        return "this is a task id, not a prompt", _AS_TASKS
    look = None
    if _HTML.match(line):
        look = "HTML or XML"
    elif _MARKDOWN.fullmatch(line):
        look = "a Markdown table"
    elif _JSON_IN_TEXT.match(line):
        look = "JSON, in a file whose first line is text"
    elif _RULE_OF_TABLE.fullmatch(line):
        look = "a table"
    return (f"this looks like {look}, not a prompt", _AS_TEXT) if look else None


class _Lines:
    """Makes prompts of lines of text."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[str] = []
        self._length = 0
        self._start = 0
        self._is_first = True

    def take(self, entry: Entry) -> Iterator[Found]:
        """Take a line, and yield the prompt that ends with it."""
        line = entry.value.strip().removeprefix(_BOM).lstrip()  # of a file that was appended
        if not self._parts:
            if not line or line.startswith("#"):
                return
            self._start, self._length = entry.line, 0
            self._check(line)
            self._is_first = False
            line = line[1:] if line.startswith("\\#") else line
        goes_on = line.endswith("\\")
        self._parts.append(line[:-1].rstrip() if goes_on else line)
        self._length += len(line)
        if self._length > _LONGEST_PROMPT:
            raise InputError(
                f"{self._name}:{self._start}: this prompt has more than"
                f" {_LONGEST_PROMPT:,} characters",
                hint=_AS_TEXT,
            )
        if not goes_on:
            yield from self.end()

    def end(self) -> Iterator[Found]:
        """Yield the prompt that was begun, if there is one."""
        if self._parts:
            yield Found({"prompt": " ".join(filter(None, self._parts))}, {}, self._start)
            self._parts = []

    def _check(self, line: str) -> None:
        refusal = refusal_of_line(line) or (self._header_refusal(line) if self._is_first else None)
        if refusal:
            message, hint = refusal
            raise InputError(f"{self._name}:{self._start}: {message}", hint=hint)

    def _header_refusal(self, line: str) -> tuple[str, str] | None:
        names = _column_names(line, is_csv=_CSV_NAME.fullmatch(self._name) is not None)
        if names is None:
            return None
        if any(folded(name) in _MATERIAL for name in names):
            return "this looks like the header of CSV", _AS_HEADER
        return _no_prompt("this looks like CSV and", "column", names), _AS_COLUMN


def _column_names(line: str, *, is_csv: bool) -> list[str] | None:
    """Return the cells of a line that looks like the header of CSV, not like a prompt."""
    for delimiter in "\t;,|":
        cells = [
            cell.strip()
            for cell in next(csv.reader([line[:_LONGEST_HEADER]], delimiter=delimiter), [])
        ]
        if len(cells) > 1 and (
            is_csv
            or delimiter == "\t"
            or _QUOTED_CELLS.fullmatch(line.strip())
            or (f"{delimiter} " not in line and _are_columns(cells))
        ):
            return cells
    return [line.strip()] if is_csv else None


def _are_columns(cells: Sequence[str]) -> bool:
    return all(map(_COLUMN.fullmatch, cells)) and any(
        name in _FIELDS or name in _USUAL_COLUMNS for name in map(folded, cells)
    )


class _Columns:
    """What the columns of CSV are: fields of the request, and labels."""

    def __init__(self, names: Sequence[str], subject: str) -> None:
        keys = list(map(folded, names))
        _check_names(names, subject, "column", _AS_COLUMN)
        self._fields = [(n, _FIELDS[key]) for n, key in enumerate(keys) if key in _FIELDS]
        self._labels = [
            (n, names[n].strip() or f"column {n + 1}")
            for n, key in enumerate(keys)
            if key not in _FIELDS
        ]

    def found(self, cells: Sequence[str], line: int) -> Found:
        """Return the prompt in a row."""
        return Found(
            {name: cells[n] for n, name in self._fields if cells[n].strip()},
            {name: cells[n] for n, name in self._labels if cells[n].strip()},
            line,
        )


def _in_value(value: Any, name: str, line: int) -> Found:
    if isinstance(value, str):
        if refusal := refusal_of_line(value.strip()) if value.strip() else None:
            raise InputError(f"{name}:{line}: {refusal[0]}", hint=refusal[1])
        return Found({"prompt": value}, {}, line)
    if not isinstance(value, dict):
        raise InputError(
            f"{name}:{line}: this is neither a prompt nor an object with one", hint=_AS_JSON
        )
    _check_names(list(value), f"{name}:{line}: this object", "key", _AS_JSON)
    if _is_deep(value, _DEEPEST):
        raise InputError(f"{name}:{line}: this object is nested too deep", hint=_AS_JSON)
    fields, labels = {}, {}
    for key, entry in value.items():
        if entry is None:
            continue
        if field := _FIELDS.get(folded(key)):
            fields[field] = entry
        else:
            labels[key.strip()] = entry if isinstance(entry, str) else _compact(entry)
    return Found(fields, labels, line)


def _is_deep(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deep(entry, levels - 1) for entry in inner)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _check_names(names: Sequence[str], subject: str, noun: str, hint: str) -> None:
    """Raise InputError where the names of columns or keys are not those of a request."""
    keys = [folded(name) for name in names]
    if any(parts <= set(keys) for parts in _RECORD):
        raise InputError(f"{subject} is the record of a task, not a request", hint=_OF_PROMPTS)
    if not any(key in _MATERIAL for key in keys):
        raise InputError(_no_prompt(subject, noun, names), hint=hint)
    meant = [_FIELDS.get(key, name.strip()) for key, name in zip(keys, names, strict=True)]
    if twice := next((n for n, count in Counter(filter(None, meant)).items() if count > 1), None):
        both = _listed(n for n, m in zip(names, meant, strict=True) if m == twice)
        raise InputError(f"{subject} has {twice} twice: {both}", hint=f"{_NOTHING_SENT}. Keep one")
    for name, key in zip(names, keys, strict=True):
        if key not in _FIELDS and (field := _field_nearly(key)) and field not in meant:
            raise InputError(
                f'{subject} has a {noun} {_listed([name])}; perhaps "{field}" is meant',
                hint=f"{_NOTHING_SENT}. Correct its name, or choose another one for a label",
            )


@lru_cache(1024)
def _field_nearly(key: str) -> str | None:
    """Return the field that `key` misses by a letter too many or too few, or by two swapped.

    Another letter in place of one is no slip: "code" is a word of its own, not "mode".
    """
    for name, field in _SETTABLE.items():
        short, long = sorted((key, name), key=len)
        if len(long) - len(short) == 1 and short in {
            long[:n] + long[n + 1 :] for n in range(len(long))
        }:
            return field
        if len(long) == len(short) and key in {
            name[:n] + name[n + 1] + name[n] + name[n + 2 :] for n in range(len(name) - 1)
        }:
            return field
    return None


def _no_prompt(subject: str, noun: str, names: Sequence[str]) -> str:
    has = f": its {noun}s are {_listed(names)}" if names else ""
    return f'{subject} has no {noun} "prompt"{has}'


def _listed(names: Iterable[str]) -> str:
    """List names, each whole, so that a token among them can be hidden, or not at all."""
    shown = [
        f'"{name.strip()}"' if len(name) <= _LONGEST_NAME else f"one of {len(name):,} characters"
        for name in names
    ]
    more = [f"{len(shown) - _MOST_NAMES} more"] if len(shown) > _MOST_NAMES else []
    return ", ".join([*shown[:_MOST_NAMES], *more])
