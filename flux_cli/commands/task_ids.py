"""Gathers task ids from arguments, files and stdin, all read and checked before any is used."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from flux_cli import interrupts
from flux_cli.commands.options import InputOptions
from flux_cli.errors import ExitCode, InputError
from flux_cli.input.readers import Problem, Record
from flux_cli.input.readers import read_ids as read_stream
from flux_cli.models.ids import TaskIds, flaw
from flux_cli.output.sanitize import one_line
from flux_cli.runtime import Runtime
from flux_cli.token import Token


if TYPE_CHECKING:
    from flux_cli.engine.finished_tasks import FinishedTasks


_STDIN = "-"
_MOST_PROBLEMS = 5  # named one by one
_HINT = "Nothing was sent. Separate ids by white space; a CSV needs a column task_id or id"
_LONGEST_ECHO = 40  # characters of a bad id that are shown


def read_ids(
    ctx: typer.Context,
    inputs: InputOptions,
    *,
    token: Token | None,
    finished: "FinishedTasks | None" = None,
) -> TaskIds:
    """Return the ids of all sources, and say how many came more than once.

    `finished` takes in the tasks that the input tells the end of. Raises
    InputError; without anything to read it shows short help and exits.
    """
    runtime: Runtime = ctx.obj
    arguments, files = inputs.ids or [], inputs.files or []
    has_stdin = runtime.stdin is not None and not runtime.stdin_is_terminal
    if not (arguments or files or has_stdin):
        typer.echo(ctx.get_usage(), err=True)
        runtime.stderr.line("flux: no task ids. Give them as arguments, with --file, or on stdin.")
        raise typer.Exit(ExitCode.USAGE)
    task_ids = gather_ids(runtime, arguments, files, token=token, finished=finished)
    if task_ids.duplicates:
        noun = "duplicate id" if task_ids.duplicates == 1 else "duplicate ids"
        runtime.stderr.note(f"flux: left out {task_ids.duplicates:,} {noun}.")
    return task_ids


def gather_ids(
    runtime: Runtime,
    arguments: Sequence[str],
    files: Sequence[Path],
    *,
    token: Token | None,
    finished: "FinishedTasks | None" = None,
) -> TaskIds:
    """Return the distinct ids of all sources, in order.

    Stdin is read when there are neither arguments nor files. Raises InputError
    that names source and line of each of the first bad ids; `token`, pasted
    where an id belongs, is one of them.
    """
    from flux_cli.models.task import read_record

    ids = TaskIds()
    problems: list[str] = []
    count = 0
    for place, number, found, record in _candidates(runtime, arguments, files):
        if (problem := _problem(found, token)) is None:
            is_new = ids.add(str(found))
            if finished is not None and is_new and record is not None:
                finished.add(read_record(str(found), record))
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
    shown = one_line(token.hide(found) if token else found, _LONGEST_ECHO)
    return f'"{shown}" is not a task id: it {reason}'


def _candidates(
    runtime: Runtime, arguments: Sequence[str], files: Sequence[Path]
) -> Iterator[tuple[str, int, str | Problem, Record | None]]:
    """Yield what stands where an id belongs, after its place: `argument `, 2 or `ids.txt:`, 7.

    With it comes the JSON object that it stood in, if it did.
    """
    for number, text in enumerate(arguments, 1):
        yield "argument ", number, text, None
    for file in files or ([] if arguments else [Path(_STDIN)]):
        with _opened(runtime, file) as (stream, name):
            try:
                place = f"{name}:"
                for found, line, record in read_stream(stream, name):
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
def _opened(runtime: Runtime, file: Path) -> Iterator[tuple[_Interruptible, str]]:
    if str(file) == _STDIN:
        if runtime.stdin is None:
            raise InputError("stdin: is closed", hint="Give ids as arguments or with --file")
        yield _Interruptible(runtime.stdin.buffer), "stdin"
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
