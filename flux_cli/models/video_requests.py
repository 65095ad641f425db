"""What the service documents for making videos, and the body of such a request."""

from collections.abc import Mapping
from typing import Any

from flux_cli.errors import FieldError
from flux_cli.models.echo import shown
from flux_cli.models.request_fields import (
    Parser,
    always_true,
    duration,
    flag,
    keyframes,
    name,
    one_of,
    prompt,
    task_id,
    url,
    whole_number,
)


MODELS = ("flux-3",)
_LONGEST_PROMPT = 4096  # characters
_SHORTEST, _LONGEST, _LONGEST_FROM_VIDEO = 5, 20, 15  # seconds
_RESOLUTIONS = ("hd", "fhd", "qhd", "uhd")
_RATIOS = ("auto", "21:9", "2:1", "16:9", "4:3", "1:1", "3:4", "9:16", "9:21")
_ENHANCE = "draft_enhance"
_MATERIAL = {  # what decides on the mode, where that is not given
    "keyframes": "i2v",
    "start_video": "v2v",
    "draft_task_id": _ENHANCE,
}
_MODES = ("t2v", *_MATERIAL.values())
_NOT_FOR_ENHANCING = ("prompt", "duration", "aspect_ratio", "generate_audio", "draft")

TO_GENERATE: dict[str, Parser] = {
    "action": one_of(["generate"]),
    "model": name,
    "mode": one_of(_MODES),
    "prompt": prompt(_LONGEST_PROMPT),
    "keyframes": keyframes,
    "start_video": url,
    "draft_task_id": task_id,
    "duration": duration(_SHORTEST, _LONGEST),
    "resolution": one_of(_RESOLUTIONS),
    "aspect_ratio": one_of(_RATIOS),
    "generate_audio": flag,
    "draft": flag,
    "safety_tolerance": whole_number(0, 4),
    "async": always_true,
    "callback_url": url,
}


def video_body(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a request with these values of fields. Raises FieldError."""
    mode = values.get("mode") or _derived_mode(values)
    _check_material(mode, values)
    _check_limits(mode, values)
    return {"action": "generate", "model": MODELS[0], **values, "mode": mode, "async": True}


def _derived_mode(values: Mapping[str, Any]) -> str:
    given = [name for name in _MATERIAL if name in values]
    if len(given) > 1:
        raise FieldError(
            given[1], f"{given[0]} and {given[1]} cannot be combined: give one of them"
        )
    return _MATERIAL[given[0]] if given else "t2v"


def _check_material(mode: str, values: Mapping[str, Any]) -> None:
    for material, of_mode in _MATERIAL.items():
        if of_mode == mode and material not in values:
            raise FieldError(material, f"{material} is missing: mode {mode} needs it")
        if of_mode != mode and material in values:
            raise FieldError(material, f"{material} goes with mode {of_mode}, not with {mode}")
    if mode != _ENHANCE and "prompt" not in values:
        raise FieldError("prompt", "prompt is missing or empty")
    if mode == _ENHANCE:
        for field in _NOT_FOR_ENHANCING:
            if field in values:
                raise FieldError(
                    field,
                    f"{field} does not go with mode {_ENHANCE}, which takes it from the draft",
                )


def _check_limits(mode: str, values: Mapping[str, Any]) -> None:
    seconds = values.get("duration", "auto")
    if mode == "v2v" and seconds != "auto" and seconds > _LONGEST_FROM_VIDEO:
        raise FieldError(
            "duration",
            f"duration {seconds} is too long: with start_video it is"
            f" {_SHORTEST} to {_LONGEST_FROM_VIDEO} seconds or auto",
        )
    resolution = values.get("resolution", "hd")
    if values.get("draft") and resolution != "hd":
        raise FieldError(
            "resolution", f"resolution {shown(resolution)} does not go with draft: drafts are hd"
        )
