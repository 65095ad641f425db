"""A request that names a default asks for the same as one that does not."""

from typing import Any

import pytest

from flux_cli.models import image_requests, video_requests
from flux_cli.models.request_defaults import DELIVERY, defaults_of, without_defaults
from flux_cli.models.requests import RequestKind, fields_of
from tests.support.submitting import body


IMAGES, VIDEOS = "/flux/images", "/flux/videos"


@pytest.mark.parametrize(
    ("path", "named", "rest"),
    [
        (IMAGES, {"size": "1:1", "model": "flux-dev", "count": 1}, {}),
        (IMAGES, {"size": "16:9", "model": "flux-dev", "count": 2}, {"size": "16:9", "count": 2}),
        (IMAGES, {"async": True, "callback_url": "https://x.example/", "image_url": None}, {}),
        (VIDEOS, {"model": "flux-3", "mode": "t2v", "resolution": "hd", "duration": "auto"}, {}),
        *((VIDEOS, more, more) for more in ({"model": "flux-4"}, {"generate_audio": False})),
        (VIDEOS, {"mode": "i2v", "keyframes": ["u"]}, {"mode": "i2v", "keyframes": ["u"]}),
        (VIDEOS, {"version": "latest"}, {"version": "latest"}),
    ],
)
def test_what_goes_without_saying_is_left_out(
    path: str, named: dict[str, Any], rest: dict[str, Any]
) -> None:
    asked = {"action": "generate", "prompt": "a", **named}
    assert without_defaults(path, asked) == {"prompt": "a", **rest}


def test_a_draft_is_enhanced_to_full_hd() -> None:
    draft = {"mode": "draft_enhance", "draft_task_id": "d-1"}
    assert without_defaults(VIDEOS, {**draft, "resolution": "fhd"}) == draft
    assert without_defaults(VIDEOS, {**draft, "resolution": "hd"})["resolution"] == "hd"


def test_every_field_that_can_be_sent_has_a_default_or_is_about_delivery() -> None:
    for kind in RequestKind:
        assert fields_of(kind) <= defaults_of(kind.path, {}).keys() | DELIVERY


def test_the_defaults_are_those_that_flux_sends() -> None:
    image = image_requests.image_body("generate", {"prompt": "a"})
    video = video_requests.video_body({"prompt": "a"})
    assert without_defaults(IMAGES, image) == {"prompt": "a"}
    assert without_defaults(VIDEOS, video) == {"prompt": "a"}
    assert without_defaults(IMAGES, body("a")) == {"prompt": "a"}
