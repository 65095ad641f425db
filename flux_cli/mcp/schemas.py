"""The JSON Schemas of answers. What several share is told in the instructions, once."""

from typing import Any

from flux_cli.output.schema import record_schema


_NOT_SHOWN = ("raw", "previous_state", "row", "label")  # what answers of tools do not have
_TEXTS = {"type": "array", "items": {"type": "string"}}
_NEXT = {
    "ask_again_after_seconds": {"type": ["number", "null"]},
    "next_step": {"type": "string"},
}
_ITEM = {"type": "object", "required": ["id"]}


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": list(properties),
    }


def _record() -> dict[str, Any]:
    """Return the schema of a record in full: the names of its keys, and the types of the plain."""
    properties = dict(record_schema()["properties"])
    for key in _NOT_SHOWN:
        del properties[key]
    return {
        "type": "object",
        "properties": {name: _plain(schema) for name, schema in properties.items()},
        "required": ["id", "state"],
    }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the type, where it is one that a client could take for another."""
    kinds = schema.get("type", [])
    names = {kinds} if isinstance(kinds, str) else set(kinds)
    return {"type": kinds} if names & {"number", "array", "object"} else {}


_TASKS = {
    "tasks": {
        "type": "object",
        "description": "By state: id, prompt, urls, error; with detail full, records.",
        "additionalProperties": {"type": "array", "items": _ITEM},
    },
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "open_ids": _TEXTS,
    **_NEXT,
}
_MORE = {"next_cursor": {"type": "string"}}
_INPUTS = {"invalid": {"type": "array", "items": _ITEM}, "duplicates": {"type": "integer"}}
BATCH = _object(_TASKS, _MORE | _INPUTS)
SHOW = _object({"task": _record(), "picture": {"type": "string"}, **_NEXT})
