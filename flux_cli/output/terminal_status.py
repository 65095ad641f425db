"""How far a watch is, in the terminal's title and at its tab: seen from behind other windows."""

from flux_cli.output.terminal import Screen, is_foreground
from flux_cli.output.terminal_features import has_title, shows_progress


_KEEP_TITLE, _TAKE_TITLE_BACK = "\x1b[22;0t", "\x1b[23;0t"
_NO_TITLE = "\x1b]2;\x1b\\"  # where a terminal cannot take its title back
_NO_PROGRESS = "\x1b]9;4;0;\x1b\\"


class TerminalStatus:
    """Makes the codes that show progress on a terminal, and those that take it away again."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._has_title = screen.has_styles and has_title(screen.environment)
        self._shows_progress = screen.has_styles and shows_progress(screen.environment)
        self._shown: tuple[int, int] | None = None

    def show(self, done: int, total: int) -> str:
        """Return the codes for `done` of `total`; none while another job has the terminal."""
        if self._shown == (done, total) or not self._is_ours():
            return ""
        codes = _KEEP_TITLE if self._has_title and self._shown is None else ""
        self._shown = done, total
        if self._has_title:
            codes += f"\x1b]2;flux: {done:,} of {total:,} done\x1b\\"
        if self._shows_progress:
            codes += f"\x1b]9;4;1;{100 * done // total}\x1b\\"
        return codes

    def reset(self) -> str:
        """Return the codes that leave the terminal as it was; none where nothing is shown."""
        if self._shown is None:
            return ""
        self._shown = None
        codes = _NO_TITLE + _TAKE_TITLE_BACK if self._has_title else ""
        return codes + (_NO_PROGRESS if self._shows_progress else "")

    def _is_ours(self) -> bool:
        try:
            return is_foreground(self._screen.fileno())
        except OSError:
            return False
