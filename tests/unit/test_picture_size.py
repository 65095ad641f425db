"""The size of a picture, by its header alone; how large it is drawn; blocks of 256 colours."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from flux_cli.models.media import Media
from flux_cli.models.picture_size import picture_size
from flux_cli.output.preview import blocks
from flux_cli.output.preview.box import Box
from tests.support.screen_pictures import block_picture


SAVED: dict[str, tuple[Media, str, dict[str, Any]]] = {
    "png": (Media.PNG, "PNG", {}),
    "palette": (Media.PNG, "PNG", {}),
    "jpeg": (Media.JPEG, "JPEG", {}),
    "progressive": (Media.JPEG, "JPEG", {"progressive": True}),
    "gif": (Media.GIF, "GIF", {}),
    "lossy": (Media.WEBP, "WEBP", {}),
    "lossless": (Media.WEBP, "WEBP", {"lossless": True}),
    "extended": (Media.WEBP, "WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
}


@pytest.mark.parametrize("name", SAVED)
def test_the_header_tells_the_size(name: str) -> None:
    media, kind, options = SAVED[name]
    file = io.BytesIO()
    Image.new("P" if name == "palette" else "RGB", (321, 87)).save(file, kind, **options)
    assert picture_size(file.getvalue(), media) == (321, 87)
    for length in range(40):
        picture_size(file.getvalue()[:length], media)


@given(st.binary(max_size=300), st.sampled_from(list(Media)))
def test_no_bytes_are_too_strange(data: bytes, media: Media) -> None:
    for start in (b"", b"\xff\xd8", b"RIFF    WEBPVP8X"):
        size = picture_size(start + data, media)
        assert size is None or all(side > 0 for side in size)


@given(
    st.integers(1, 300),
    st.integers(1, 100),
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.sampled_from([(10, 20), (1, 2), (7, 15)]),
)
def test_a_picture_never_leaves_the_window_nor_grows(
    columns: int, lines: int, width: int, height: int, cell: tuple[int, int]
) -> None:
    box = Box(columns, lines, cell)
    across, down = box.fit(width, height)
    assert 1 <= across <= columns
    assert 1 <= down <= lines
    assert across == 1 or across * cell[0] <= width + cell[0]
    pixels = box.pixels(width, height)
    assert 1 <= pixels[0] <= max(1, min(width, columns * cell[0]))
    assert 1 <= pixels[1] <= max(1, min(height, lines * cell[1]))


@pytest.mark.parametrize(
    ("colour", "shown"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (255, 255, 255)),
        ((95, 135, 215), (95, 135, 215)),
        ((120, 121, 119), (118, 118, 118)),
        ((250, 10, 3), (255, 0, 0)),
    ],
)
def test_256_colours_are_the_nearest(
    colour: tuple[int, int, int], shown: tuple[int, int, int]
) -> None:
    text = blocks.draw(Image.new("RGB", (3, 2), colour), true_colours=False)
    assert block_picture(text, 10, 3).getpixel((1, 1)) == shown
