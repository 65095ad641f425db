"""Pictures worth looking at: landscapes with colours of the prompt, and a shape of the seed."""

import colorsys
import math
import random
import zlib
from collections.abc import Iterable
from typing import NamedTuple


class Picture(NamedTuple):
    """Rows of indexes into a palette of 256 colours, three bytes each."""

    palette: bytes
    rows: list[bytearray]


_HUES = {
    "red": 0.0,
    "orange": 0.07,
    "golden": 0.12,
    "yellow": 0.15,
    "green": 0.36,
    "teal": 0.49,
    "blue": 0.6,
    "violet": 0.75,
    "purple": 0.78,
    "pink": 0.92,
}
_USUAL = ("orange", "golden", "teal", "blue", "violet", "pink", "red")
_SKY, _SUN, _LAND = 96, 32, 32  # shades of each in the palette; the rest is for four ridges
_RIDGES = 4


class _Light(NamedTuple):
    """How light things are, from 0 to 1."""

    zenith: float
    horizon: float
    sun: float
    farthest: float  # ridge
    nearest: float
    turn: float  # of the hue, from the zenith to the horizon


_DAY = _Light(0.45, 0.86, 0.96, 0.7, 0.14, 0.09)
_NIGHT = _Light(0.06, 0.36, 0.88, 0.27, 0.04, -0.06)


def paint(seed: int, width: int, height: int, prompt: str = "") -> Picture:
    """Return a picture of `width` times `height` pixels; the same arguments give the same one."""
    chance = random.Random(seed)
    light = _NIGHT if chance.random() < 0.4 else _DAY  # noqa: PLR2004
    horizon = round(height * chance.uniform(0.5, 0.7))
    palette = _palette(_hue(prompt) + chance.uniform(-0.04, 0.04), light)
    sky = _shades(0, _SKY, horizon) + bytes([_SKY - 1]) * (height - horizon)
    stars = 60 if light is _NIGHT else 0
    columns = [bytearray(sky) for _ in range(width)]
    for _ in range(stars):
        columns[chance.randrange(width)][chance.randrange(height)] = _SKY
    radius = max(1.0, min(width, height) * chance.uniform(0.08, 0.16))
    middle = round(width * chance.uniform(0.2, 0.8)), round(horizon * chance.uniform(0.4, 0.9))
    _draw_sun(columns, middle, radius)
    for number in range(_RIDGES):
        depth = (number + 1) / _RIDGES  # of the ridge, in front of the one before
        base = horizon + (height - horizon) * (depth - 0.35)
        _draw_ridge(columns, number, base, height * (0.05 + 0.05 * depth), chance)
    pixels = b"".join(columns)
    rows = [bytearray(pixels[y::height]) for y in range(height)]
    return Picture(palette, rows)


def _draw_sun(columns: list[bytearray], middle: tuple[int, int], radius: float) -> None:
    x, y = middle
    for column in range(max(0, math.ceil(x - radius)), min(len(columns), math.floor(x + radius))):
        half = int(math.sqrt(max(0.0, radius**2 - (column - x) ** 2)))
        top, end = max(0, y - half), min(len(columns[column]), y + half)
        shades = _shades(_SKY, _SUN, round(2 * radius) + 1)
        offset = max(0, round(top - y + radius))
        columns[column][top:end] = shades[offset : offset + end - top].ljust(
            end - top, bytes([_SKY + _SUN - 1])
        )


def _draw_ridge(
    columns: list[bytearray], number: int, base: float, swing: float, chance: random.Random
) -> None:
    """Draw the ridge of that `number` over what is there; waves of three lengths shape it."""
    height = len(columns[0])
    longest = max(height, len(columns))
    waves = [
        (swing / n, chance.uniform(1.2, 2.2) * n**1.5 * math.tau / longest, chance.uniform(0, 9))
        for n in (1, 2, 3)
    ]
    shades = _shades(_SKY + _SUN + number * _LAND, _LAND, max(1, height - round(base - swing)))
    for x, column in enumerate(columns):
        top = base + sum(size * math.sin(pace * x + start) for size, pace, start in waves)
        first = min(height, max(0, round(top)))
        land = shades[: height - first]
        column[first:] = land.ljust(height - first, shades[-1:])


def _shades(first: int, count: int, length: int) -> bytes:
    """Return `length` indexes that go evenly through `count` shades."""
    return bytes(first + step * count // length for step in range(length))


def _palette(hue: float, light: _Light) -> bytes:
    warm = hue + light.turn
    bands = [
        _band(_SKY, (hue, light.zenith, 0.6), (warm, light.horizon, 0.75)),
        _band(_SUN, (warm, light.sun, 0.9), (warm - 0.05, light.sun - 0.12, 0.95)),
    ]
    for number in range(_RIDGES):
        share = number / (_RIDGES - 1)
        lightness = light.farthest + (light.nearest - light.farthest) * share
        bands.append(_band(_LAND, (hue, lightness, 0.4), (warm, lightness + 0.1, 0.4)))
    return b"".join(bands)


def _band(count: int, first: tuple[float, float, float], last: tuple[float, float, float]) -> bytes:
    """Return `count` colours from `first` to `last`, each a hue, a lightness and a saturation."""
    colours: Iterable[tuple[float, float, float]] = (
        colorsys.hls_to_rgb(
            *(a + (b - a) * step / (count - 1) for a, b in zip(first, last, strict=True))
        )
        for step in range(count)
    )
    return bytes(round(255 * min(1.0, max(0.0, value))) for rgb in colours for value in rgb)


def _hue(prompt: str) -> float:
    """Return the hue of the first colour that `prompt` names, or else a usual one; from 0 to 1."""
    named = (_HUES[word] for word in prompt.lower().split() if word in _HUES)
    chosen = _USUAL[zlib.crc32(prompt.encode(errors="replace")) % len(_USUAL)]
    return next(named, _HUES[chosen])
