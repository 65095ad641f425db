"""Pictures decoded, and made smaller: the only module with Pillow, which is an extra."""

import importlib.util
import io
from typing import TYPE_CHECKING

from flux_cli.models.media import Media
from flux_cli.output.preview.errors import NoPicture


if TYPE_CHECKING:
    from PIL.Image import Image


_FORMATS = {Media.PNG: "PNG", Media.JPEG: "JPEG", Media.GIF: "GIF", Media.WEBP: "WEBP"}


def can_decode() -> bool:
    """Tell whether Pillow is there, without loading it."""
    return importlib.util.find_spec("PIL") is not None


def decode(data: bytes, media: Media, width: int, height: int, *, most: int) -> "Image":
    """Return the first picture of a file in RGB, scaled to `width` times `height` pixels.

    Raises NoPicture for one of more than `most` pixels, or that is damaged.
    """
    from PIL import Image

    try:
        with _opened(data, media, most) as picture:
            picture.verify()
        with _opened(data, media, most) as picture:
            picture.draft("RGB", (width, height))  # a JPEG is decoded at a smaller size
            drawn = picture.convert("RGBA")
            if drawn.size != (width, height):
                drawn = drawn.resize((width, height), Image.Resampling.LANCZOS)
    except NoPicture:
        raise
    except Exception as error:  # whatever a decoder thinks of bytes from outside
        raise NoPicture("it is damaged") from error
    ground = Image.new("RGBA", drawn.size, (0, 0, 0, 255))
    return Image.alpha_composite(ground, drawn).convert("RGB")


def _opened(data: bytes, media: Media, most: int) -> "Image":
    """Return the picture with its header read, and nothing decoded. Raises NoPicture."""
    from PIL import Image

    picture = Image.open(io.BytesIO(data), formats=[_FORMATS[media]])
    if picture.width * picture.height > most:
        raise NoPicture("it has too many pixels")
    return picture


def to_png(picture: "Image") -> bytes:
    """Return `picture` as a PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()
