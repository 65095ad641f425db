"""Which fields of a video go together."""

from typing import Any

import pytest

from flux_cli.errors import FieldError
from flux_cli.models.video_requests import video_body


URL = "https://x.example/1.png"
PROMPT = {"prompt": "a fox runs"}
FRAMES, VIDEO, DRAFT = {"keyframes": [URL]}, {"start_video": URL}, {"draft_task_id": "a-1"}


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        (PROMPT, "t2v"),
        (PROMPT | FRAMES, "i2v"),
        (PROMPT | VIDEO, "v2v"),
        (DRAFT, "draft_enhance"),
        (PROMPT | {"duration": 20, "draft": True, "resolution": "hd"}, "t2v"),
        (PROMPT | VIDEO | {"duration": 15}, "v2v"),
        (PROMPT | VIDEO | {"duration": "auto"}, "v2v"),
        (PROMPT | {"draft": False, "resolution": "uhd"}, "t2v"),
        (
            DRAFT | {"resolution": "fhd", "safety_tolerance": 0, "callback_url": URL},
            "draft_enhance",
        ),
    ],
)
def test_the_mode_follows_from_the_material(values: dict[str, Any], mode: str) -> None:
    body = video_body(values)
    assert body == {
        **values,
        "action": "generate",
        "model": "flux-3",
        "mode": mode,
        "async": True,
    }
    assert video_body(values | {"mode": mode}) == body


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({}, "prompt", "prompt is missing or empty"),
        (FRAMES, "prompt", "prompt is missing or empty"),
        (
            PROMPT | FRAMES | VIDEO,
            "start_video",
            "keyframes and start_video cannot be combined: give one of them",
        ),
        (
            PROMPT | FRAMES | {"mode": "t2v"},
            "keyframes",
            "keyframes goes with mode i2v, not with t2v",
        ),
        (PROMPT | {"mode": "i2v"}, "keyframes", "keyframes is missing: mode i2v needs it"),
        (PROMPT | {"mode": "v2v"}, "start_video", "start_video is missing: mode v2v needs it"),
        (
            {"mode": "draft_enhance"},
            "draft_task_id",
            "draft_task_id is missing: mode draft_enhance needs it",
        ),
        *(
            (
                DRAFT | {name: value},
                name,
                f"{name} does not go with mode draft_enhance, which takes it from the draft",
            )
            for name, value in {
                **PROMPT,
                "duration": 5,
                "aspect_ratio": "1:1",
                "generate_audio": True,
                "draft": False,
            }.items()
        ),
        (
            PROMPT | VIDEO | {"duration": 16},
            "duration",
            "duration 16 is too long: with start_video it is 5 to 15 seconds or auto",
        ),
        (
            PROMPT | {"draft": True, "resolution": "fhd"},
            "resolution",
            'resolution "fhd" does not go with draft: drafts are hd',
        ),
    ],
)
def test_what_does_not_go_together(values: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        video_body(values)
    assert (caught.value.field, caught.value.message) == (field, message)
