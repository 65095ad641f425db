"""File names for outputs: from a template, one plain name each, the same on every run.

A name is a function of the task and of the output's number alone, so that a
second run finds what the first one saved; and it holds the task's id, or a
digest of it, so that no two outputs share one.
"""

import base64
import hashlib
import re
import string
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath

from flux_cli.tasks.ids import match_key
from flux_cli.tasks.media import Media
from flux_cli.tasks.task import Task


_LONGEST_COMPONENT = 200  # bytes of UTF-8; file systems take 255
_LONGEST_PROMPT = 60  # characters
_LONGEST_VALUE = 40  # characters of any other value
_LONGEST_TEMPLATE = 300  # characters
_UNKNOWN = "unknown"
_PLAIN_ID = re.compile(r"[0-9a-z][0-9a-z-]{0,63}")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')  # Windows refuses them
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_NUMBER_FORMAT = re.compile(r"0?[1-9]?")
_SUFFIX = ".{ext}"


class NameTemplate:
    """What `--name` takes: text with fields in braces, `/` between folders."""

    def __init__(self, text: str) -> None:
        """Raise ValueError, saying why, when names cannot be made from `text`."""
        text = text if text.endswith(_SUFFIX) else text + _SUFFIX
        self._text = text
        if len(text) > _LONGEST_TEMPLATE:
            raise ValueError(f"is longer than {_LONGEST_TEMPLATE} characters")
        try:
            self._parts = [
                (literal, field, spec or "", conversion)
                for literal, field, spec, conversion in string.Formatter().parse(text)
            ]
        except ValueError as error:
            raise ValueError(f"cannot be read: {error}") from None
        for literal, field, spec, conversion in self._parts:
            if bad := _NOT_IN_NAMES.search(literal):
                raise ValueError(f"has {bad[0]!r}, which file names cannot have")
            if field is not None:
                _check_field(field, spec, conversion)
        fields = [field for _, field, _, _ in self._parts]
        self._names_id, self._names_number = "id" in fields, "n" in fields
        *folders, _ = text.split("/")
        if any("{ext}" in folder for folder in folders):
            raise ValueError("has {ext} in the name of a folder")
        if not all(component.strip(" .") for component in text.removesuffix(_SUFFIX).split("/")):
            raise ValueError('has an empty name, "." or ".." between its slashes')

    def path(self, task: Task, number: int, media: Media) -> PurePosixPath:
        """Return the relative path for output `number` of `task`, counted from 1."""
        rendered = "".join(
            literal + _value(field, spec, task, number, media)
            for literal, field, spec, _ in self._parts
        ).removesuffix(f".{media.value}")
        if not self._names_id:
            rendered += f"_{_digest(match_key(task.id))}"
        if not self._names_number and number > 1:
            rendered += f"_{number}"
        *folders, name = rendered.split("/")
        return PurePosixPath(*map(_component, folders), f"{_component(name)}.{media.value}")


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in (*_FIELDS, "ext"):
        allowed = ", ".join(f"{{{name}}}" for name in (*_FIELDS, "ext"))
        raise ValueError(f"has {{{field}}}, which is none of {allowed}")
    if conversion:
        raise ValueError(f"has a conversion: write {{{field}}}")
    if field == "n":
        if not _NUMBER_FORMAT.fullmatch(spec):
            raise ValueError("has a format for {n} other than a width, as in {n:03}")
    elif field == "created":
        try:
            _created(0.0, spec)
        except ValueError:
            raise ValueError("has a format for {created} that is not one of dates") from None
    elif spec:
        raise ValueError(f"has a format for {{{field}}}, which takes none")


def _value(field: str | None, spec: str, task: Task, number: int, media: Media) -> str:
    if field is None:
        return ""
    if field == "ext":
        return media.value
    if field == "n":
        return format(number, spec)
    if field == "created" and task.created_at is not None:
        return _clean(_created(task.created_at, spec), _LONGEST_VALUE)
    return _FIELDS[field](task, number)


def _created(seconds: float, spec: str) -> str:
    """Format a time in UTC: where the user is must not change a name."""
    return datetime.fromtimestamp(seconds, UTC).strftime(spec or "%Y-%m-%d")


def _seed(task: Task, number: int) -> str:
    seed = task.outputs[number - 1].seed if number <= len(task.outputs) else None
    if isinstance(seed, float) and seed.is_integer():
        seed = int(seed)
    return _clean(str(seed), _LONGEST_VALUE) if seed is not None else _UNKNOWN


_FIELDS: dict[str, Callable[[Task, int], str]] = {
    "id": lambda task, _: _id(task.id),
    "n": lambda _, number: str(number),
    "created": lambda _task, _: _UNKNOWN,
    "model": lambda task, _: _clean(task.model or "", _LONGEST_VALUE),
    "prompt": lambda task, _: _clean(task.prompt or "", _LONGEST_PROMPT),
    "seed": _seed,
    "state": lambda task, _: task.state.value,
}


def _id(task_id: str) -> str:
    """Return an id as a part of a name: a plain one as it is, any other with its digest."""
    key = match_key(task_id)
    return key if _PLAIN_ID.fullmatch(key) else f"{_clean(key, _LONGEST_VALUE)}_{_digest(key)}"


def _digest(text: str) -> str:
    """Return twelve lower-case characters that stand for `text`: sixty bits."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:12].decode().lower()


def _clean(text: str, longest: int) -> str:
    """Return what a file system likes of `text`: letters, marks, digits, dots and dashes."""
    text = unicodedata.normalize("NFC", text[: 20 * longest])
    kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in text)
    joined = re.sub("-+", "-", kept).strip("-")
    if len(joined) > longest:
        cut = joined[: longest + 1].rpartition("-")[0]  # at the end of a word
        joined = cut if len(cut) > longest // 2 else joined[:longest]
    return joined.strip("-") or _UNKNOWN


def _component(text: str) -> str:
    """Return `text` as the name of one file or folder on any system."""
    text = text.strip(" ").rstrip(" .")
    if len(text.encode()) > _LONGEST_COMPONENT:
        start = text.encode()[: _LONGEST_COMPONENT - 20].decode(errors="ignore")
        text = f"{start}_{_digest(text)}"
    return f"_{text}" if _DEVICES.fullmatch(text) else text
