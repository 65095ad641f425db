"""stdout and stderr: results as bytes on one, safe single lines on the other."""

import io
import os
import re
from collections.abc import Mapping, Sequence
from typing import TextIO, cast

from flux_cli.errors import OutputClosed, OutputError
from flux_cli.output.sanitize import sanitize
from flux_cli.output.sink import open_sink
from flux_cli.output.wrapping import wrap
from flux_cli.token import Token


_LONGEST_LINE = 5000  # characters on stderr
_NARROWEST = 8  # columns
_WIDTH = re.compile(r"[1-9][0-9]{0,4}")
ECHO = 3  # columns that a view leaves free: a terminal shows ^C at the cursor, and must not wrap
UNLIMITED = 1_000_000  # columns: where nothing has an edge


def is_foreground(descriptor: int) -> bool:
    """Tell whether this process has the terminal, and no other job of the shell."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, AttributeError):
        return True


class Screen:
    """A standard stream, and what is known of the terminal behind it."""

    def __init__(self, stream: TextIO | None, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self.environment = environment
        self.is_terminal = stream is not None and stream.isatty()
        self.encoding = (stream.encoding if stream is not None else None) or "utf-8"
        self._sink = open_sink(stream)

    def show_cursor(self, also: str = "") -> None:
        """Show the cursor again without waiting: the process ends in the middle of a view.

        `also` holds other codes that undo what the view has done.
        """
        self._sink.write_now(b"\x1b[?25h" + also.encode("ascii"))

    def set_deadline(self, deadline: float) -> None:
        """Give up a reader that stalls at `deadline`, in monotonic seconds."""
        self._sink.deadline = deadline

    @property
    def is_given_up(self) -> bool:
        """Whether something was not written, because nobody took it any more."""
        return self._sink.is_given_up

    def _abandon(self) -> None:
        """Write nowhere from now on, nor at the interpreter's last flush."""
        self._sink = open_sink(None)
        try:
            descriptor = self.fileno()
        except OSError:
            return
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)

    @property
    def text(self) -> TextIO:
        """A text stream for a view that repaints the terminal.

        What the terminal's encoding lacks becomes a question mark, and what
        the terminal does not take any more is dropped.
        """
        return cast(TextIO, _ViewStream(self))

    def write(self, data: bytes) -> None:
        """Write `data` as one piece."""
        self.write_pieces([data])

    def write_pieces(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces`, none of them half; return how many were taken."""
        raise NotImplementedError

    @property
    def lines(self) -> int:
        """The height of the terminal, in lines: LINES, the terminal's, or 24."""
        wanted = self.environment.get("LINES", "")
        if _WIDTH.fullmatch(wanted):
            return int(wanted)
        try:
            return os.get_terminal_size(self.fileno()).lines or 24
        except OSError:
            return 24

    def fileno(self) -> int:
        """Return the descriptor of the stream. Raises OSError where it has none."""
        if self._stream is None:
            raise OSError("the stream is closed")
        return self._stream.fileno()

    @property
    def has_styles(self) -> bool:
        """Whether escape codes do good here: only on a terminal that is not a dumb one."""
        return self.is_terminal and self.environment.get("TERM") != "dumb"

    @property
    def has_colours(self) -> bool:
        return self.has_styles and not self.environment.get("NO_COLOR")

    @property
    def has_true_colours(self) -> bool:
        """Whether it shows 16 million colours, and not 256 alone, as far as it tells."""
        return self.environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")

    @property
    def speaks_unicode(self) -> bool:
        return self.encoding.lower().replace("-", "").startswith("utf")

    @property
    def columns(self) -> int:
        """The width to fill, in columns: COLUMNS, the terminal's, or UNLIMITED without one."""
        wanted = self.environment.get("COLUMNS", "")
        if _WIDTH.fullmatch(wanted):
            return max(_NARROWEST, int(wanted))
        if self.is_terminal and self._stream is not None:
            try:
                columns = os.get_terminal_size(self._stream.fileno()).columns
                return max(_NARROWEST, columns or 80)
            except OSError:
                return 80
        return UNLIMITED

    def wrapped(self, text: str) -> list[str]:
        """Return safe text in lines that break no word at the terminal's edge; one without."""
        return wrap(text, self.columns) if self.is_terminal else [text]


class Stdout(Screen):
    """Where results go, as bytes.

    With `outlives_reader`, for what has work beside its output, a reader that
    leaves is nobody's concern.
    """

    outlives_reader = False

    def write_pieces(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces`, none of them half, at once; return how many were taken.

        Fewer than all only after a signal or the deadline, by a reader that
        does not read. Raises OutputClosed when nobody reads any more, OutputError
        when they cannot be written for another reason.
        """
        try:
            return self._sink.write(pieces)
        except BrokenPipeError:
            self._abandon()
            if self.outlives_reader:
                return len(pieces)
            raise OutputClosed from None
        except OSError as error:
            self._abandon()
            raise OutputError(f"stdout: cannot be written: {error.strerror}") from None

    def write_text(self, text: str) -> None:
        """Write `text` in the terminal's encoding; what it lacks becomes a question mark."""
        self.write(text.encode(self.encoding, errors="replace"))


class Stderr(Screen):
    """Where notes and errors go: safe lines, with no secret in them.

    Each is one line, but on a terminal that is too narrow for it.
    """

    def __init__(self, stream: TextIO | None, environment: Mapping[str, str]) -> None:
        super().__init__(stream, environment)
        self._secrets: list[Token] = []
        self.is_quiet = False

    def keep_secret(self, token: Token) -> None:
        """Never write `token` from now on."""
        if not any(known.is_in(token.reveal()) for known in self._secrets):
            self._secrets.append(token)

    def has_secret(self, text: str) -> bool:
        """Tell whether `text` holds what is never to be written."""
        return any(token.hide(text) != text for token in self._secrets)

    def sanitized(self, text: str) -> str:
        """Return `text` as one line that shows no secret and moves nothing."""
        for token in self._secrets:
            text = token.hide(text)
        return sanitize(text[:_LONGEST_LINE])

    def note(self, text: str) -> None:
        """Write a line that `--quiet` leaves out."""
        if not self.is_quiet:
            self.line(text)

    def line(self, text: str) -> None:
        """Write one line, whatever `text` holds."""
        shown = self.sanitized(text).encode(self.encoding, errors="backslashreplace")
        lines = "\n".join(self.wrapped(shown.decode(self.encoding)))
        self.write(f"{lines}\n".encode(self.encoding))

    def write_pieces(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces`; a stderr that cannot be written to is nobody's concern."""
        try:
            return self._sink.write(pieces)
        except OSError:
            self._abandon()
            return len(pieces)


class _ViewStream(io.TextIOBase):
    """A screen as rich wants it: text comes in bits, and goes out at each flush."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._parts: list[str] = []

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._screen.encoding

    def isatty(self) -> bool:
        return self._screen.is_terminal

    def fileno(self) -> int:
        return self._screen.fileno()

    def write(self, text: str) -> int:
        self._parts.append(text)
        return len(text)

    def flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts and (not self.isatty() or is_foreground(self.fileno())):
            self._screen.write("".join(parts).encode(self.encoding, errors="replace"))
