"""Draws pictures in a terminal, in whichever way it can show them."""

from typing import TYPE_CHECKING

from flux_cli.models.media import HEAD, Media, recognise
from flux_cli.models.picture_size import picture_size
from flux_cli.output.preview import blocks, iterm, kitty, sixel
from flux_cli.output.preview.box import Box
from flux_cli.output.preview.errors import NeedsPillow, NoPicture
from flux_cli.output.preview.method import Method
from flux_cli.output.preview.pixels import can_decode, decode, to_png
from flux_cli.output.preview.question import Abilities
from flux_cli.output.terminal import Stdout


if TYPE_CHECKING:
    from PIL.Image import Image


LARGEST_FILE = 30_000_000  # bytes
MOST_PIXELS = 25_000_000
_LONGEST_SIDE = 16_384  # pixels
_PICTURES = (Media.PNG, Media.JPEG, Media.GIF, Media.WEBP)
_HALVES = (1, 2)  # pixels of a cell that is drawn as two halves


def choose(abilities: Abilities, stdout: Stdout) -> Method:
    """Return the best way that there is, or OFF."""
    if abilities.kitty:
        return Method.KITTY
    if abilities.iterm:
        return Method.ITERM
    if not can_decode():
        return Method.OFF
    if abilities.sixel:
        return Method.SIXEL
    return Method.BLOCKS if stdout.has_colours and stdout.speaks_unicode else Method.OFF


def needs_pillow(method: Method) -> bool:
    """Tell whether nothing at all can be drawn in that way without Pillow, which is not there."""
    return method in (Method.SIXEL, Method.BLOCKS) and not can_decode()


def draw(data: bytes, method: Method, stdout: Stdout, *, most_lines: int | None = None) -> bytes:
    """Return what shows the picture in the file `data` on `stdout`, ending with a new line.

    Raises NoPicture. Nothing of the file reaches the terminal but as base64 or as pixels.
    """
    media = recognise(data[: 4 * HEAD])
    if media not in _PICTURES or media is None:
        raise NoPicture("it is not a picture that flux recognises")
    size = picture_size(data, media)
    if size is None:
        raise NoPicture("it is damaged")
    if max(size) > _LONGEST_SIDE or size[0] * size[1] > MOST_PIXELS:
        raise NoPicture("it has too many pixels")
    box = Box.of(stdout, cell=_HALVES if method is Method.BLOCKS else None, most_lines=most_lines)
    if method is Method.BLOCKS:
        return _blocks(data, media, size, box, stdout) + b"\n"
    return _DRAW[method](data, media, size, box) + b"\n"


def _kitty(data: bytes, media: Media, size: tuple[int, int], box: Box) -> bytes:
    if media is not Media.PNG:
        data = to_png(_decoded(data, media, box.pixels(*size)))
    return kitty.draw(data, *box.fit(*size))


def _iterm(data: bytes, media: Media, size: tuple[int, int], box: Box) -> bytes:
    del media
    return iterm.draw(data, *box.fit(*size))


def _sixel(data: bytes, media: Media, size: tuple[int, int], box: Box) -> bytes:
    return sixel.draw(_decoded(data, media, box.pixels(*size)))


def _blocks(data: bytes, media: Media, size: tuple[int, int], box: Box, stdout: Stdout) -> bytes:
    columns, lines = box.fit(*size)
    picture = _decoded(data, media, (columns, 2 * lines))
    text = blocks.draw(picture, true_colours=stdout.has_true_colours)
    return text.encode(stdout.encoding, errors="replace")


_DRAW = {Method.KITTY: _kitty, Method.ITERM: _iterm, Method.SIXEL: _sixel}


def _decoded(data: bytes, media: Media, size: tuple[int, int]) -> "Image":
    if not can_decode():
        raise NeedsPillow
    return decode(data, media, *size, most=MOST_PIXELS)
