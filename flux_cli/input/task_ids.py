"""Gathers task ids from arguments, files and stdin, all read and checked before any is used."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from flux_cli import interrupts
from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.id_reader import FoundId, Problem, checked, read_ids
from flux_cli.models.ids import TaskIds, is_uuid, match_key, uuids_in
from flux_cli.models.task import Task, read_record
from flux_cli.token import Token


_STDIN = "-"
_MOST_PROBLEMS = 5  # named one by one
_NOTHING_SENT = "Nothing was sent"
_ADVICE = "Separate ids with whitespace or commas; CSV needs a task_id or id column"
_LONGEST_ECHO = 40  # characters of a bad id that are shown


def gather_ids(
    arguments: Sequence[str],
    files: Sequence[str],
    stdin: TextIO | None,
    *,
    token: Token | None,
    find: bool = False,
    keep: Callable[[Task | None], None] | None = None,
) -> TaskIds:
    """Return the distinct ids of all sources, in order.

    Stdin is read when there are neither arguments nor files. With `find`, every
    UUID in files and stdin is an id, whatever stands around it. Raises
    InputError that names source and line of a bad id, and of others as far as
    they were read by then; `token`, pasted where an id belongs, is one of them.
    `keep` is given the task of each new id that the input tells about, None
    where it does not tell the end of it.
    """
    gatherer = _Gatherer(token, keep)
    gatherer.take("argument ", ((_argument(a), n, None) for n, a in enumerate(arguments, 1)))
    files = files or ([] if arguments else [_STDIN])
    for file in files:
        with _opened(file, stdin) as (stream, name):
            try:
                gatherer.read(stream, name, find=find)
            except OSError as error:
                raise _unreadable(name, error) from None
    if not gatherer.ids:
        names = ", ".join("stdin" if file == _STDIN else file for file in files)
        raise InputError(
            f"{names}: no {'UUIDs' if find else 'task ids'} found",
            hint="Give ids as arguments, with --file, or on stdin",
        )
    return gatherer.ids


class _Enough(Exception):
    """What was read is enough to tell what is wrong."""


class _Interruptible:
    """A stream that can be read while signals come; it gives what is there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_enough = False

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes, none only at the end.

        Raises OSError and Interrupted, and _Enough once it `is_enough`.
        """
        if self.is_enough:
            raise _Enough
        interrupts.check()
        try:
            descriptor = self._stream.fileno()
        except OSError:
            return self._stream.read(size)
        interrupts.wait_readable(descriptor)
        return os.read(descriptor, size)


class _Gatherer:
    """Takes ids from one source after the other, until one has a problem."""

    def __init__(self, token: Token | None, keep: Callable[[Task | None], None] | None) -> None:
        self.ids = TaskIds()
        self._token = token
        self._keep = keep

    def read(self, stream: _Interruptible, name: str, *, find: bool) -> None:
        """Take the ids of a file, or all its UUIDs. Raises InputError, and OSError."""
        text = Text(stream, name, lossy=find)
        if find:
            self.take("", ((uuid, 0, None) for uuid in self._uuids(text)))
            return
        before = self.ids.given
        try:
            self.take(f"{name}:", read_ids(text), stream)
        except InputError as error:
            count = len({match_key(uuid) for uuid in self._uuids([text.last])})
            if count and self.ids.given == before:  # this is no list with a slip in it
                found = "1 UUID" if count == 1 else f"{count:,} UUIDs"
                error.hint = f"{_NOTHING_SENT}. {found} found: use --find-ids"
            raise

    def take(
        self, place: str, found_ids: Iterator[FoundId], stream: _Interruptible | None = None
    ) -> None:
        """Take `found_ids`, which stand at `place` and a number. Raises InputError."""
        problems: list[str] = []
        before = self.ids.given
        with contextlib.suppress(_Enough):
            for found, number, record in found_ids:
                if problem := self._problem(found):
                    problems.append(f"{place}{number}: {problem}")
                    if len(problems) == _MOST_PROBLEMS or self.ids.given == before:
                        break
                    if stream:
                        stream.is_enough = True
                elif self.ids.add(str(found)) and self._keep is not None and record is not None:
                    self._keep(read_record(str(found), record))
        if problems:
            hint = f"{_NOTHING_SENT}. {_ADVICE}" if stream else _NOTHING_SENT
            raise InputError(problems[0], hint=hint, more=tuple(problems[1:]))

    def _uuids(self, text: Iterable[str]) -> Iterator[str]:
        return (uuid for uuid in uuids_in(text) if not self._is_token(uuid))

    def _problem(self, found: str | Problem) -> str | None:
        if isinstance(found, str):
            return "this is your API token, not a task id" if self._is_token(found) else None
        if found.word is None:
            return found.message
        if self._is_token(found.word):
            return "this is your API token, not a task id"
        shown = _shortened(self._token.hide(found.word) if self._token else found.word)
        return f'"{shown}" is not a task id: it {found.message}'

    def _is_token(self, text: str) -> bool:
        """Tell whether `text` is the token, or has it between other characters."""
        token = self._token
        return token is not None and (
            token.is_in(text) or (not is_uuid(text) and token.hide(text) != text)
        )


def _shortened(text: str) -> str:
    text = " ".join(text[: 4 * _LONGEST_ECHO].split())
    return text if len(text) <= _LONGEST_ECHO else f"{text[: _LONGEST_ECHO - 1]}…"


def _argument(text: str) -> str | Problem:
    if not is_taken_for_file(text):
        return checked(text)
    if text == _STDIN:
        return Problem('"-" is not a task id: to read stdin, use --file -')
    return Problem(f'"{_shortened(text)}" is a file, not a task id: to read it, use --file')


def is_taken_for_file(argument: str) -> bool:
    """Tell whether somebody who gives `argument` means a file: `ids.txt`, `@ids.txt` or `-`."""
    if is_uuid(argument):
        return False
    names = (argument, argument.removeprefix("@"))
    return argument == _STDIN or any(map(_is_file, names))


def _is_file(name: str) -> bool:  # a pipe too; and of what is no file name, False
    return os.path.exists(name) and not os.path.isdir(name)  # noqa: PTH110, PTH112


@contextlib.contextmanager
def _opened(file: str, stdin: TextIO | None) -> Iterator[tuple[_Interruptible, str]]:
    if file == _STDIN:
        if stdin is None:
            raise InputError("stdin: is closed", hint="Give ids as arguments or with --file")
        yield _Interruptible(stdin.buffer), "stdin"
        return
    path = Path(file)
    try:
        with interrupts.cuttable():  # a named pipe waits for somebody who writes
            stream = path.open("rb")
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from None
    with stream:
        yield _Interruptible(stream), file


def _unreadable(name: str, error: OSError | ValueError) -> InputError:
    reason = (isinstance(error, OSError) and error.strerror) or "not a valid file name"
    return InputError(f"{name}: cannot be read: {reason}", hint="Check the name given to --file")
