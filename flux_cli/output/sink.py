"""Where bytes leave the program: in slices, so that a reader that stalls holds nothing up.

What lies under a standard stream may take half of what it is given (a raw
stream, a full disk), nothing at the moment (a non-blocking pipe), or nothing
ever again (a reader that stalls). None of these may lose bytes, or keep a
signal from being heard.
"""

import os
import select
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol, TextIO

from flux_cli import interrupts


_PATIENCE = 0.5  # seconds
_PAUSE = 0.005  # seconds
_SLICE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once when it takes any


class Sink(Protocol):
    """Takes bytes. Given up, it takes nothing any more."""

    deadline: float | None
    is_given_up: bool

    def write(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces`; return how many were taken whole. Raises OSError."""


def open_sink(stream: TextIO | None) -> Sink:
    """Return where the bytes of a standard stream go; nowhere, if it was closed from the start."""
    if stream is None:
        return _Nowhere()
    try:
        return _Descriptor(stream.fileno())
    except (OSError, ValueError):
        return _Stream(stream)


class _Nowhere:
    """`/dev/null`, for a stream that somebody closed before flux was started."""

    deadline: float | None = None
    is_given_up = False

    def write(self, pieces: Sequence[bytes]) -> int:
        return len(pieces)


class _Stream:
    """A stream that is no file of the system's."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.deadline: float | None = None
        self.is_given_up = False

    def write(self, pieces: Sequence[bytes]) -> int:
        data = b"".join(pieces)
        if hasattr(self._stream, "buffer"):
            self._stream.buffer.write(data)
        else:
            self._stream.write(data.decode())
        self._stream.flush()
        return len(pieces)


class _Descriptor:
    """Writes to a file descriptor.

    After `deadline`, in monotonic seconds, a reader that takes nothing for
    _PATIENCE seconds is given up; after a signal it has a moment.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        mode = os.fstat(descriptor).st_mode
        self._is_file = stat.S_ISREG(mode)
        self._is_pipe = stat.S_ISFIFO(mode) and os.name == "posix"
        self._moved_at = 0.0  # when the reader last took something
        self.deadline: float | None = None
        self.is_given_up = False

    def write(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces` one after the other; return how many of them were taken.

        Fewer than all only once the sink is given up. Raises OSError.
        """
        if self._is_file:
            self._write_file(pieces)
            return len(pieces)
        self._moved_at = time.monotonic()
        count = 0
        for data, size in _runs(pieces):
            if self.is_given_up or not self._send(data):
                self.is_given_up = True
                break
            count += size
        return count

    def _write_file(self, pieces: Sequence[bytes]) -> None:
        """Write to a regular file; what a full disk takes of a piece is cut off again."""
        view = memoryview(b"".join(pieces))
        taken = 0
        try:
            while taken < len(view):
                taken += os.write(self._descriptor, view[taken:])
        except OSError:
            self._undo(taken - _whole(pieces, taken))
            raise

    def _send(self, data: bytes) -> bool:
        """Write all of `data`; False when whoever reads is given up."""
        taken = 0
        if len(data) > _SLICE and not self._has_room(len(data)):
            return False
        while taken < len(data):
            if not interrupts.wait_writable(self._descriptor, self._until()):
                return False
            try:
                taken += os.write(self._descriptor, data[taken : taken + _SLICE])
            except BlockingIOError:  # there is room, but for less
                time.sleep(_PAUSE)
            self._moved_at = time.monotonic()
        return True

    def _until(self) -> float | None:
        return None if self.deadline is None else max(self.deadline, self._moved_at + _PATIENCE)

    def _has_room(self, size: int) -> bool:
        """Tell, once a signal has come, whether a pipe takes `size` bytes before the grace ends.

        They are more than it takes at once, and must not be cut.
        """
        while self._is_pipe and (grace_end := interrupts.grace_end()) is not None:
            if not _unread(self._descriptor) and size <= _capacity(self._descriptor):
                return True
            if time.monotonic() >= grace_end:
                return False
            time.sleep(_PAUSE)
        return True

    def _undo(self, count: int) -> None:
        """Take back the last `count` bytes, if they are at the end of the file."""
        position = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if count and position == os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, position - count)
            os.lseek(self._descriptor, position - count, os.SEEK_SET)


def _runs(pieces: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
    """Join pieces as long as a pipe takes them at once, all or none; count those in each run."""
    run: list[bytes] = []
    size = 0
    for piece in pieces:
        if run and size + len(piece) > _SLICE:
            yield b"".join(run), len(run)
            run, size = [], 0
        run.append(piece)
        size += len(piece)
    if run:
        yield b"".join(run), len(run)


def _whole(pieces: Sequence[bytes], taken: int) -> int:
    """Return how many of the first `taken` bytes belong to pieces that are among them whole."""
    return max(size for size in (0, *accumulate(map(len, pieces))) if size <= taken)


def _unread(descriptor: int) -> int:
    """Return how many bytes in a pipe nobody has read yet."""
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def _capacity(descriptor: int) -> int:
    """Return how many bytes an empty pipe takes."""
    import fcntl

    if not hasattr(fcntl, "F_GETPIPE_SZ"):
        return 16_384  # the least of the systems that do not tell
    return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
