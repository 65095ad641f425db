"""Asks on the terminal: for a secret, which is not shown, or for a yes."""

import contextlib
import os
import sys
from typing import Any

from flux_cli import interrupts
from flux_cli.output.terminal import is_foreground


_LONGEST = 1 << 16  # bytes of one answer; a terminal takes far less


def ask_secret(prompt: str) -> str:
    """Show `prompt` on the terminal and return the line that is typed, which is not shown.

    Raises Interrupted, and OSError where stdin is no terminal.
    """
    return _ask(prompt, is_secret=True)


def confirm(question: str) -> bool:
    """Ask `question` on the terminal, whatever stdin is; True for a yes.

    Raises Interrupted, and OSError where there is no terminal.
    """
    answer = _ask(f"{question} [y/N] ", is_secret=False)
    return answer.strip().lower() in ("y", "yes")


def _ask(prompt: str, *, is_secret: bool) -> str:
    """Show `prompt` on the terminal and return the line that is typed, without its end.

    Ctrl-Z stops the process with the terminal as it was, and asks anew when it
    goes on. Raises Interrupted, and OSError where stdin is no terminal.
    """
    if sys.platform == "win32":
        import getpass

        with interrupts.cuttable():
            return getpass.getpass(prompt) if is_secret else input(prompt)
    import termios

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:  # stdin is one all the same
        if not os.isatty(0):
            raise
        terminal = os.dup(0)
    before = termios.tcgetattr(terminal)

    hidden: list[Any] = [*before]
    hidden[3] = (before[3] | termios.ICANON | termios.ISIG) & ~(termios.ECHO * is_secret)

    def hide() -> None:
        while not is_foreground(terminal):  # a shell has the terminal, in a state of its own
            interrupts.stop_here()
            interrupts.check()
        termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
        os.write(terminal, prompt.encode())

    def show() -> None:
        with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

    def stop() -> None:
        show()
        interrupts.stop_here()
        hide()

    try:
        with interrupts.cleaned_up(show), interrupts.suspended_by(stop):
            hide()
            interrupts.wait_readable(terminal)
            return os.read(terminal, _LONGEST).decode("utf-8", "replace").rstrip("\r\n")
    finally:
        show()
        with contextlib.suppress(OSError):
            os.write(terminal, b"\n" * is_secret)
        os.close(terminal)
