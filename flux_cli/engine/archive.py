"""Which outputs were saved before: a file that outlives them, with a line for each."""

import contextlib
import errno
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

from flux_cli.errors import InputError, OutputError
from flux_cli.models.ids import match_key


_START = b'{"id":"'
_LONGEST = 1000  # bytes of a line
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND
_FLAGS |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe is not waited for


class Archive:
    """Remembers outputs; safe to use from several threads, and beside other processes.

    A line is JSON, and one write to the end of the file. Where a crash or a full
    disk has cut one, it is no whole object, and does not count.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`, which is created if missing.

        Raises InputError for a file that is something else, and OutputError.
        """
        self._path = path
        self._saved: set[str] = set()
        self._is_line_open = False
        self._lock = threading.Lock()
        self._descriptor = -1
        try:
            self._descriptor = os.open(path, _FLAGS, 0o666)
            self._read()
        except (OSError, ValueError) as error:
            self.close()
            raise self.error(error) from None
        except InputError:
            self.close()
            raise

    def __contains__(self, output: tuple[str, int]) -> bool:
        """Tell whether an output was saved: the id of a task, and a number counted from 1."""
        return _key(*output) in self._saved

    def add(self, task_id: str, number: int) -> None:
        """Remember an output, unless that is done already. Raises OSError."""
        if (key := _key(task_id, number)) in self._saved:
            return
        line = json.dumps({"id": task_id, "output": number}, separators=(",", ":"))
        with self._lock:
            data = (f"\n{line}\n" if self._is_line_open else f"{line}\n").encode("ascii")
            self._is_line_open = os.write(self._descriptor, data) < len(data)
            if self._is_line_open:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._saved.add(key)

    def close(self) -> None:
        """Bring what was added to the disk. Twice does no harm."""
        with self._lock, contextlib.suppress(OSError):
            if self._descriptor >= 0:
                descriptor, self._descriptor = self._descriptor, -1
                with os.fdopen(descriptor, "rb"):
                    os.fsync(descriptor)

    def error(self, error: OSError | ValueError) -> OutputError:
        """Return what it means that the file cannot be used."""
        reason = (isinstance(error, OSError) and error.strerror) or "not a valid file name"
        return OutputError(
            f"{self._path}: cannot be written: {reason}",
            hint="Choose another file with --archive",
        )

    def _read(self) -> None:
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with os.fdopen(self._descriptor, "rb", closefd=False) as file:
            line = b"\n"
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
                if (key := _read_key(line)) is not None:
                    self._saved.add(key)
                elif line.strip() and not _is_cut(line):
                    raise InputError(
                        f"{self._path}:{number}: not a line of an archive",
                        hint="With --archive, name a file that it has written, or a new one",
                    )
            self._is_line_open = not line.endswith(b"\n")


def _key(task_id: str, number: int) -> str:
    return f"{match_key(task_id)} {number}"


def _read_key(line: bytes) -> str | None:
    try:
        entry: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match entry:
        case {"id": str(task_id), "output": int(number)}:
            return _key(task_id, number)
    return None


def _is_cut(line: bytes) -> bool:
    return line.startswith(_START) or _START.startswith(line.strip())
