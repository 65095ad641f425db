"""Which kind a file is, and whether its end is there."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.models.media import HEAD, Media, is_whole, recognise
from tests.support.media import FILES


def whole(data: bytes, media: Media) -> bool:
    return is_whole(io.BytesIO(data), media, len(data))


@pytest.mark.parametrize("media", Media)
def test_each_kind_is_recognised_and_whole(media: Media) -> None:
    data = FILES[media]
    assert recognise(data[:HEAD]) is media
    assert whole(data, media)


@pytest.mark.parametrize("media", Media)
def test_no_beginning_of_a_file_is_whole(media: Media) -> None:
    data = FILES[media]
    ends = [n for n in range(HEAD, len(data)) if whole(data[:n], media)]
    assert ends == []


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"<!doctype html><title>x</title>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"%PDF-1.7\n",
        b"PK\x03\x04",
        b"\x7fELF",
        b"MZ\x90\x00",
        b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf",
        b"RIFF\x10\x00\x00\x00WAVEfmt ",
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska",
    ],
)
def test_nothing_else_is_recognised(head: bytes) -> None:
    assert recognise(head.ljust(HEAD, b" ")) is None


@pytest.mark.parametrize(
    ("media", "tail"),
    [
        (Media.PNG, b"text after the end"),
        (Media.JPEG, b"\0" * 100),
        (Media.JPEG, b"a film of the moment" * 10_000),
        (Media.GIF, b"\0\0"),
        (Media.GIF, b"text after the end"),
        (Media.WEBP, b"\0" * 100),
    ],
)
def test_what_some_programs_append_does_no_harm(media: Media, tail: bytes) -> None:
    assert whole(FILES[media] + tail, media)


def test_an_mp4_without_an_index_plays_nowhere() -> None:
    data = FILES[Media.MP4]
    assert not whole(data.replace(b"moov", b"free"), Media.MP4)
    assert whole(data.replace(b"moov", b"moof"), Media.MP4)


def test_a_box_may_have_a_long_size_and_one_without_size_has_no_end() -> None:
    data = FILES[Media.MP4]
    start = data.index(b"mdat") - 4
    assert not whole(data[:start] + b"\0\0\0\0" + data[start + 4 :], Media.MP4)
    body = data[start + 8 :]
    long_size = b"\0\0\0\1mdat" + (16 + len(body)).to_bytes(8)
    assert whole(data[:start] + long_size + body, Media.MP4)
    assert not whole(data[:start] + long_size + body[:-1], Media.MP4)


def test_a_webm_of_unknown_length_has_no_end() -> None:
    data = FILES[Media.WEBM]
    start = data.index(b"\x18\x53\x80\x67") + 4
    assert not whole(data[:start] + b"\x01" + b"\xff" * 7 + data[start + 8 :], Media.WEBM)


@pytest.mark.parametrize("distance", [*range(-3, 4), 70_000])
def test_the_end_of_a_jpeg_is_found_wherever_it_is(distance: int) -> None:
    """Markers inside of segments, stuffed bytes and restarts are none; several scans are."""
    head = b"\xff\xd8\xff\xe1\x00\x08mini\xff\xd9"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\xff\x00\xff\xd3"
    data = head + scan + b"\xff\xc4\x00\x04\xff\xd9" + scan + b"x" * ((1 << 16) + distance)
    assert whole(data + b"\xff\xff\xd9", Media.JPEG)
    assert whole(data + b"\xff\xd9" + b"\0" * 200_000, Media.JPEG)
    assert not whole(data + b"\xff", Media.JPEG)
    assert not whole(data, Media.JPEG)


@given(st.sampled_from(Media), st.binary(max_size=300), st.integers(0, 64))
@example(Media.JPEG, b"\xff\xe0\x00\x00" * 50, 3)
@example(Media.PNG, b"\xff" * 100, 8)
def test_any_bytes_are_told_apart_without_an_error(media: Media, noise: bytes, kept: int) -> None:
    data = FILES[media][:kept] + noise
    recognise(data[:HEAD])
    assert whole(data, media) in (True, False)


@pytest.mark.parametrize("media", [Media.PNG, Media.JPEG, Media.GIF, Media.MP4])
def test_a_file_of_a_million_empty_parts_does_not_take_for_ever(media: Media) -> None:
    part = {
        Media.PNG: b"\0\0\0\0tEXt\0\0\0\0",
        Media.JPEG: b"\xff\xe1\x00\x02",
        Media.GIF: b"\x21\xfe\x01;\x00",
        Media.MP4: b"\0\0\0\x08free",
    }[media]
    head = b"GIF89a\1\0\1\0\0\0\0" if media is Media.GIF else FILES[media][:8]
    assert not whole(head + part * 1_000_000, media)
