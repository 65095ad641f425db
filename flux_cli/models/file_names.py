"""File names for outputs: from a template, one plain name each, the same on every run.

A name is a function of the task, with the row and the labels that its run gave it,
and of the output's number alone, so that a second run finds what the first one
saved. And no two outputs share one, because
task and number can be read back from it, whatever the other values are, also
where capitals and the spelling of accents make no difference:

- No value holds a separator: a plain id is made of a-z, 0-9 and "-", any other
  one is followed by "+" and a digest, and other values are letters, marks,
  digits and "-". So the pieces between the separators of a name are those
  between the separators of the template, and "+" tells what kind of id it is.
- An id or number with nothing that varies in its piece, but for the other of
  the two where they cannot run together, can be read from it (`_tells`).
- Where the template does not tell the one or the other in this way, "_" and a
  digest of the id, or "_" and the number beyond 1, stand at the end.
- What is too long is made shorter value by value; separators, ids and numbers stay.
"""

import base64
import hashlib
import re
import string
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from flux_cli.models.ids import match_key
from flux_cli.models.media import Media
from flux_cli.models.task import Task


_LONGEST_COMPONENT = 200  # bytes of UTF-8; file systems take 255
_LONGEST_TAIL = 25  # bytes of what is added at the end
_LONGEST_PROMPT = 60  # characters
_LONGEST_VALUE = 40  # characters of any other value
_LONGEST_TEMPLATE = 300  # characters
_LIMITS = (_LONGEST_PROMPT, _LONGEST_VALUE, 30, 20, 12, 8, 4)  # tried until a name fits
_MOST_BYTES = {"id": 64, "n": 11, "row": 10, "ext": 4}  # of a value; any other can be cut to 16
_UNKNOWN = "unknown"
_PLAIN_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*\ud800-\udfff]')  # Windows refuses them
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_NUMBER_FORMAT = re.compile(r"0?[1-9]?")
_NUMBERS = ("n", "row")
_SUFFIX = ".{ext}"

_SEPARATOR = re.compile(r"(?=[\x20-\x7e])[^0-9A-Za-z-]")
# Pieces of a template, as _shape writes them, that tell the id, the number, or both.
_TELLS_ID = re.compile("[c0]*I[c0]*")
_TELLS_NUMBER = re.compile("[c0]*N[c0]*")
_TELLS_BOTH = re.compile("[c0]*(I[c0]*cN|Nc[c0]*I)[c0]*")


class _Field(NamedTuple):
    name: str
    spec: str


_Component = list[str | _Field]  # of a path: literal text and fields, in their order


class NameTemplate:
    """What `--name` takes: text with fields in braces, `/` between folders."""

    def __init__(self, text: str) -> None:
        """Raise ValueError, saying why, when names cannot be made from `text`."""
        if len(text) > _LONGEST_TEMPLATE:
            raise ValueError(f"is longer than {_LONGEST_TEMPLATE} characters")
        try:
            parts = list(string.Formatter().parse(text.removesuffix(_SUFFIX)))
        except ValueError as error:
            raise ValueError(f"cannot be read: {error}") from None
        self._components: list[_Component] = [[]]
        for literal, field, spec, conversion in parts:
            if bad := _NOT_IN_NAMES.search(literal):
                raise ValueError(f"contains {bad[0]!r}, which is not allowed in file names")
            first, *others = literal.split("/")
            self._components[-1].append(first)
            self._components += [[other] for other in others]
            if field is not None:
                _check_field(field, spec or "", conversion)
                self._components[-1].append(_Field(field, spec or ""))
        *folders, _ = self._components
        if any(_Field("ext", "") in folder for folder in folders):
            raise ValueError("has {ext} in a folder name")
        if any(_is_empty(component) for component in self._components):
            raise ValueError('has an empty name, "." or ".." between its slashes')
        self._tells_id = self._tells(_TELLS_ID)
        self._tells_number = self._tells(_TELLS_NUMBER)

    @property
    def labels(self) -> list[str]:
        """The names of the labels in it."""
        fields = (f for part in self._components for f in part if isinstance(f, _Field))
        return [field.spec or "" for field in fields if field.name == "label"]

    def path(self, task: Task, number: int, media: Media) -> PurePosixPath:
        """Return the relative path for output `number` of `task`, counted from 1."""

        def value(field: _Field, longest: int) -> str:
            return _value(field, task, number, media, longest)

        *folders, last = self._components
        tail = "" if self._tells_id else f"_{_digest(match_key(task.id))}"
        if not self._tells_number and number > 1:
            tail += f"_{number}"
        name = _rendered(last, value, _LONGEST_COMPONENT - len(tail)) + tail
        return PurePosixPath(
            *(_component(_rendered(folder, value, _LONGEST_COMPONENT)) for folder in folders),
            f"{_component(name)}.{media.value}",
        )

    def paths(self, task: Task, number: int) -> dict[Media, str]:
        """Return the relative path for each kind of file that an output may turn out to be."""
        if _Field("ext", "") in self._components[-1]:
            return {media: str(self.path(task, number, media)) for media in Media}
        stem = str(self.path(task, number, Media.PNG)).removesuffix(Media.PNG.value)
        return {media: stem + media.value for media in Media}

    def _tells(self, alone: re.Pattern[str]) -> bool:
        """Tell whether a piece that matches `alone`, or tells both, is in every name."""
        if max(map(_longest, self._components)) > _LONGEST_COMPONENT - _LONGEST_TAIL:
            return False  # such names are cut anywhere
        pieces = " ".join(map(_shape, self._components)).split(" ")
        return any(alone.fullmatch(piece) or _TELLS_BOTH.fullmatch(piece) for piece in pieces)


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in (*_FIELDS, "label", "ext"):
        allowed = ", ".join(f"{{{name}}}" for name in (*_FIELDS, "label:NAME", "ext"))
        raise ValueError(f"has the unknown field {{{field}}}; the fields are {allowed}")
    if conversion:
        raise ValueError(f"has a conversion: write {{{field}}}")
    if field in _NUMBERS:
        if not _NUMBER_FORMAT.fullmatch(spec):
            raise ValueError(f"has a format for {{{field}}} that is not a width, as in {{n:03}}")
    elif field == "label":
        if not spec or "{" in spec:
            raise ValueError("has a label without a name: write {label:NAME}")
    elif field == "created":
        try:
            _created(0.0, spec)
        except ValueError:
            raise ValueError("has a format for {created} that is not a date format") from None
    elif spec:
        raise ValueError(f"has a format for {{{field}}}, which takes none")


