"""The fields of a submission, one by one: out of text or JSON, and checked."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from flux_cli.errors import FieldError
from flux_cli.models.echo import shown
from flux_cli.models.ids import flaw_in_data, is_uuid


# Takes what was given, and returns the JSON value to send. Raises ValueError: a clause
# whose subject is that value, or the prompt, which is too long to be shown.
Parser = Callable[[Any], Any]

_PROMPT = "prompt"
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\ud800-\udfff]")
_URL = re.compile("https?://[^\\s/?#\x00-\x20\x7f\ud800-\udfff][^\\s\x00-\x20\x7f\ud800-\udfff]*")
_PLACEHOLDER = re.compile(
    r"prompts?|null|none|nil|nan|undefined|n/a|tbd|#n/a|#[a-z0-9/]+[!?]", re.IGNORECASE
)
_LONGEST_URL = 8192  # characters; what servers take
_WHOLE = re.compile(r"([0-9]{1,9})(?:\.0{1,9})?")  # spreadsheets write 2 as 2.0
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_NAME = re.compile(r"[A-Za-z0-9][\w.:/@+-]{0,99}", re.ASCII)
_MOST_KEYFRAMES = 10
_BETWEEN_FRAMES = re.compile(r"[\s,]+(?=(?:[0-9.]{1,20}=)?https?://)")  # a URL may hold commas
_MOMENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)=(.*)", re.DOTALL)


def is_given(value: Any) -> bool:
    """Tell whether a field has a value: an empty cell, null and an empty list are none."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], ())


def parse_field(name: str, value: Any, parsers: Mapping[str, Parser]) -> Any:
    """Return what to send as field `name`. Raises FieldError."""
    try:
        return parsers[name](value)
    except ValueError as error:
        is_long = name == _PROMPT and isinstance(value, str)
        subject = name if is_long else f"{name} {shown(value)}"
        raise FieldError(name, f"{subject} {error}") from None


def prompt(longest: int) -> Parser:
    """Return a parser of prompts of up to `longest` characters."""

    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("is not text")  # noqa: TRY004 - what parsers raise
        text = value.strip()
        if match := _UNSENDABLE.search(text):
            raise ValueError(f"contains a control character (U+{ord(match[0]):04X})")
        if len(text) > longest:
            raise ValueError(f"is {len(text):,} characters long; the maximum is {longest:,}")
        if reason := _flaw_in_prompt(text):
            raise ValueError(reason)
        return text

    return parse


def _flaw_in_prompt(text: str) -> str | None:
    """Say what stands in place of words: a slip of a script would be paid for."""
    if not any(map(_says_something, text)):
        return "has no word in it"
    if _PLACEHOLDER.fullmatch(text):
        return "is a placeholder"
    if is_uuid(text):
        return "is a task id"
    return "is a URL" if _URL.fullmatch(text) else None


def _says_something(character: str) -> bool:
    """Tell whether it is of a word, or a symbol as an emoji is; not whether it is `+` or `|`."""
    return character.isalnum() or (
        not character.isascii() and unicodedata.category(character)[0] in "SM"
    )


def one_of(words: Sequence[str]) -> Parser:
    """Return a parser of one of some `words`, whatever the case."""

    def parse(value: Any) -> str:
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in words:
            raise ValueError(f"is not {any_of(words)}")
        return word

    return parse


def any_of(words: Sequence[str]) -> str:
    """List what is allowed."""
    return words[0] if len(words) == 1 else f"one of {', '.join(words)}"


def whole_number(least: int, most: int) -> Parser:
    """Return a parser of whole numbers; those of JSON may be written as 2.0."""

    def parse(value: Any) -> int:
        number = _whole(value)
        if number is None or not least <= number <= most:
            raise ValueError(f"is not a whole number from {least} to {most}")
        return number

    return parse


def _whole(value: Any) -> int | None:
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value.strip())
        return int(match[1]) if match else None
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    return int(value) if is_whole else None


def duration(least: int, most: int) -> Parser:
    """Return a parser of whole seconds, with an `s` or without, or `auto`."""
    seconds = whole_number(least, most)

    def parse(value: Any) -> int | str:
        text = value.strip().lower() if isinstance(value, str) else value
        if text == "auto":
            return "auto"
        try:
            return int(seconds(text.removesuffix("s") if isinstance(text, str) else text))
        except ValueError:
            raise ValueError(f"is neither {least} to {most} whole seconds nor auto") from None

    return parse


def flag(value: Any) -> bool:
    """Parse true or false, as people, spreadsheets and JSON write them."""
    text = value.strip().lower() if isinstance(value, str) else value
    if text is True or text in _TRUE:
        return True
    if text is False or text in _FALSE:
        return False
    raise ValueError("is neither true nor false")


def always_true(value: Any) -> bool:
    """Parse what can only be true: flux waits for no task while it submits it."""
    if flag(value):
        return True
    raise ValueError("is not possible: it is always true")


def name(value: Any) -> str:
    """Parse a name as models have them: no white space in it, and not too long."""
    if isinstance(value, str) and _NAME.fullmatch(value.strip()):
        return value.strip()
    raise ValueError("cannot be the name of a model")


def url(value: Any) -> str:
    """Parse one URL that the service can read from."""
    if isinstance(value, str) and len(value) <= _LONGEST_URL and _URL.fullmatch(value.strip()):
        return value.strip()
    raise ValueError("is not one http:// or https:// URL")


def task_id(value: Any) -> str:
    """Parse the id of a task."""
    text = value.strip() if isinstance(value, str) else ""
    if reason := flaw_in_data(text):
        raise ValueError(f"is not a task id: it {reason}" if text else "is not a task id")
    return text


def keyframes(value: Any) -> list[Any]:
    """Parse 1 to 10 URLs, or as many moments in ascending order.

    They are a list, or text in which white space or commas stand between them.
    A moment is a pair of a second and a URL, in text `SECOND=URL`.
    """
    parts = _BETWEEN_FRAMES.split(value.strip(" \t\r\n,")) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("is not a list of URLs")  # noqa: TRY004 - what parsers raise
    if not 1 <= len(parts) <= _MOST_KEYFRAMES:
        raise ValueError(f"holds {len(parts)} frames; 1 to {_MOST_KEYFRAMES} are possible")
    frames = [_frame(part) for part in parts]
    moments = [frame[0] for frame in frames if isinstance(frame, list)]
    if moments and len(moments) < len(frames):
        raise ValueError("gives the second of some frames but not of all")
    if any(a >= b for a, b in pairwise(moments)):
        raise ValueError("is not in ascending order of seconds")
    return frames


def _frame(part: Any) -> Any:
    if isinstance(part, str) and (match := _MOMENT.fullmatch(part.strip())):
        second = float(match[1])
        part = [int(second) if second % 1 == 0 else second, match[2]]
    try:
        match part:
            case [int() | float() as second, address] if not isinstance(
                second, bool
            ) and 0 <= second < float("inf"):
                return [second, url(address)]
            case _:
                return url(part)
    except ValueError:
        raise ValueError(
            f"holds {shown(part)}: give http:// or https:// URLs, or SECOND=URL"
        ) from None
