"""Half blocks: two pixels in each cell, the upper one as its colour, the lower as its ground."""

from collections.abc import Iterator
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from PIL.Image import Image


_HALF = "\N{UPPER HALF BLOCK}"
_LEVELS = (0, 95, 135, 175, 215, 255)  # of the cube of 216 colours that begins at 16
_GREYS, _FIRST_GREY = 24, 232  # 8, 18, ... 238
Colour = tuple[int, int, int]


def draw(picture: "Image", *, true_colours: bool) -> str:
    """Return lines of text for a `picture` of an even height; one of 256 colours for each cell.

    With `true_colours`, one of 16 million.
    """
    width, height = picture.size
    data = picture.tobytes()
    name = _true_name if true_colours else _nearest_name

    def colour(x: int, y: int) -> Colour:
        start = 3 * (y * width + x)
        return data[start], data[start + 1], data[start + 2]

    def cells(y: int) -> Iterator[str]:
        before = None
        for x in range(width):
            colours = colour(x, y), colour(x, y + 1)
            if colours != before:
                yield f"\x1b[38;{name(colours[0])};48;{name(colours[1])}m"
                before = colours
            yield _HALF

    return "\n".join(f"{''.join(cells(y))}\x1b[0m" for y in range(0, height, 2))


def _true_name(colour: Colour) -> str:
    return "2;{};{};{}".format(*colour)


def _nearest_name(colour: Colour) -> str:
    """Return the nearest of the 240 colours that every terminal with 256 has the same of."""
    steps = [min(range(6), key=lambda step: abs(_LEVELS[step] - part)) for part in colour]
    grey = max(0, min(_GREYS - 1, round((sum(colour) / 3 - 8) / 10)))
    cube: Colour = (_LEVELS[steps[0]], _LEVELS[steps[1]], _LEVELS[steps[2]])
    shade = 8 + 10 * grey
    if _distance(colour, (shade, shade, shade)) < _distance(colour, cube):
        return f"5;{_FIRST_GREY + grey}"
    return f"5;{16 + 36 * steps[0] + 6 * steps[1] + steps[2]}"


def _distance(one: Colour, other: Colour) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
