"""The JSON Schemas of answers. What several share is told in the instructions, once."""

from typing import Any


_FILES_ONLY = ("path", "bytes", "sha256", "error")  # keys of an output that was to be saved
_TEXTS = {"type": "array", "items": {"type": "string"}}
_NEXT = {
    "ask_again_after_seconds": {"type": ["number", "null"]},
    "next_step": {"type": "string"},
    "notice": {"type": "string"},
}
_ITEM = {"type": "object", "required": ["id"]}


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": list(properties),
    }


TASKS = {
    "tasks": {
        "type": "object",
        "description": "By state: id, prompt, urls, error; with detail full, records.",
        "additionalProperties": {"type": "array", "items": _ITEM},
    },
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
}
MORE = {"next_cursor": {"type": "string"}}
BATCH = _object(
    {**TASKS, "open_ids": _TEXTS, **_NEXT},
    {
        **MORE,
        "invalid": {"type": "array", "items": _ITEM},
        "duplicates": {"type": "integer"},
    },
)
WAIT = _object(
    {
        **TASKS,
        "open_ids": _TEXTS,
        "timed_out": {"type": "boolean"},
        "waited_seconds": {"type": "number"},
        **_NEXT,
    },
    {**MORE, "invalid": {"type": "array", "items": _ITEM}, "duplicates": {"type": "integer"}},
)
ONE = _object(
    {
        "task": _object({"id": {"type": "string"}, "state": {"type": "string"}}),
        "is_final": {"type": "boolean"},
        **_NEXT,
    }
)
