"""The record as a JSON Schema: what `flux schema` prints and the tests hold real output to."""

from typing import Any

from flux_cli.models.state import State


_ABOUT = {
    "id": "The task id, as you wrote it.",
    "state": "Where the task stands; unknown means that the service gave no answer for this id.",
    "previous_state": "The state before; null in a single look and at first sight.",
    "type": "images or videos.",
    "action": "What was asked for: generate, edit.",
    "model": "The model that was asked for.",
    "prompt": "The prompt, unchanged.",
    "size": "The size or resolution that was asked for.",
    "created_at": "When the task was submitted.",
    "started_at": "When it was started.",
    "finished_at": "When it ended.",
    "elapsed": "How many seconds it took.",
    "outputs": "What was made; empty unless the task succeeded.",
    "error": "Why a task failed, or why there is no answer for it; null otherwise.",
    "cost": "What a finished task has cost; null where the service does not say.",
    "trace_id": "What the service's support asks for.",
    "observed_at": "When flux saw this.",
    "raw": "The service's own record as it came; only with --raw.",
}
_TIME = {"type": ["string", "null"], "format": "date-time", "pattern": "Z$"}
_TEXT = {"type": ["string", "null"]}
_NUMBER = {"type": ["number", "null"]}
_STATE = {"enum": [state.value for state in State]}
_ERROR = {
    "type": ["object", "null"],
    "properties": {"code": _TEXT, "message": _TEXT},
    "required": ["code", "message"],
}
_COST = {
    "type": ["object", "null"],
    "properties": {"amount": {"type": "number", "minimum": 0}, "currency": _TEXT},
    "required": ["amount", "currency"],
}
_OUTPUT = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "Where it is. Expires."},
        "kind": {"enum": ["image", "video"]},
        "width": _NUMBER | {"description": "Pixels."},
        "height": _NUMBER | {"description": "Pixels."},
        "seconds": _NUMBER | {"description": "Seconds of play."},
        "seed": _NUMBER,
        "path": _TEXT | {"description": "Where it was saved; null if it was not."},
        "bytes": _NUMBER | {"description": "The size of the file."},
        "sha256": _TEXT | {"description": "The SHA-256 of the file, in hexadecimal."},
        "error": _ERROR | {"description": "Why it was not saved."},
    },
    "description": "path, bytes, sha256 and error are there once it was to be saved.",
    "required": ["url", "kind", "width", "height", "seconds", "seed"],
}
_TYPES: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "minLength": 1, "maxLength": 128},
    "state": _STATE,
    "previous_state": {"enum": [None, *_STATE["enum"]]},
    "created_at": _TIME,
    "started_at": _TIME,
    "finished_at": _TIME,
    "elapsed": _NUMBER | {"minimum": 0},
    "outputs": {"type": "array", "items": _OUTPUT},
    "error": _ERROR,
    "cost": _COST,
    "observed_at": _TIME | {"type": "string"},
    "raw": {"type": ["object", "null"]},
}


def record_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a record. New keys may come, none goes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flux task record",
        "description": "One line of `flux tasks check` and `flux tasks watch` as JSON lines, and"
        " one element of -o json. Within a major version keys are only added.",
        "type": "object",
        "properties": {
            key: _TYPES.get(key, _TEXT) | {"description": about} for key, about in _ABOUT.items()
        },
        "required": [key for key in _ABOUT if key != "raw"],
    }
