"""Sixel graphics, as the VT340 had them: bands of six rows, a plane for each colour in a band."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from PIL.Image import Image


_COLOURS = 256
_BAND = 6  # rows
_EMPTY = 63  # the character for six pixels of which none is set
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def draw(picture: "Image") -> bytes:
    """Return what shows an RGB `picture`, pixel for pixel, in up to 256 colours."""
    from PIL import Image

    width, height = picture.size
    few = picture.quantize(_COLOURS, dither=Image.Dither.NONE)
    palette, indexes = few.getpalette() or [], few.tobytes()
    used = sorted(set(indexes))
    names = b"".join(
        b"#%d;2;%d;%d;%d" % (index, *(round(part / 2.55) for part in palette[3 * index :][:3]))
        for index in used
    )
    bands = b"-".join(
        b"$".join(_planes([indexes[y * width : (y + 1) * width] for y in rows]))
        for rows in (range(top, min(top + _BAND, height)) for top in range(0, height, _BAND))
    )
    return b'\x1bP0;1;0q"1;1;%d;%d%b%b\x1b\\' % (width, height, names, bands)


def _planes(rows: list[bytes]) -> Iterator[bytes]:
    """Yield for each colour of a band the columns in which it stands."""
    planes: dict[int, bytearray] = {}
    for number, row in enumerate(rows):
        bit = 1 << number
        for x, index in enumerate(row):
            plane = planes.get(index)
            if plane is None:
                plane = planes[index] = bytearray(len(row))
            plane[x] |= bit
    for index, plane in planes.items():
        columns = bytes(bits + _EMPTY for bits in plane).rstrip(b"?")
        yield b"#%d%b" % (index, _RUN.sub(_counted, columns))


def _counted(run: re.Match[bytes]) -> bytes:
    return b"!%d%b" % (len(run[0]), run[1])
