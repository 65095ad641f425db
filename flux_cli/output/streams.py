"""stdout and stderr: results as bytes on one, safe single lines on the other."""

import io
import os
import re
from collections.abc import Mapping
from typing import TextIO

from flux_cli.api.token import Token
from flux_cli.errors import OutputError, ReaderGone
from flux_cli.output.safe import safe_text


_LONGEST_LINE = 5000  # characters on stderr
_NARROWEST = 8  # columns
_WIDTH = re.compile(r"[1-9][0-9]{0,4}")
UNLIMITED = 1_000_000  # columns: where nothing has an edge


class Screen:
    """A standard stream, and what is known of the terminal behind it."""

    def __init__(self, stream: TextIO | None, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self._environment = environment
        self.is_terminal = stream is not None and stream.isatty()
        self.encoding = (stream.encoding if stream is not None else None) or "utf-8"

    @property
    def text(self) -> TextIO:
        """The stream itself, for a view that repaints the terminal.

        What the terminal's encoding lacks becomes a question mark.
        """
        if self._stream is None:
            raise ReaderGone
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="replace")
        return self._stream

    @property
    def lines(self) -> int:
        """The height of the terminal, in lines: LINES, the terminal's, or 24."""
        wanted = self._environment.get("LINES", "")
        if _WIDTH.fullmatch(wanted):
            return int(wanted)
        try:
            return os.get_terminal_size(self.text.fileno()).lines or 24
        except OSError:
            return 24

    @property
    def has_styles(self) -> bool:
        """Whether escape codes do good here: only on a terminal that is not a dumb one."""
        return self.is_terminal and self._environment.get("TERM") != "dumb"

    @property
    def has_colours(self) -> bool:
        return self.has_styles and not self._environment.get("NO_COLOR")

    @property
    def speaks_unicode(self) -> bool:
        return self.encoding.lower().replace("-", "").startswith("utf")

    @property
    def columns(self) -> int:
        """The width to fill, in columns: COLUMNS, the terminal's, or UNLIMITED without one."""
        wanted = self._environment.get("COLUMNS", "")
        if _WIDTH.fullmatch(wanted):
            return max(_NARROWEST, int(wanted))
        if self.is_terminal and self._stream is not None:
            try:
                columns = os.get_terminal_size(self._stream.fileno()).columns
                return max(_NARROWEST, columns or 80)
            except OSError:
                return 80
        return UNLIMITED


class Stdout(Screen):
    """Where results go, as bytes."""

    def write(self, data: bytes) -> None:
        """Write and flush `data`.

        Raises ReaderGone when nobody reads any more, OutputError when it
        cannot be written for another reason.
        """
        if self._stream is None:  # closed before flux was started
            raise ReaderGone
        try:
            self._stream.buffer.write(data)
            self._stream.buffer.flush()
        except BrokenPipeError:
            _abandon(self._stream)
            raise ReaderGone from None
        except OSError as error:
            _abandon(self._stream)
            raise OutputError(f"stdout: cannot be written: {error.strerror}") from None

    def write_text(self, text: str) -> None:
        """Write `text` in the terminal's encoding; what it lacks becomes a question mark."""
        self.write(text.encode(self.encoding, errors="replace"))


class Stderr(Screen):
    """Where notes and errors go: safe single lines, with no secret in them."""

    def __init__(self, stream: TextIO | None, environment: Mapping[str, str]) -> None:
        super().__init__(stream, environment)
        self._secrets: list[Token] = []
        self.is_quiet = False

    def keep_secret(self, token: Token) -> None:
        """Never write `token` from now on."""
        if not any(known.is_in(token.reveal()) for known in self._secrets):
            self._secrets.append(token)

    def harmless(self, text: str) -> str:
        """Return `text` as one line that shows no secret and moves nothing."""
        for token in self._secrets:
            text = token.hide(text)
        return safe_text(text[:_LONGEST_LINE])

    def note(self, text: str) -> None:
        """Write a line that `--quiet` leaves out."""
        if not self.is_quiet:
            self.line(text)

    def line(self, text: str) -> None:
        """Write one line, whatever `text` holds; a closed stderr is nobody's concern."""
        if self._stream is None:
            return
        try:
            self._stream.write(f"{self.harmless(text)}\n")
            self._stream.flush()
        except OSError:
            _abandon(self._stream)
            self._stream = None


def _abandon(stream: TextIO) -> None:
    """Point a broken stream elsewhere, so that the interpreter's last flush does not fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
