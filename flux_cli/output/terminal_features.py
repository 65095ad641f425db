"""What a terminal understands beyond colours, by the variables that it sets.

Escape codes that are not understood may be printed, or taken for others. So each is sent only
where it is known to be.
"""

import re
from collections.abc import Mapping
from enum import Enum


class Notification(Enum):
    """The escape code by which a terminal shows a message on the desktop."""

    OSC_9 = "\x1b]9;flux: {text}\x1b\\"
    OSC_777 = "\x1b]777;notify;flux;{text}\x1b\\"


# TERM also comes through ssh. The Linux console and Emacs, which have no title, may print one.
_HAS_TITLE = (
    *("xterm", "screen", "tmux", "rxvt", "foot", "alacritty", "kitty", "konsole", "gnome"),
    *("vte", "st-", "wezterm", "contour", "mintty"),
)
_BY_TERM = {
    "xterm-kitty": Notification.OSC_9,
    "xterm-ghostty": Notification.OSC_9,
    "foot": Notification.OSC_777,
    "foot-extra": Notification.OSC_777,
}
_BY_PROGRAM = {  # TERM_PROGRAM
    "ghostty": Notification.OSC_9,
    "iTerm.app": Notification.OSC_9,
    "WezTerm": Notification.OSC_9,
    "WarpTerminal": Notification.OSC_9,
}
# OSC 9;4: a version of the variable from which on the terminal shows progress. Older ones of
# iTerm2 and WezTerm show a notification for each step. Not kitty, which drops it, nor Konsole.
_SHOWS_PROGRESS = {
    "ghostty": (1, 2),
    "iTerm.app": (3, 6, 6),
    "WezTerm": (20250210,),  # a nightly build
}
_VTE_WITH_PROGRESS = 8000  # 0.80


def _is_multiplexed(environment: Mapping[str, str]) -> bool:
    """Tell whether tmux or screen is between: the variables are those of the terminal outside."""
    term = environment.get("TERM", "")
    return bool(
        environment.get("TMUX") or environment.get("STY") or term.startswith(("screen", "tmux"))
    )


def has_title(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal has a title that can be set."""
    is_known = environment.get("TERM", "").startswith(_HAS_TITLE) or environment.get("WT_SESSION")
    return bool(is_known) and not environment.get("INSIDE_EMACS")


def notification(environment: Mapping[str, str]) -> Notification | None:
    """Return the code by which the terminal notifies; None where it is not known to."""
    if _is_multiplexed(environment):
        return None
    if environment.get("KITTY_WINDOW_ID"):
        return Notification.OSC_9
    return _BY_TERM.get(environment.get("TERM", "")) or _BY_PROGRAM.get(
        environment.get("TERM_PROGRAM", "")
    )


def shows_progress(environment: Mapping[str, str]) -> bool:
    """Tell whether the terminal shows progress (OSC 9;4) at its tab or window."""
    if _is_multiplexed(environment):
        return False
    if environment.get("WT_SESSION") or environment.get("ConEmuANSI") == "ON":
        return True
    if least := _SHOWS_PROGRESS.get(environment.get("TERM_PROGRAM", "")):
        return _version(environment.get("TERM_PROGRAM_VERSION", "")) >= least
    vte = environment.get("VTE_VERSION", "")
    return vte.isdecimal() and int(vte[:9]) >= _VTE_WITH_PROGRESS


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number[:9]) for number in re.findall("[0-9]+", text)[:3])
