"""Files that are whole or absent, after a crash at any instant, and locks between processes."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from flux_cli import interrupts


_PATIENCE = 10.0  # seconds; whoever holds the lock writes one small file
_PAUSE = 0.02  # seconds
_PRIVATE = 0o600
_BUFFER = 1 << 16  # bytes; of what is read, whoever looks at the end of a file needs few
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextlib.contextmanager
def whole_file(
    path: Path,
    *,
    is_private: bool = False,
    patience: float = _PATIENCE,
    waits_for_disk: bool = True,
) -> Iterator[BinaryIO]:
    """Give a stream whose bytes are at `path` once the block has ended well, and only then.

    Nobody else who uses this replaces `path` meanwhile; for them it waits up to
    `patience` seconds, and not at all once a signal has come. A private file is
    its owner's alone, whatever the umask. Unless it `waits_for_disk`, a loss of
    power soon afterwards may leave an empty file. Raises OSError.
    """
    temporary = partial_path(path)
    stream = open_partial(temporary, is_private=is_private, wait=_waiter(path, patience))
    try:
        stream.truncate()
        yield stream
        commit(stream, temporary, path, waits_for_disk=waits_for_disk)
    except BaseException:
        abort(stream, temporary)
        raise


def _waiter(path: Path, patience: float) -> Callable[[float], None]:
    left = patience

    def wait(seconds: float) -> None:
        nonlocal left
        left -= seconds
        if left < 0 or interrupts.noted() is not None:
            raise OSError(0, f"another flux is writing {path.name}")
        time.sleep(seconds)

    return wait


def partial_path(path: Path) -> Path:
    """Return the name of what is on its way to `path`: hidden, in the same folder."""
    return path.with_name(f".{path.name}.part")


def open_partial(
    temporary: Path, *, wait: Callable[[float], None], is_private: bool = False
) -> BinaryIO:
    """Create and lock a temporary file, or take over what a crash left of one.

    While another process has it, `wait` is called with seconds to sleep; it may
    raise to give up. Raises OSError.
    """
    while True:
        descriptor = os.open(
            temporary, os.O_RDWR | os.O_CREAT | _FLAGS, _PRIVATE if is_private else 0o666
        )
        stream = os.fdopen(descriptor, "r+b", _BUFFER)
        try:
            if is_private:
                _make_private(descriptor)
            while not try_lock(descriptor):
                wait(_PAUSE)
            if _is_at(temporary, descriptor):
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()  # whoever held the lock has renamed or removed it: another try


def commit(stream: BinaryIO, temporary: Path, path: Path, *, waits_for_disk: bool = True) -> None:
    """Bring what `open_partial` gave to the disk, and then to `path`.

    Raises OSError when it is not there; what fails once it is there, is no failure.
    """
    stream.flush()
    if waits_for_disk:
        os.fsync(stream.fileno())
    if os.name != "posix":
        stream.close()
    temporary.replace(path)  # elsewhere the lock is held until the old name is gone
    with contextlib.suppress(OSError):
        stream.close()
    if waits_for_disk:
        with contextlib.suppress(OSError):
            sync_folder(path.parent)


def abort(stream: BinaryIO, temporary: Path) -> None:
    """Remove what `open_partial` gave, unless it has been put in its place. Twice does no harm."""
    if not stream.closed:
        try:
            temporary.unlink(missing_ok=True)
        finally:
            stream.close()


def remove_leftover(temporary: Path) -> None:
    """Remove what a crash left behind; what another process works at stays."""
    try:
        descriptor = os.open(temporary, os.O_RDWR | _FLAGS)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            if try_lock(descriptor) and _is_at(temporary, descriptor):
                temporary.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk. Raises OSError."""
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
            interrupts.sleep(_PAUSE)
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
