"""Pictures for agents: as they are where they fit, else smaller."""

import io
import random

import pytest
from PIL import Image

from flux_cli.models.media import Media
from flux_cli.output.preview import thumbnail as module
from flux_cli.output.preview.errors import NeedsPillow, NoPicture
from flux_cli.output.preview.thumbnail import LARGEST, LONGEST_SIDE, thumbnail


def picture(width: int, height: int, kind: str, *, noisy: bool = False) -> bytes:
    """Return a file with a picture; a noisy one can hardly be compressed."""
    image = Image.new("RGB", (width, height), "red")
    if noisy:
        image = Image.frombytes("RGB", image.size, random.Random(1).randbytes(3 * width * height))
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_fits_is_passed_on_as_it_is(kind: str) -> None:
    data = picture(LONGEST_SIDE, 10, kind)
    made = thumbnail(data)
    assert (made.data, made.is_scaled, made.original) == (data, False, (LONGEST_SIDE, 10))
    assert made.media.mime_type == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    ("size", "scaled"),
    [((2048, 1024), (1024, 512)), ((1025, 1), (1024, 1)), ((1000, 1000), (1000, 1000))],
)
def test_what_is_too_large_is_scaled_and_small_enough(
    size: tuple[int, int], scaled: tuple[int, int]
) -> None:
    made = thumbnail(picture(*size, "PNG", noisy=True))
    assert (made.media, made.is_scaled, made.original) == (Media.JPEG, True, size)
    assert len(made.data) <= LARGEST
    assert Image.open(io.BytesIO(made.data)).size == scaled


def test_without_pillow_only_what_fits_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "can_decode", lambda: False)
    assert not thumbnail(picture(64, 64, "PNG")).is_scaled
    with pytest.raises(NeedsPillow):
        thumbnail(picture(2000, 10, "PNG"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a picture"),
        (b"<html>" * 50, "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "damaged"),
        (picture(2000, 2000, "PNG")[:300], "damaged"),
        (picture(9000, 9000, "PNG"), "too many pixels"),
    ],
)
def test_what_is_no_picture_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(NoPicture, match=reason):
        thumbnail(data)
