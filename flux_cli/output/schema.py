"""The record as a JSON Schema: what `flux schema` prints and the tests hold real output to."""

from typing import Any

from flux_cli.models.state import State
from flux_cli.output.records import KEYS


_ABOUT = {
    "id": "The task id, as given; null for a prompt of a run that brought none.",
    "state": "The state of the task; unknown means that the service gave no answer for this id.",
    "previous_state": "The previous state; null in a single check and when first seen.",
    "type": "images or videos.",
    "action": "The requested action: generate or edit.",
    "model": "The requested model.",
    "prompt": "The prompt, unchanged.",
    "size": "The requested size or resolution.",
    "created_at": "When the task was submitted.",
    "started_at": "When the task started.",
    "finished_at": "When the task ended.",
    "elapsed": "How long it took, in seconds.",
    "outputs": "The results; empty unless the task succeeded.",
    "error": "Why the task failed, or why there is no answer for it; null otherwise.",
    "cost": "What a finished task cost; null if the service does not say.",
    "trace_id": "The id to quote to the service's support.",
    "observed_at": "When flux observed this.",
    "row": "Which prompt of its run it is, counted from 1; only where a run is shown.",
    "label": "What the input of the run had beside the prompt; only where a run is shown.",
    "raw": "The service's own record, unchanged; only with --raw.",
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
        "url": {"type": "string", "description": "The URL of the file. It expires."},
        "kind": {"enum": ["image", "video"]},
        "width": _NUMBER | {"description": "Pixels."},
        "height": _NUMBER | {"description": "Pixels."},
        "seconds": _NUMBER | {"description": "Duration of the video, in seconds."},
        "seed": _NUMBER,
        "path": _TEXT
        | {"description": "Where the file was saved; null if it was not, or not again."},
        "bytes": _NUMBER | {"description": "The size of the file."},
        "sha256": _TEXT | {"description": "The SHA-256 of the file, in hexadecimal."},
        "error": _ERROR | {"description": "Why the file was not saved."},
    },
    "description": "path, bytes, sha256 and error are present only if files were to be saved.",
    "required": ["url", "kind", "width", "height", "seconds", "seed"],
}
_TYPES: dict[str, dict[str, Any]] = {
    "id": {"type": ["string", "null"], "minLength": 1, "maxLength": 128},
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
    "row": {"type": ["integer", "null"], "minimum": 1},
    "label": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
    "raw": {"type": ["object", "null"]},
}


def record_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a record. New keys may come, none goes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flux task record",
        "description": (
            "One line of the JSON lines of `flux tasks check` and `flux tasks watch`, and one"
            " element of -o json. Within a major version, keys are only added."
        ),
        "type": "object",
        "properties": {
            key: _TYPES.get(key, _TEXT) | {"description": about} for key, about in _ABOUT.items()
        },
        "required": list(KEYS),
    }
