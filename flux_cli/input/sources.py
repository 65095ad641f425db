"""Files and stdin, as people name them, opened so that they can be read while signals come."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from flux_cli import interrupts
from flux_cli.errors import InputError
from flux_cli.models.ids import is_uuid


STDIN = "-"


class Enough(Exception):
    """What was read is enough to tell what is wrong."""


class Source:
    """A stream that messages call `name`; it gives what is there, and signals come through."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._stream = stream
        self.is_enough = False

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes, none only at the end.

        Raises InputError and Interrupted, and Enough once it `is_enough`.
        """
        if self.is_enough:
            raise Enough
        interrupts.check()
        try:
            try:
                descriptor = self._stream.fileno()
            except OSError:
                return self._stream.read(size)
            interrupts.wait_readable(descriptor)
            return os.read(descriptor, size)
        except OSError as error:
            raise _unreadable(self.name, error) from None


@contextlib.contextmanager
def opened(file: str, stdin: TextIO | None, nouns: str) -> Iterator[Source]:
    """Open a file that was named to hold `nouns`; `-` is stdin. Raises InputError."""
    if file == STDIN:
        if stdin is None:
            raise InputError("stdin: is closed", hint=f"Give {nouns} as arguments or with --file")
        yield Source(stdin.buffer, "stdin")
        return
    path = Path(file)
    try:
        with interrupts.cuttable():  # a named pipe waits for somebody who writes
            stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from None
    with stream:
        yield Source(stream, file)


def is_taken_for_file(argument: str) -> bool:
    """Tell whether somebody who gives `argument` means a file: `ids.txt`, `@ids.txt` or `-`."""
    if is_uuid(argument):
        return False
    names = (argument, argument.removeprefix("@"))
    return argument == STDIN or any(map(_is_file, names))


def _is_file(name: str) -> bool:  # a pipe too; and of what is no file name, False
    return os.path.exists(name) and not os.path.isdir(name)  # noqa: PTH110, PTH112


def _unreadable(name: str, error: OSError | ValueError) -> InputError:
    if isinstance(error, IsADirectoryError):
        message = f"{name}: is a folder, not a file"
    else:
        reason = (isinstance(error, OSError) and error.strerror) or "not a valid file name"
        message = f"{name}: cannot be read: {reason}"
    return InputError(message, hint="Check the name given to --file")
