"""Where bytes leave the program: in slices, so that a reader that stalls holds nothing up.

What lies under a standard stream may take half of what it is given (a raw
stream, a full disk), nothing at the moment (a non-blocking pipe), or nothing
ever again (a reader that stalls). None of these may lose bytes, or keep a
signal from being heard.
"""

import contextlib
import os
import select
import socket
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Protocol, TextIO

from flux_cli import interrupts


_PATIENCE = 0.5  # seconds
_PAUSE = 0.002  # seconds
_PAGE = 4096  # bytes, in which a pipe keeps what it is given
_SLICE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once when it takes any


class Sink(Protocol):
    """Takes bytes. Given up, it takes nothing any more."""

    deadline: float | None
    is_given_up: bool

    def write(self, pieces: Sequence[bytes]) -> int:
        """Write `pieces`; return how many were taken whole. Raises OSError."""

    def write_now(self, data: bytes) -> None:
        """Write what is taken of `data` without waiting."""


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

    def write_now(self, data: bytes) -> None:
        pass


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

    def write_now(self, data: bytes) -> None:
        pass


class _Descriptor:
    """Writes to a file descriptor.

    After `deadline`, in monotonic seconds, a reader that takes nothing for
    _PATIENCE seconds is given up; after a signal it has a moment.
    """

    def __init__(self, descriptor: int) -> None:
        mode = os.fstat(descriptor).st_mode
        self._is_file = stat.S_ISREG(mode)
        self._is_terminal = stat.S_ISCHR(mode) and os.isatty(descriptor)
        self._is_pipe = stat.S_ISFIFO(mode) and os.name == "posix"
        self._descriptor = _own_terminal(descriptor) if self._is_terminal else descriptor
        self._socket = None
        if stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=os.dup(descriptor))
        self._is_resumed = False
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

    def write_now(self, data: bytes) -> None:
        """Write what is taken of `data` without waiting; what cannot be is left."""
        with contextlib.suppress(OSError):
            if not self._is_pipe and select.select([], [self._descriptor], [], 0)[1]:
                self._write(data)

    def _send(self, data: bytes) -> bool:
        """Write all of `data`; False when whoever reads is given up."""
        taken = 0
        if self._is_pipe and len(data) > _SLICE and not self._has_room(len(data)):
            return False
        while taken < len(data):
            if not interrupts.wait_writable(self._descriptor, self._until()):
                if not self._resume():
                    return False
                continue
            try:
                taken += self._write(data[taken : taken + _SLICE])
                self._moved_at = time.monotonic()
            except BlockingIOError:  # there is room, but for less
                time.sleep(_PAUSE)
        return True

    def _resume(self) -> bool:
        """Undo a Ctrl-S, once; tell whether that helped."""
        if not self._is_terminal or self._is_resumed:
            return False
        import termios

        self._is_resumed = True
        with contextlib.suppress(OSError, termios.error):
            termios.tcflow(self._descriptor, termios.TCOON)
        return bool(select.select([], [self._descriptor], [], 0)[1])

    def _write(self, data: bytes) -> int:
        if self._socket is not None:  # which would wait for room for all of it
            return self._socket.send(data, getattr(socket, "MSG_DONTWAIT", 0))
        return os.write(self._descriptor, data)

    def _until(self) -> float | None:
        return None if self.deadline is None else max(self.deadline, self._moved_at + _PATIENCE)

    def _has_room(self, size: int) -> bool:
        """Wait until a pipe has room for `size` bytes, which are more than it takes at once.

        Whoever reads may stop for ever in the middle of them. False when they are given up.
        """
        pages = -(-size // _PAGE) + 1
        if pages > _capacity(self._descriptor, 2 * size) // _PAGE:
            return True  # it never has so much
        while True:
            full = -(-_unread(self._descriptor) // _PAGE)  # at least every other page is full
            if pages + (2 * full + 2 if full else 0) <= _capacity(self._descriptor) // _PAGE:
                return True
            if _has_no_reader(self._descriptor):
                return True  # which writing tells
            limits = [t for t in (self._until(), interrupts.grace_end()) if t is not None]
            if limits and time.monotonic() >= min(limits):
                return False
            time.sleep(_PAUSE)

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


def _has_no_reader(descriptor: int) -> bool:
    """Tell whether whoever read from a pipe has left, though it may be full."""
    poll = select.poll()
    poll.register(descriptor, 0)  # only what nobody has to ask for
    return bool(poll.poll(0))


def _capacity(descriptor: int, wanted: int = 0) -> int:
    """Return how many bytes an empty pipe takes, after asking for `wanted` of them."""
    import fcntl

    if not hasattr(fcntl, "F_GETPIPE_SZ"):
        return 16_384  # the least of the systems that do not tell
    size: int = fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    if wanted > size:
        with contextlib.suppress(OSError):
            size = fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, wanted)
    return size


def _own_terminal(descriptor: int) -> int:
    """Open the terminal behind `descriptor` anew, so that writing to it never waits.

    The shell and others share what they gave us, which therefore has to stay as it is.
    """
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, AttributeError):
        return descriptor
