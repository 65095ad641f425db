"""Gathers task ids from arguments, files and stdin, all read and checked before any is used."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from flux_cli import interrupts
from flux_cli.errors import InputError
from flux_cli.input.readers import JsonObject, Problem, read_ids
from flux_cli.models.ids import TaskIds, flaw
from flux_cli.models.task import Task, read_record
from flux_cli.token import Token


_STDIN = "-"
_MOST_PROBLEMS = 5  # named one by one
_HINT = "Nothing was sent. Separate ids by white space; a CSV needs a column task_id or id"
_LONGEST_ECHO = 40  # characters of a bad id that are shown


def gather_ids(
    arguments: Sequence[str],
    files: Sequence[Path],
    stdin: TextIO | None,
    *,
    token: Token | None,
    keep: Callable[[Task | None], None] | None = None,
) -> TaskIds:
    """Return the distinct ids of all sources, in order.

    Stdin is read when there are neither arguments nor files. Raises InputError
    that names source and line of each of the first bad ids; `token`, pasted
    where an id belongs, is one of them. `keep` is given the task of each new id
    that the input tells about, None where it does not tell the end of it.
    """
    ids = TaskIds()
    problems: list[str] = []
    count = 0
    for place, number, found, record in _candidates(arguments, files, stdin):
        if (problem := _problem(found, token)) is None:
            is_new = ids.add(str(found))
            if keep is not None and is_new and record is not None:
                keep(read_record(str(found), record))
            continue
        count += 1
        if count <= _MOST_PROBLEMS:
            problems.append(f"{place}{number}: {problem}")
    if count > _MOST_PROBLEMS:
        problems.append(f"and {count - _MOST_PROBLEMS:,} more")
    if problems:
        first, *more = problems
        raise InputError(first, hint=_HINT, more=tuple(more))
    if not ids:
        names = [str(file) for file in files] or ["stdin"]
        raise InputError(
            f"{', '.join(names)}: no task ids in there",
            hint="Give ids as arguments, with --file, or on stdin",
        )
    return ids


def _problem(found: str | Problem, token: Token | None) -> str | None:
    if isinstance(found, Problem):
        return found.message
    if token is not None and token.is_in(found):
        return "this is your API token, not a task id"
    reason = flaw(found)
    if reason is None:
        return None
    shown = _shortened(token.hide(found) if token else found)
    return f'"{shown}" is not a task id: it {reason}'


def _shortened(text: str) -> str:
    text = " ".join(text[: 4 * _LONGEST_ECHO].split())
    return text if len(text) <= _LONGEST_ECHO else f"{text[: _LONGEST_ECHO - 1]}…"


def _candidates(
    arguments: Sequence[str], files: Sequence[Path], stdin: TextIO | None
) -> Iterator[tuple[str, int, str | Problem, JsonObject | None]]:
    """Yield what stands where an id belongs, after its place: `argument `, 2 or `ids.txt:`, 7.

    With it comes the JSON object that it stood in, if it did.
    """
    for number, text in enumerate(arguments, 1):
        yield "argument ", number, text, None
    for file in files or ([] if arguments else [Path(_STDIN)]):
        with _opened(file, stdin) as (stream, name):
            try:
                place = f"{name}:"
                for found, line, record in read_ids(stream, name):
                    yield place, line, found, record
            except OSError as error:
                raise _unreadable(name, error) from None


class _Interruptible:
    """A stream that can be read while signals come; it gives what is there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes, none only at the end. Raises OSError and Interrupted."""
        interrupts.check()
        try:
            descriptor = self._stream.fileno()
        except OSError:
            return self._stream.read(size)
        interrupts.wait_readable(descriptor)
        return os.read(descriptor, size)


@contextlib.contextmanager
def _opened(file: Path, stdin: TextIO | None) -> Iterator[tuple[_Interruptible, str]]:
    if str(file) == _STDIN:
        if stdin is None:
            raise InputError("stdin: is closed", hint="Give ids as arguments or with --file")
        yield _Interruptible(stdin.buffer), "stdin"
        return
    try:
        with interrupts.cuttable():  # a named pipe waits for somebody who writes
            stream = file.open("rb")
    except (OSError, ValueError) as error:
        raise _unreadable(str(file), error) from None
    with stream:
        yield _Interruptible(stream), str(file)


def _unreadable(name: str, error: OSError | ValueError) -> InputError:
    reason = (isinstance(error, OSError) and error.strerror) or "not a file name"
    return InputError(f"{name}: cannot be read: {reason}", hint="Check the name given to --file")
