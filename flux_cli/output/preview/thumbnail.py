"""Pictures as agents are shown them: small enough for what their clients take."""

import io
from typing import NamedTuple

from flux_cli.models.media import HEAD, Media, recognise
from flux_cli.models.picture_size import picture_size
from flux_cli.output.preview.draw import MOST_PIXELS
from flux_cli.output.preview.errors import NeedsPillow, NoPicture
from flux_cli.output.preview.pixels import can_decode, decode


LONGEST_SIDE = 1024  # pixels
LARGEST = 700_000  # bytes; as base64 they are less than the megabyte that clients take
_SHOWN = (Media.PNG, Media.JPEG, Media.GIF, Media.WEBP)
_QUALITIES = (85, 60, 30)  # of a JPEG; the first that is small enough


class Thumbnail(NamedTuple):
    """A picture to show, and how large the original is in pixels."""

    data: bytes
    media: Media
    original: tuple[int, int]
    is_scaled: bool


def thumbnail(data: bytes) -> Thumbnail:
    """Return the picture in a file, scaled down where it is too large.

    Raises NoPicture, and NeedsPillow where it would have to be scaled without Pillow.
    """
    media = recognise(data[: 4 * HEAD])
    if media is None or media not in _SHOWN:
        raise NoPicture("it is not a picture that flux recognises")
    size = picture_size(data, media)
    if size is None:
        raise NoPicture("it is damaged")
    if max(size) <= LONGEST_SIDE and len(data) <= LARGEST:
        return Thumbnail(data, media, size, is_scaled=False)
    if size[0] * size[1] > MOST_PIXELS:
        raise NoPicture("it has too many pixels")
    if not can_decode():
        raise NeedsPillow
    scale = min(1.0, LONGEST_SIDE / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    picture = decode(data, media, width, height, most=MOST_PIXELS)
    for quality in _QUALITIES:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        if file.tell() <= LARGEST:
            break
    return Thumbnail(file.getvalue(), Media.JPEG, size, is_scaled=True)
