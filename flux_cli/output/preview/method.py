"""The ways to draw a picture in a terminal."""

from enum import StrEnum


class Method(StrEnum):
    """What `--preview` takes."""

    AUTO = "auto"
    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"
    BLOCKS = "blocks"
    OFF = "off"
