"""What the service accepts: the fields of a submission, and what it says against one."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any


Rule = Callable[[Any], bool]

_LONGEST_PROMPT = 4096  # characters, of a video's
_MOST_KEYFRAMES = 10
_MOST_IMAGES = 8  # the service's own limit is unknown
_RATIOS = frozenset(("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"))
_PIXELS = frozenset(("1024x1024", "1024x1792", "1792x1024"))
_TAKE_PIXELS = frozenset(("flux-dev", "flux-pro"))
_FORBIDDEN = "forbidden"  # a word of a prompt


def _one_of(text: str) -> Rule:
    words = frozenset(text.split())
    return lambda value: isinstance(value, str) and value in words


def _whole(least: int, most: int) -> Rule:
    """Return a rule for whole numbers; 2.0 is one, as the vendor's own client sends it."""
    return lambda value: _is_number(value) and least <= value <= most and value % 1 == 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _is_duration(value: Any) -> bool:
    return value == "auto" or _whole(5, 20)(value)


def _are_keyframes(value: Any) -> bool:
    """Tell whether `value` is 1 to 10 URLs, or pairs of a second and a URL, ascending.

    One alone needs no list around it, as in the vendor's own clients.
    """
    frames = value if isinstance(value, list) and not _is_moment(value) else [value]
    if not 1 <= len(frames) <= _MOST_KEYFRAMES:
        return False
    if all(map(_is_url, frames)):
        return True
    return all(map(_is_moment, frames)) and all(a[0] < b[0] for a, b in pairwise(frames))


def _is_moment(value: Any) -> bool:
    match value:
        case [second, url]:
            return _is_number(second) and _is_url(url)
        case _:
            return False


_ASYNCHRONOUS: dict[str, Rule] = {"async": _is_flag, "callback_url": _is_url}
_IMAGE: dict[str, Rule] = {
    **_ASYNCHRONOUS,
    "action": _one_of("generate edit"),
    "prompt": _is_text,
    "size": _is_text,
    "model": _one_of(
        "flux-dev flux-pro flux-kontext-pro flux-kontext-max"
        " flux-2-flex flux-2-pro flux-2-max flux-2-klein"
    ),
    "count": _whole(1, _MOST_IMAGES),
    "image_url": _is_url,
}
_VIDEO: dict[str, Rule] = {
    **_ASYNCHRONOUS,
    "action": _one_of("generate"),
    "model": _one_of("flux-3"),
    "version": _one_of("latest"),  # not documented, but sent by all of the vendor's clients
    "mode": _one_of("t2v i2v v2v draft_enhance"),
    "prompt": lambda value: isinstance(value, str) and len(value) <= _LONGEST_PROMPT,
    "keyframes": _are_keyframes,
    "start_video": _is_url,
    "draft_task_id": _is_text,
    "duration": _is_duration,
    "resolution": _one_of("hd fhd qhd uhd"),
    "aspect_ratio": _one_of("auto 21:9 2:1 16:9 4:3 1:1 3:4 9:16 9:21"),
    "generate_audio": _is_flag,
    "draft": _is_flag,
    "safety_tolerance": _whole(0, 4),
}
_MATERIAL = {  # what a mode needs
    "t2v": {"prompt"},
    "i2v": {"prompt", "keyframes"},
    "v2v": {"prompt", "start_video"},
    "draft_enhance": {"draft_task_id"},
}
_ALL_MATERIAL = frozenset().union(*_MATERIAL.values())
_NOT_FOR_ENHANCING = {"version", "duration", "aspect_ratio", "generate_audio", "draft"}
_LONGEST_FROM_VIDEO = 15  # seconds


def complaint_about_image(body: Mapping[str, Any]) -> str | None:
    """Return what the service has against a body for /flux/images; None if it accepts it."""
    body = _without_nulls(body)
    needed = ["action", "prompt", "size", *(["image_url"] if body.get("action") == "edit" else [])]
    if complaint := _complaint(body, needed, _IMAGE):
        return complaint
    sizes = _RATIOS | _PIXELS if body.get("model", "flux-dev") in _TAKE_PIXELS else _RATIOS
    return None if body["size"] in sizes else "size is invalid."


def complaint_about_video(body: Mapping[str, Any]) -> str | None:
    """Return what the service has against a body for /flux/videos; None if it accepts it."""
    body = _without_nulls(body)
    mode = body.get("mode", "t2v")
    material = _MATERIAL.get(mode, set()) if isinstance(mode, str) else set()
    foreign = (_ALL_MATERIAL - material) | body.keys() - _VIDEO.keys()
    if mode == "draft_enhance":
        foreign |= _NOT_FOR_ENHANCING
    if complaint := _complaint(body, sorted(material), _VIDEO):
        return complaint
    if unknown := sorted(foreign & body.keys()):
        return f"{unknown[0]} is not allowed"
    duration = body.get("duration", 0)
    if mode == "v2v" and duration != "auto" and duration > _LONGEST_FROM_VIDEO:
        return "duration is invalid."
    if body.get("draft") and body.get("resolution", "hd") != "hd":
        return "draft is for hd only"
    return None


def _complaint(body: Mapping[str, Any], needed: list[str], rules: Mapping[str, Rule]) -> str | None:
    """Return the first thing that is wrong: a field that is missing, or not as its rule has it."""
    for name in needed:
        if not body.get(name):
            return f"{name} is required"
    for name, is_right in rules.items():
        if name in body and not is_right(body[name]):
            return f"{name} is invalid."
    return None


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def is_forbidden(body: Mapping[str, Any]) -> bool:
    """Tell whether moderation refuses the prompt: one with the word "forbidden"."""
    return _FORBIDDEN in str(body.get("prompt")).lower().split()
