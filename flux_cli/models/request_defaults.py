"""What the service takes a request to mean where it leaves a field out."""

from collections.abc import Mapping
from typing import Any


DELIVERY = frozenset({"async", "callback_url"})  # how a task is answered, not what it makes
_IMAGE: Mapping[str, Any] = {  # None is no value at all
    "action": "generate",
    "prompt": None,
    "model": "flux-dev",
    "size": "1:1",
    "count": 1,
    "image_url": None,
}
_VIDEO: Mapping[str, Any] = {
    "action": "generate",
    "prompt": None,
    "model": "flux-3",
    "mode": "t2v",
    "keyframes": None,
    "start_video": None,
    "draft_task_id": None,
    "duration": "auto",
    "resolution": "hd",
    "aspect_ratio": "auto",
    "generate_audio": True,
    "draft": False,
    "safety_tolerance": 2,
}
_ENHANCED: Mapping[str, Any] = {**_VIDEO, "resolution": "fhd"}


def defaults_of(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields of a request to `path`, each with its default."""
    if path == "/flux/images":
        return _IMAGE
    return _ENHANCED if body.get("mode") == "draft_enhance" else _VIDEO


def without_defaults(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a request asks for: whoever names a default asks for the same as who does not."""
    defaults = defaults_of(path, body)
    return {
        name: value
        for name, value in body.items()
        if name not in DELIVERY and value is not None and defaults.get(name) != value
    }
