"""Files that are whole or absent, after a crash at any instant, and locks between processes."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


_PATIENCE = 10.0  # seconds; whoever holds the lock writes one small file
_PAUSE = 0.02  # seconds
_PRIVATE = 0o600
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def whole_file(path: Path, temporary: Path, *, is_private: bool = False) -> Iterator[BinaryIO]:
    """Give a stream whose bytes are at `path` once the block has ended well, and only then.

    `temporary`, a new name in the same folder, is gone afterwards. A private
    file is its owner's alone, whatever the umask. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
    file = os.open(temporary, flags, _PRIVATE if is_private else 0o666)
    try:
        with os.fdopen(file, "wb") as stream:
            if is_private:
                _make_private(stream.fileno())
            yield stream
            sync(stream)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync(stream: BinaryIO) -> None:
    """Bring everything that was written to `stream` to the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, where a system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, which is created, private, and stays.

    The system releases it when the process ends, however it ends. Raises
    OSError when somebody else holds it for more than 10 seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _FLAGS, _PRIVATE)
    try:
        _make_private(descriptor)
        end = time.monotonic() + _PATIENCE
        while not try_lock(descriptor):
            if time.monotonic() > end:
                raise OSError(0, f"another flux holds the lock {path.name}")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _make_private(descriptor: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, _PRIVATE)  # whatever the umask took away


if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Take an exclusive lock on an open file; False when another process holds it."""
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take an exclusive lock on an open file; False when another process holds it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
