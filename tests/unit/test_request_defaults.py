"""What a request means where it leaves a field out."""

from typing import Any

import pytest

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
