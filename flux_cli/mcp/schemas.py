"""The JSON Schemas of answers. What several share is told in the instructions, once."""

import copy
from typing import Any

from flux_cli.output.schema import record_schema


_FILES_ONLY = ("path", "bytes", "sha256", "error")  # keys of an output that was to be saved
_ABOUT = (  # what a record says of itself beside types
    *("$schema", "title", "description", "format", "pattern"),
    *("minLength", "maxLength", "minimum", "required"),
)
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


def _record() -> dict[str, Any]:
    """Return the schema of a record in full, with types alone: the names say the rest."""
    schema = copy.deepcopy(record_schema())
    properties = schema["properties"]
    del properties["raw"], properties["previous_state"]  # which answers of tools do not have
    outputs = properties["outputs"]["items"]
    for key in _FILES_ONLY:
        del outputs["properties"][key]
    return {**_bare(schema), "required": ["id", "state"]}


def _bare(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    is_names = "type" not in schema and "enum" not in schema  # of properties
    return {key: _bare(value) for key, value in schema.items() if is_names or key not in _ABOUT}


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
