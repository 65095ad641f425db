<<<<<<< HEAD
"""What a request means where it leaves a field out."""
=======
"""A request that names a default asks for the same as one that does not."""
>>>>>>> work-subtests

from typing import Any

import pytest

<<<<<<< HEAD
from flux_cli.models.request_defaults import defaults_of, without_defaults
from flux_cli.models.submission import PlannedRequest


IMAGES, VIDEOS = "/flux/images", "/flux/videos"
FOX: dict[str, Any] = {"action": "generate", "prompt": "a fox", "async": True}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (IMAGES, {"count": 1}),
        (IMAGES, {"size": "1:1", "model": "flux-dev"}),
        (IMAGES, {"callback_url": "https://x.example/", "image_url": None}),
        (VIDEOS, {"mode": "t2v", "resolution": "hd", "generate_audio": True}),
        (VIDEOS, {"duration": "auto", "aspect_ratio": "auto", "safety_tolerance": 2}),
    ],
)
def test_whoever_names_a_default_asks_for_the_same(path: str, body: dict[str, Any]) -> None:
    assert without_defaults(path, {**FOX, **body}) == {"prompt": "a fox"}
    assert PlannedRequest(path, {**FOX, **body}).key == PlannedRequest(path, FOX).key


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (IMAGES, {"count": 2}),
        (IMAGES, {"size": "16:9"}),
        (IMAGES, {"action": "edit"}),
        (VIDEOS, {"generate_audio": False}),
        (VIDEOS, {"draft": True}),
        (VIDEOS, {"mode": "draft_enhance", "resolution": "hd"}),
    ],
)
def test_anything_else_is_another_request(path: str, body: dict[str, Any]) -> None:
    assert PlannedRequest(path, {**FOX, **body}).key != PlannedRequest(path, FOX).key


def test_a_draft_is_enhanced_in_full_hd_by_itself() -> None:
    assert defaults_of(VIDEOS, {"mode": "draft_enhance"})["resolution"] == "fhd"
    assert defaults_of(VIDEOS, {})["resolution"] == "hd"


def test_a_retry_is_one_whatever_the_service_says_of_its_request() -> None:
    first = PlannedRequest(IMAGES, FOX, retry_of="task-1")
    assert PlannedRequest(IMAGES, {**FOX, "size": "16:9"}, retry_of="task-1").key == first.key
    assert PlannedRequest(IMAGES, FOX, retry_of="task-2").key != first.key
    assert PlannedRequest(IMAGES, FOX).key != first.key
=======
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
>>>>>>> work-subtests
