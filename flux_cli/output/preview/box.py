"""How large a picture is drawn: never larger than the window, nor than it is."""

import struct
import sys
from dataclasses import dataclass

from flux_cli.output.terminal import Screen


_CELL = (10, 20)  # pixels, where the terminal does not tell
_SMALLEST_CELL, _LARGEST_CELL = 2, 200  # pixels that are believed
_LONGEST_SIDE = 1200  # pixels that are drawn one by one
_DEFAULT_COLUMNS = 80  # where there is no window
_FREE_LINES = 3  # below a picture: what is typed next does not push it out of sight


@dataclass(frozen=True, slots=True)
class Box:
    """A window of `columns` by `lines` cells, each of `cell` pixels."""

    columns: int
    lines: int
    cell: tuple[int, int]

    @classmethod
    def of(
        cls,
        screen: Screen,
        *,
        cell: tuple[int, int] | None = None,
        most_lines: int | None = None,
    ) -> "Box":
        """Return what `screen` has room for; `cell` is as the terminal says, unless given."""
        lines = max(1, min(screen.lines - _FREE_LINES, most_lines or screen.lines))
        columns = screen.columns if screen.is_terminal else min(screen.columns, _DEFAULT_COLUMNS)
        return cls(columns, lines, cell or _cell_of(screen))

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Return the columns and lines of a picture of `width` times `height` pixels."""
        across, down = self.cell
        scale = self._scale(width, height)
        columns, lines = round(width * scale / across), round(height * scale / down)
        return max(1, min(self.columns, columns)), max(1, min(self.lines, lines))

    def pixels(self, width: int, height: int) -> tuple[int, int]:
        """Return in pixels how large such a picture is drawn."""
        scale = min(self._scale(width, height), _LONGEST_SIDE / max(width, height))
        return max(1, int(width * scale)), max(1, int(height * scale))

    def _scale(self, width: int, height: int) -> float:
        across, down = self.cell
        return min(1.0, self.columns * across / width, self.lines * down / height)


def _cell_of(screen: Screen) -> tuple[int, int]:
    """Return width and height of a cell in pixels, as the terminal tells them."""
    if sys.platform == "win32":
        return _CELL
    import fcntl
    import termios

    try:
        answer = fcntl.ioctl(screen.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except OSError:
        return _CELL
    lines, columns, width, height = struct.unpack("HHHH", answer)
    if not (lines and columns):
        return _CELL
    cell = width // columns, height // lines
    return cell if all(_SMALLEST_CELL <= side <= _LARGEST_CELL for side in cell) else _CELL
