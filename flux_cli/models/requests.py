"""What can be asked of the service: the kinds of submission, and the body of each."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from flux_cli.errors import FieldError
from flux_cli.models import image_requests, video_requests
from flux_cli.models.echo import shown
from flux_cli.models.request_fields import Parser, is_given, parse_field


class RequestKind(Enum):
    """What is submitted: where to, what it makes, and the command that does so."""

    GENERATE_IMAGE = ("/flux/images", "image", "flux images generate")
    EDIT_IMAGE = ("/flux/images", "image", "flux images edit")
    GENERATE_VIDEO = ("/flux/videos", "video", "flux videos generate")

    def __init__(self, path: str, noun: str, command: str) -> None:
        self.path = path
        self.noun = noun
        self.command = command


_PARSERS: dict[RequestKind, dict[str, Parser]] = {  # in the order of the fields of a body
    RequestKind.GENERATE_IMAGE: image_requests.TO_GENERATE,
    RequestKind.EDIT_IMAGE: image_requests.TO_EDIT,
    RequestKind.GENERATE_VIDEO: video_requests.TO_GENERATE,
}
_MODELS = {"image": image_requests.MODELS, "video": video_requests.MODELS}
_INSTEAD = {  # what somebody means who gives an image's field for a video, or a video's
    ("video", "size"): "set aspect_ratio and resolution",
    ("image", "aspect_ratio"): "set size",
    ("image", "resolution"): "set size",
}


def fields_of(kind: RequestKind) -> frozenset[str]:
    """Return the fields that a prompt of this kind may set."""
    return frozenset(_PARSERS[kind])


def parse(kind: RequestKind, name: str, value: Any) -> Any:
    """Return what to send as field `name`, as far as that depends on no other field.

    Raises FieldError, also for a field that this kind does not have.
    """
    if name not in _PARSERS[kind]:
        raise FieldError(name, _foreign(kind, name))
    return parse_field(name, value, _PARSERS[kind])


def make_body(kind: RequestKind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body to send for one prompt, in a fixed order of fields.

    Fields are text or JSON values; empty text and None are not given. Raises
    FieldError, one sentence that names the field, what it was given and what is
    allowed.
    """
    values = {name: parse(kind, name, value) for name, value in fields.items() if is_given(value)}
    _check_model(kind, values)
    if kind is RequestKind.GENERATE_VIDEO:
        body = video_requests.video_body(values)
    else:
        _check_needed(kind, values)
        action = "edit" if kind is RequestKind.EDIT_IMAGE else "generate"
        body = image_requests.image_body(action, values)
    return {name: body[name] for name in _PARSERS[kind] if name in body}


def models_of(kind: RequestKind) -> Sequence[str]:
    """Return the models that the service documents for such requests."""
    return _MODELS[kind.noun]


def unknown_model(kind: RequestKind, body: Mapping[str, Any]) -> str | None:
    """Return the model of a body if it is in no table: it may be new, and is passed on."""
    model = str(body["model"])
    return None if model in _MODELS[kind.noun] else model


def _check_needed(kind: RequestKind, values: Mapping[str, Any]) -> None:
    if "prompt" not in values:
        raise FieldError("prompt", "prompt is missing or empty")
    if kind is RequestKind.EDIT_IMAGE and "image_url" not in values:
        raise FieldError("image_url", "image_url is missing: it says which image to edit")


def _check_model(kind: RequestKind, values: Mapping[str, Any]) -> None:
    for noun, models in _MODELS.items():
        model = values.get("model")
        if noun != kind.noun and model in models:
            raise FieldError(
                "model",
                f"model {shown(model)} makes {noun}s: use {_command_for(noun)}, or"
                f" {', '.join(_MODELS[kind.noun])}",
            )


def _command_for(noun: str) -> str:
    """Return the command that makes such a thing."""
    return next(kind.command for kind in RequestKind if kind.noun == noun)


def _foreign(kind: RequestKind, name: str) -> str:
    owners = [other for other in RequestKind if name in _PARSERS[other]]
    if not owners:
        return f"{name} is no field of {kind.command}"
    commands = " and ".join(owner.command for owner in owners)
    instead = _INSTEAD.get((kind.noun, name))
    advice = f": {instead}" if instead else ""
    return f"{name} goes with {commands}, not with {kind.command}{advice}"