def _is_empty(component: _Component) -> bool:
    return not any(isinstance(piece, _Field) or piece.strip(" .") for piece in component)


def _shape(component: _Component) -> str:
    """Return a letter for each field: I, N, or V; and for each literal character one of "c0 ".

    A digit is "0", a separator " ", anything else "c". `{ext}` does not vary
    among the files that could share a name.
    """
    shape = ""
    for piece in component:
        if isinstance(piece, _Field):
            shape += {"id": "I", "n": "N", "ext": "0"}.get(piece.name, "V")
        else:
            shape += re.sub("[^ 0]", "c", re.sub("[0-9]", "0", _SEPARATOR.sub(" ", piece)))
    return shape


def _longest(component: _Component) -> int:
    """Return how many bytes a component has at most, when its values are cut."""
    return sum(
        _MOST_BYTES.get(piece.name, 16) if isinstance(piece, _Field) else len(piece.encode())
        for piece in component
    )


def _rendered(component: _Component, value: Callable[[_Field, int], str], most: int) -> str:
    """Return a component with its values, none of them longer than lets it fit."""
    text = ""
    for longest in _LIMITS:
        text = "".join(
            value(piece, longest) if isinstance(piece, _Field) else piece for piece in component
        )
        if len(text.encode()) <= most:
            return text
    return text.encode()[:most].decode(errors="ignore")


def _value(field: _Field, task: Task, number: int, media: Media, longest: int) -> str:
    if field.name == "ext":
        return media.value
    if field.name == "created" and task.created_at is not None:
        return _clean(_created(task.created_at, field.spec), min(longest, _LONGEST_VALUE))
    if field.name == "label":
        return _clean((task.labels or {}).get(field.spec, ""), min(longest, _LONGEST_VALUE))
    text = _FIELDS[field.name](task, number)
    if field.name in _NUMBERS:
        return text.zfill(int(field.spec or 0)) if text else _UNKNOWN
    if field.name == "id":
        return text
    return _clean(text, min(longest, _LONGEST_PROMPT if field.name == "prompt" else _LONGEST_VALUE))


def _created(seconds: float, spec: str) -> str:
    """Format a time in UTC: where the user is must not change a name."""
    return datetime.fromtimestamp(seconds, UTC).strftime(spec or "%Y-%m-%d")


def _seed(task: Task, number: int) -> str:
    seed = task.outputs[number - 1].seed if number <= len(task.outputs) else None
    if isinstance(seed, float) and seed.is_integer():
        seed = int(seed)
    return str(seed) if seed is not None else ""


_FIELDS: dict[str, Callable[[Task, int], str]] = {
    "id": lambda task, _: _id(task.id),
    "n": lambda _, number: str(number),
    "created": lambda _task, _: "",
    "model": lambda task, _: task.model or "",
    "prompt": lambda task, _: task.prompt or "",
    "row": lambda task, _: str(task.row or ""),
    "seed": _seed,
    "state": lambda task, _: task.state.value,
}


def _id(task_id: str) -> str:
    """Return an id as a part of a name: a plain one as it is, any other with its digest."""
    key = match_key(task_id)
    return key if _PLAIN_ID.fullmatch(key) else f"{_clean(key, _LONGEST_VALUE)}+{_digest(key)}"


def _digest(text: str) -> str:
    """Return twelve lower-case characters that stand for `text`: sixty bits."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:12].decode().lower()


def _clean(text: str, longest: int) -> str:
    """Return what a file system likes of `text`: letters, marks, digits and dashes."""
    text = unicodedata.normalize("NFC", text[: 20 * longest])
    kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in text)
    joined = re.sub("-+", "-", kept).strip("-")
    if len(joined) > longest:
        cut = joined[: longest + 1].rpartition("-")[0]  # at the end of a word
        joined = cut if len(cut) > longest // 2 else joined[:longest]
    return joined.strip("-") or _UNKNOWN


def _component(text: str) -> str:
    """Return `text` as the name of one file or folder on any system."""
    text = text.strip(" ").rstrip(" .") or "_"
    return f"_{text}" if _DEVICES.fullmatch(text) else text
