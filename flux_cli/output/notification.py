"""A message on the desktop, by the terminal if it can, else by a program that is there."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from flux_cli.output.terminal import Screen
from flux_cli.output.terminal_features import notification


_PATIENCE = 1.0  # seconds for a program
_PASSED_ON = (  # and no token
    *("PATH", "HOME", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"),
    *("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"),
)


def notify(screen: Screen, text: str) -> None:
    """Show `text`, which is nobody's but flux's, on the desktop; where nothing can, ring the bell.

    Without a terminal nobody is there to be told.
    """
    if not screen.is_terminal:
        return
    code = notification(screen.environment) if screen.has_styles else None
    if code is not None:
        screen.write(code.value.format(text=text).encode("ascii"))
    elif not _run(_program(text, screen.environment), screen.environment):
        screen.write(b"\a")


def _program(text: str, environment: Mapping[str, str]) -> Sequence[str]:
    """Return a command that notifies; none over ssh, where the desktop is another machine's."""
    if environment.get("SSH_CONNECTION"):
        return ()
    path = environment.get("PATH")
    if sys.platform == "darwin" and (found := shutil.which("osascript", path=path)):
        return found, "-e", f'display notification "{text}" with title "flux"'
    if found := shutil.which("notify-send", path=path):
        return found, "--app-name=flux", "flux", text
    return ()


def _run(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Run `command` for a moment at most; tell whether it has done its work."""
    if not command:
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        ended = subprocess.run(  # noqa: S603 - flux's own words, and counts
            command,
            env={name: environment[name] for name in _PASSED_ON if name in environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            start_new_session=True,
            check=False,
        )
        return ended.returncode == 0
    return False
