"""What the service documents for making and editing images, and the body of such a request.

The field `count` has no documented limit. More than the four that the service's
own web page offers are refused: a slip of the finger would be paid for.
"""

import re
from collections.abc import Mapping
from typing import Any

from flux_cli.errors import FieldError
from flux_cli.models.echo import shown
from flux_cli.models.request_fields import (
    Parser,
    always_true,
    any_of,
    name,
    one_of,
    prompt,
    url,
    whole_number,
)


MODELS = (
    "flux-dev",  # the default
    "flux-pro",
    "flux-kontext-pro",
    "flux-kontext-max",
    "flux-2-flex",
    "flux-2-pro",
    "flux-2-max",
    "flux-2-klein",
)
RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
PIXELS = ("1024x1024", "1024x1792", "1792x1024")
_TAKE_PIXELS = MODELS[:2]
_DEFAULT_SIZE = "1:1"
_LONGEST_PROMPT = 32_768  # characters; the service's own limit is unknown
_MOST_IMAGES = 4
_RATIO = re.compile(r"0?([0-9]{1,3}):0?([0-9]{1,3})(?::00)?")  # 16:09:00 is what Excel makes of it
_WIDTH_BY_HEIGHT = re.compile(r"[0-9]{2,5}x[0-9]{2,5}")


def _size(value: Any) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    if match := _RATIO.fullmatch(text):
        return f"{match[1]}:{match[2]}"
    if _WIDTH_BY_HEIGHT.fullmatch(text):
        return text
    raise ValueError(f"is not {any_of(RATIOS)}")


def _fields(action: str, **own: Parser) -> dict[str, Parser]:
    return {
        "action": one_of([action]),
        "model": name,
        "prompt": prompt(_LONGEST_PROMPT),
        "size": _size,
        **own,
        "async": always_true,
        "callback_url": url,
    }


TO_GENERATE = _fields("generate", count=whole_number(1, _MOST_IMAGES))
TO_EDIT = _fields("edit", image_url=url)


def image_body(action: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a request with these values of fields. Raises FieldError."""
    body = {"action": action, "model": MODELS[0], "size": _DEFAULT_SIZE, **values, "async": True}
    _check_size(body["size"], body["model"])
    return body


def _check_size(size: str, model: str) -> None:
    if model not in MODELS:
        return
    allowed = RATIOS + PIXELS if model in _TAKE_PIXELS else RATIOS
    if size in allowed:
        return
    if "x" in size and model not in _TAKE_PIXELS:
        raise FieldError(
            "size",
            f"size {shown(size)} is in pixels, which {model} does not take: use {any_of(allowed)}",
        )
    raise FieldError("size", f"size {shown(size)} is not {any_of(allowed)}")
