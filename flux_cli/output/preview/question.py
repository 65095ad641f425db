"""Asks the terminal which pictures it can show, and leaves nothing of its answer behind."""

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from flux_cli import interrupts
from flux_cli.output.preview import kitty
from flux_cli.output.terminal import is_foreground


PATIENCE = 0.2  # seconds, in all
_MOST = 4096  # bytes of an answer
_VERSION = b"\x1b[>0q"  # what is your name? (XTVERSION)
_ATTRIBUTES = b"\x1b[c"  # what are you? (DA1): comes last, as every terminal answers it
_ATTRIBUTES_ANSWER = re.compile(rb"\x1b\[\?([0-9;]{1,200})c")
_WITH_ITERM_IMAGES = re.compile(rb"\x1bP>\|(iTerm2|WezTerm|mintty)[^\x1b]{0,100}\x1b\\")
_SIXEL = b"4"
_MUTE = frozenset({"", "dumb", "linux"})  # the console of Linux prints questions that it lacks


@dataclass(frozen=True, slots=True)
class Abilities:
    """Which pictures a terminal says that it can show."""

    kitty: bool = False
    iterm: bool = False
    sixel: bool = False


class Question:
    """A context manager, which asks at most once.

    While an answer may still come, what is typed is not shown, and an answer that
    comes too late is thrown away at the end.
    """

    def __init__(
        self,
        terminal: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[int, float], bool] | None = None,
    ) -> None:
        """`terminal` is a descriptor; `wait` tells whether it has something to read in time."""
        self._terminal = terminal
        self._clock = clock
        self._wait = wait or _has_input
        self._before: list[Any] | None = None
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._cleanup.enter_context(interrupts.cleaned_up(self._restore))
        self._cleanup.callback(self._restore)
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def ask(self) -> Abilities:
        """Return what the terminal says within PATIENCE. Raises Interrupted."""
        if sys.platform == "win32":
            return Abilities()
        import termios

        try:
            with interrupts.cuttable():
                self._silence()
                if self._wait(self._terminal, 0.0):
                    self._restore(discards=False)  # somebody types: their words are not ours
                    return Abilities()
                os.write(self._terminal, kitty.QUERY + _VERSION + _ATTRIBUTES)
                return self._answer()
        except (OSError, termios.error):  # the terminal is gone
            return Abilities()

    def _answer(self) -> Abilities:
        end = self._clock() + PATIENCE
        answer = b""
        while (left := end - self._clock()) > 0 and len(answer) < _MOST:
            if not self._wait(self._terminal, left):
                break
            some = os.read(self._terminal, _MOST)
            if not some:
                break
            answer += some
            if attributes := _ATTRIBUTES_ANSWER.search(answer):
                self._restore(discards=False)
                return Abilities(
                    kitty=kitty.ANSWER in answer,
                    iterm=_WITH_ITERM_IMAGES.search(answer) is not None,
                    sixel=_SIXEL in attributes[1].split(b";"),
                )
        return Abilities()

    def _silence(self) -> None:
        """Have the terminal hand on each byte at once, and show none; Ctrl-C stays what it is."""
        import termios

        before = termios.tcgetattr(self._terminal)
        silent: list[Any] = [*before]
        silent[3] &= ~(termios.ICANON | termios.ECHO)
        silent[6] = [*before[6]]
        silent[6][termios.VMIN], silent[6][termios.VTIME] = 0, 0
        self._before = before
        termios.tcsetattr(self._terminal, termios.TCSADRAIN, silent)

    def _restore(self, *, discards: bool = True) -> None:
        """Give the terminal back as it was; with `discards` without what was not read."""
        if sys.platform == "win32" or self._before is None:
            return
        import termios

        if is_foreground(self._terminal):  # else a shell has it, in a state of its own
            with contextlib.suppress(OSError, termios.error):
                how = termios.TCSAFLUSH if discards else termios.TCSADRAIN
                termios.tcsetattr(self._terminal, how, self._before)
        self._before = None  # not before: a signal may cut this, and it is done again then


def can_ask(stdin: Any, stdout: int, *, term: str) -> bool:
    """Tell whether both streams are one terminal, which is ours now and knows how to answer."""
    if sys.platform == "win32" or term in _MUTE or stdin is None:
        return False
    try:
        descriptor = stdin.fileno()
        is_same = os.fstat(descriptor).st_rdev == os.fstat(stdout).st_rdev
        return is_same and os.isatty(descriptor) and os.isatty(stdout) and is_foreground(stdout)
    except (OSError, ValueError):
        return False


def _has_input(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])
