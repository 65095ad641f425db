"""What tools take: what is published of it, and how what comes is read.

No value that cannot be read is repeated: it may be anything, the token too.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flux_cli.errors import UsageError


_REQUIRED: Any = object()
_NAME = re.compile(r"[A-Za-z]\w{0,39}", re.ASCII)  # of a parameter, as it may be repeated
_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class _Unreadable(Exception):
    """A value is not what a parameter takes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool; `read` returns what the tool is given, or raises _Unreadable."""

    takes: str  # as in "must be ..."
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    default: Any = _REQUIRED

    @property
    def is_optional(self) -> bool:
        return self.default is not _REQUIRED


def input_schema(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return the JSON Schema of what a tool takes."""
    properties = {
        name: dict(p.schema)
        | ({"default": p.default} if p.is_optional and p.default is not None else {})
        for name, p in parameters.items()
    }
    required = [name for name, p in parameters.items() if not p.is_optional]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def read_arguments(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a tool is called with. Raises UsageError, which names the parameter."""
    for name in given:
        if name not in parameters:
            near = difflib.get_close_matches(name.lower(), parameters, 1, 0.3)
            guess = f" Did you mean {near[0]}?" if near else ""
            shown = f'parameter "{name}"' if _NAME.fullmatch(name) else "such parameter"
            raise UsageError(
                f"there is no {shown}.{guess} The parameters are {', '.join(parameters)}"
            )
    values = {}
    for name, parameter in parameters.items():
        if name not in given or (given[name] is None and parameter.is_optional):
            if not parameter.is_optional:
                raise UsageError(f"{name} is missing; it must be {parameter.takes}")
            values[name] = parameter.default
            continue
        try:
            values[name] = parameter.read(given[name])
        except _Unreadable:
            kind = _KINDS.get(type(given[name]), "something else")
            raise UsageError(
                f"{name} must be {parameter.takes}; it is {kind}"
                + (" that is not one of them" if isinstance(given[name], str) else "")
                + (" out of range" if kind == "a number" else "")
            ) from None
    return values


def text(about: str, *, default: Any = _REQUIRED) -> Parameter:
    """Return a parameter that takes a string."""
    schema = {"type": "string", "minLength": 1, "description": about}
    return Parameter("a string", schema, _read_text, default)


def number(about: str, *, least: float, most: float, default: float) -> Parameter:
    """Return a parameter that takes a number."""
    schema = {"type": "number", "minimum": least, "maximum": most, "description": about}
    return Parameter(
        f"a number from {least:g} to {most:g}",
        schema,
        lambda value: float(_in_range(value, least, most)),
        default,
    )


def count(about: str, *, least: int, most: int, default: int) -> Parameter:
    """Return a parameter that takes a whole number."""

    def read(value: Any) -> int:
        if _in_range(value, least, most) != int(value):
            raise _Unreadable
        return int(value)

    schema = {"type": "integer", "minimum": least, "maximum": most, "description": about}
    return Parameter(f"a whole number from {least} to {most}", schema, read, default)


def choice(about: str, words: Sequence[str], *, default: str | None) -> Parameter:
    """Return a parameter that takes one of `words`."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise _Unreadable
        return value

    schema = {"enum": list(words), "description": about}
    return Parameter(f"one of {', '.join(words)}", schema, read, default)


def flag(about: str, *, default: bool) -> Parameter:
    """Return a parameter that takes true or false."""

    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _Unreadable
        return value

    return Parameter("true or false", {"type": "boolean", "description": about}, read, default)


def some_texts(about: str, *, most: int) -> Parameter:
    """Return a parameter that takes 1 to `most` strings, or one alone."""

    def read(value: Any) -> list[str]:
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not 1 <= len(texts) <= most:
            raise _Unreadable
        return [_read_text(entry) for entry in texts]

    schema = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "maxItems": most,
        "description": about,
    }
    return Parameter(f"a list of 1 to {most} strings", schema, read)


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Unreadable
    return value


def _in_range(value: Any, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and least <= value <= most):
        raise _Unreadable
    return float(value)


def _read_ids(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise _Unreadable
    return value  # what in it is no id is told of beside the answers


TASK_ID = Parameter(
    "a task id, as a string",
    {"type": "string", "minLength": 1, "description": "The task_id that a submission returned."},
    _read_text,
)
TASK_IDS = Parameter(
    "a list of task ids, each a string",
    {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "The task_ids that submissions returned, any number.",
    },
    _read_ids,
)
