"""Sizes of images, by model; and what a body is filled up with."""

import pytest

from flux_cli.errors import FieldError
from flux_cli.models.image_requests import MODELS, PIXELS, RATIOS, TO_GENERATE, image_body


@pytest.mark.parametrize("model", [*MODELS, "flux-9"])
def test_a_ratio_is_right_for_every_model(model: str) -> None:
    for size in RATIOS:
        assert image_body("generate", {"model": model, "size": size})["size"] == size


@pytest.mark.parametrize("model", MODELS)
def test_pixels_are_for_two_models(model: str) -> None:
    for size in PIXELS:
        values = {"model": model, "size": size}
        if model in ("flux-dev", "flux-pro"):
            assert image_body("generate", values)["size"] == size
        else:
            with pytest.raises(FieldError, match=f"in pixels, which {model} does not take"):
                image_body("generate", values)


def test_what_a_new_model_takes_is_left_to_the_service() -> None:
    for size in ("5:4", "2048x2048"):
        assert image_body("edit", {"model": "flux-9", "size": size})["size"] == size


@pytest.mark.parametrize("size", ["5:7", "512x512"])
def test_a_size_that_is_not_documented_is_refused_with_those_that_are(size: str) -> None:
    with pytest.raises(FieldError) as caught:
        image_body("generate", {"size": size})
    assert caught.value.message.startswith(f'size "{size}" is not one of 21:9, 16:9, ')
    assert caught.value.message.endswith(", 1024x1024, 1024x1792, 1792x1024")


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ("16:9", "16:9"),
        ("16:09", "16:9"),  # as spreadsheets write the time of day that they take it for
        ("01:01:00", "1:1"),
        ("9:16:00", "9:16"),
        ("1024X1024", "1024x1024"),
    ],
)
def test_a_size_is_understood_as_it_is_often_written(given: str, size: str) -> None:
    assert TO_GENERATE["size"](given) == size


@pytest.mark.parametrize("given", ["", "big", "16/9", "16 : 9", "1024", 7, ["1:1"], "1x1"])
def test_what_is_no_size_at_all_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="is not one of 21:9"):
        TO_GENERATE["size"](given)


def test_model_and_size_are_always_said() -> None:
    assert image_body("generate", {"prompt": "a fox"}) == {
        "action": "generate",
        "model": "flux-dev",
        "size": "1:1",
        "prompt": "a fox",
        "async": True,
    }
