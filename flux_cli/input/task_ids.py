"""Gathers task ids from arguments, files and stdin, all read and checked before any is used."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from flux_cli import interrupts
from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.id_reader import ErrorReply, FoundId, Problem, read_ids
from flux_cli.models.ids import (
    TaskIds,
    flaw_in_argument,
    is_file_like,
    is_uuid,
    match_key,
    uuids_in,
)
from flux_cli.models.task import Task, read_record
from flux_cli.token import Token


_STDIN = "-"
_MOST_PROBLEMS = 5  # named one by one
_NOTHING_SENT = "Nothing was sent"
_ADVICE = "Separate ids with whitespace or commas; CSV needs a task_id or id column"
_OWN_ARGUMENT = "Give each id as its own argument"
_READ_FILE = "Read a file with --file FILE"
_LONGEST_REASON = 100  # characters of what the service said that are shown
_LONGEST_ECHO = 40  # characters of a bad id that are shown


def gather_ids(
    arguments: Sequence[str],
    files: Sequence[str],
    stdin: TextIO | None,
    *,
    token: Token | None,
    note: Callable[[str], None],
    find: bool = False,
    keep: Callable[[Task | None], None] | None = None,
) -> TaskIds:
    """Return the distinct ids of all sources, in order.

    Stdin is read when there are neither arguments nor files. With `find`, every
    UUID in files and stdin is an id, whatever stands around it. Raises
    InputError that names source and line of a bad id, and of others as far as
    they were read by then; `token`, pasted where an id belongs, is one of them.
    `note` is told what was left out; `keep` is given the task of each new id
    that the input tells about, None where it does not tell the end of it.
    """
    gatherer = _Gatherer(token, keep)
    gatherer.take("argument ", ((_argument(a), n, None) for n, a in enumerate(arguments, 1)))
    files = files or ([] if arguments else [_STDIN])
    empty: list[str] = []
    for file in files:
        before = gatherer.taken
        with _opened(file, stdin) as (stream, name):
            try:
                gatherer.read(stream, name, find=find)
            except OSError as error:
                raise _unreadable(name, error) from None
        if gatherer.taken == before:
            empty.append(name)
    if not gatherer.ids:
        raise gatherer.refusal() or _empty(empty, find=find)
    if gatherer.refused:
        note(f"flux: skipped {gatherer.refused_summary()}.")
    if empty:
        note(f"flux: {_empty(empty, find=find).message}.")
    return gatherer.ids


def _empty(names: Sequence[str], *, find: bool) -> InputError:
    if find:
        what = "no UUIDs found in " + ("it" if len(names) == 1 else "them")
    else:
        what = ("it contains" if len(names) == 1 else "they contain") + " no task ids"
    return InputError(
        f"{', '.join(names)}: {what}", hint="Give ids as arguments, with --file, or on stdin"
    )


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
        self.refused = 0
        """How many replies were about an error: those submissions have no task."""
        self._refusal = ("", "")  # the first of them: its place and its reason
        self._token = token
        self._keep = keep

    @property
    def taken(self) -> int:
        """How much was made sense of."""
        return self.ids.given + self.refused

    def refused_summary(self) -> str:
        """Count the error replies, with the reason of the first."""
        noun = "error reply" if self.refused == 1 else "error replies"
        first = "" if self.refused == 1 else "the first: "
        verb = "no task was created"
        return f"{self.refused:,} {noun} ({first}{self._refusal[1]}): {verb}"

    def refusal(self) -> InputError | None:
        """Return what is wrong where there is nothing but error replies."""
        if not self.refused:
            return None
        place, reason = self._refusal
        return InputError(
            f"{place}: this is an error reply; no task was created: {reason}",
            hint=f"{_NOTHING_SENT}. Correct what it names, and submit again",
        )

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
        advice: str | None = None
        before = self.ids.given
        with contextlib.suppress(_Enough):
            for found, number, record in found_ids:
                if isinstance(found, ErrorReply):
                    reason = self._shown(found.reason, _LONGEST_REASON)
                    self._refusal = self._refusal if self.refused else (f"{place}{number}", reason)
                    self.refused += 1
                elif problem := self._problem(found):
                    if not problems and isinstance(found, Problem):
                        advice = found.advice
                    problems.append(f"{place}{number}: {problem}")
                    if len(problems) == _MOST_PROBLEMS or self.ids.given == before:
                        break
                    if stream:
                        stream.is_enough = True
                elif self.ids.add(str(found)) and self._keep is not None and record is not None:
                    self._keep(read_record(str(found), record))
        if problems:
            hint = f"{_NOTHING_SENT}. {advice or (_ADVICE if stream else _OWN_ARGUMENT)}"
            raise InputError(problems[0], hint=hint, more=tuple(problems[1:]))

    def _uuids(self, text: Iterable[str]) -> Iterator[str]:
        return (uuid for uuid in uuids_in(text) if not self._is_token(uuid))

    def _shown(self, text: str, longest: int) -> str:
        return _shortened(self._token.hide(text) if self._token else text, longest)

    def _problem(self, found: str | Problem) -> str | None:
        if isinstance(found, str):
            return "this is your API token, not a task id" if self._is_token(found) else None
        if found.word is None:
            return found.message
        if self._is_token(found.word):
            return "this is your API token, not a task id"
        return f'"{self._shown(found.word, _LONGEST_ECHO)}" {found.message}'

    def _is_token(self, text: str) -> bool:
        """Tell whether `text` is the token, or has it between other characters."""
        token = self._token
        return token is not None and (
            token.is_in(text) or (not is_uuid(text) and token.hide(text) != text)
        )


def _shortened(text: str, longest: int) -> str:
    """Return `text` on one line, what is not seen as an escape, with a mark where it is cut."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 2 * longest])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _argument(text: str) -> str | Problem:
    if text == _STDIN:
        return Problem("is not a task id: to read stdin, use --file -", text)
    if is_taken_for_file(text):
        return Problem("is a file, not a task id: to read it, use --file", text)
    if not (reason := flaw_in_argument(text)):
        return text
    if is_file_like(text):
        return Problem("is not a task id, and there is no such file", text, _READ_FILE)
    return Problem(f"is not a task id: it {reason}", text)


def is_argument(task_id: str) -> bool:
    """Tell whether an argument `task_id` is taken for the id that it is."""
    return isinstance(_argument(task_id), str)


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
    if isinstance(error, IsADirectoryError):
        message = f"{name}: is a folder, not a file"
    else:
        reason = (isinstance(error, OSError) and error.strerror) or "not a valid file name"
        message = f"{name}: cannot be read: {reason}"
    return InputError(message, hint="Check the name given to --file")
