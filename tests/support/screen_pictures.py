"""Pictures read back from what was sent to a terminal, as the terminals that know them do."""

import base64
import re
from dataclasses import dataclass
from typing import Any

import pyte
from PIL import Image


COLOURS = ((255, 0, 0), (0, 0, 255), (255, 255, 0), (0, 0, 0))  # every method has just these
_KITTY = re.compile(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\")
_ITERM = re.compile(r"\x1b\]1337;File=([^:]*):([^\x07]*)\x07")
_SIXEL = re.compile(r'\x1bP[0-9;]*q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\')
_UNKNOWN_TO_PYTE = re.compile(r"\x1b_[^\x1b]*\x1b\\|\x1b\[>[0-9]*q")  # and ignored by terminals
_SIXEL_PART = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")


@dataclass(frozen=True)
class Shown:
    """A file as it was sent, and what was said of it."""

    keys: dict[str, str]
    data: bytes


def make_picture(width: int = 60, height: int = 40) -> Image.Image:
    """Return a picture of four colours, no two of whose quarters are alike."""
    picture = Image.new("RGB", (width, height), COLOURS[0])
    for number, left, top in ((1, width // 2, 0), (2, 0, height // 3), (3, width // 3, 7)):
        picture.paste(COLOURS[number], (left, top, left + width // 3, top + height // 2))
    return picture


def kitty_pictures(sent: str) -> list[Shown]:
    """Return the files that a terminal would have shown by the kitty graphics protocol."""
    shown: list[Shown] = []
    keys: dict[str, str] = {}
    text = ""
    for match in _KITTY.finditer(sent):
        some = dict(pair.split("=") for pair in match[1].split(","))
        if some.get("a") == "q":
            continue
        assert len(match[2]) <= 4096
        assert some["q"] == "2"  # the terminal must not answer
        keys, text = {**some, **keys}, text + match[2]
        if some["m"] == "0":
            shown.append(Shown(keys, base64.b64decode(text, validate=True)))
            keys, text = {}, ""
    assert not text
    return shown


def iterm_pictures(sent: str) -> list[Shown]:
    """Return the files that iTerm2 would have shown."""
    return [
        Shown(
            dict(pair.split("=") for pair in match[1].split(";")),
            base64.b64decode(match[2], validate=True),
        )
        for match in _ITERM.finditer(sent)
    ]


def sixel_pictures(sent: str) -> list[Image.Image]:
    """Return the pictures that a terminal with sixels would have shown."""
    return [_sixel(int(m[1]), int(m[2]), m[3]) for m in _SIXEL.finditer(sent)]


def _sixel(width: int, height: int, text: str) -> Image.Image:
    picture = Image.new("RGB", (width, height), (1, 2, 3))
    names: dict[int, tuple[int, ...]] = {}
    x = top = end = 0
    colour: tuple[int, ...] = ()
    while end < len(text):
        part = _SIXEL_PART.match(text, end)
        assert part is not None, text[end : end + 20]
        end = part.end()
        if part[1]:
            names[int(part[1])] = tuple(round(int(share) * 2.55) for share in part.group(2, 3, 4))
        elif part[5]:
            colour = names[int(part[5])]
        elif part[9]:
            x, top = 0, top + 6 * (part[9] == "-")
        else:
            bits = ord(part[7] or part[8]) - 63
            count = int(part[6] or 1)
            for column in range(x, x + count):
                for row in range(6):
                    if bits >> row & 1:
                        picture.putpixel((column, top + row), colour)
            x += count
    return picture


def block_picture(sent: str, columns: int, lines: int) -> Image.Image:
    """Return the picture that half blocks show on a terminal, by the colours of its cells."""
    screen = pyte.Screen(columns, lines)
    pyte.Stream(screen).feed(_UNKNOWN_TO_PYTE.sub("", sent))
    rows = [y for y in range(lines) if any(c.data == "▀" for c in screen.buffer[y].values())]
    cells = [[screen.buffer[y][x] for x in range(columns)] for y in rows]
    width = max(sum(cell.data == "▀" for cell in row) for row in cells)
    picture = Image.new("RGB", (width, 2 * len(rows)))
    for y, row in enumerate(cells):
        for x, cell in enumerate(row[:width]):
            assert cell.data == "▀"
            picture.putpixel((x, 2 * y), _rgb(cell.fg))
            picture.putpixel((x, 2 * y + 1), _rgb(cell.bg))
    return picture


def _rgb(name: Any) -> tuple[int, ...]:
    return tuple(bytes.fromhex(name))
