"""Runs `flux` in the test's own process: what a process has of its own is put in place for it.

That is its arguments, environment, working folder and standard streams, which
are real pipes. Starting Python and importing everything anew costs many times
what most runs do. What depends on how the interpreter starts or ends, or on
signals, needs a process of its own.
"""

import contextlib
import faulthandler
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO
from unittest import mock

from flux_cli.app import make_app
from tests.support.patience import LONGEST


_READ_AT_START = ("PYTHON", "LC_", "LANG", "TZ")  # the variables that only a new interpreter reads


def needs_process(changes: Mapping[str, str | None]) -> bool:
    """Tell whether a run with such changes of the environment needs a process of its own.

    Some are felt only by a new interpreter. And what a process has of its own,
    this one has once: several runs at the same time, in threads, cannot share it.
    """
    is_alone = threading.current_thread() is threading.main_thread()
    return not is_alone or any(name.startswith(_READ_AT_START) for name in changes)


def run_in_process(
    program: str,
    arguments: Sequence[str],
    *,
    stdin: bytes,
    environment: Mapping[str, str],
    folder: Path,
) -> tuple[int, bytes, bytes]:
    """Run `program` with `arguments`; return its exit code, stdout and stderr."""
    out, err = bytearray(), bytearray()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_hangs_are_shown())
        of_sys = {
            "stdin": stack.enter_context(_fed(stdin)),
            "stdout": stack.enter_context(_collected(out, errors="strict")),
            "stderr": stack.enter_context(_collected(err, errors="backslashreplace")),
            "argv": [program, *arguments],
        }
        for name, value in of_sys.items():
            stack.enter_context(mock.patch.object(sys, name, value))
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(tempfile, "tempdir", None))  # else found once
        stack.enter_context(contextlib.chdir(folder))
        code = _exit_code()
    return code, bytes(out), bytes(err)


def _exit_code() -> int:
    try:
        make_app(sys.argv[1:])(prog_name="flux")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


@contextlib.contextmanager
def _collected(data: bytearray, *, errors: str) -> Iterator[TextIO]:
    """Yield a stream into a pipe; what is written to it is in `data` after the block."""
    end, start = os.pipe()

    def read() -> None:
        with os.fdopen(end, "rb", 0) as pipe:
            while piece := pipe.read(1 << 16):
                data.extend(piece)

    with (
        _running(read),
        os.fdopen(start, "w", encoding="utf-8", errors=errors, newline="\n") as stream,
    ):
        yield stream


@contextlib.contextmanager
def _fed(data: bytes) -> Iterator[TextIO]:
    """Yield a stream out of a pipe that holds `data`."""
    end, start = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(start, "wb", 0) as pipe:
            pipe.write(data)

    with _running(write), os.fdopen(end, encoding="utf-8", errors="surrogateescape") as stream:
        yield stream


@contextlib.contextmanager
def _running(function: Callable[[], None]) -> Iterator[None]:
    """Run `function` beside the block, and wait for its end after it."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextlib.contextmanager
def _hangs_are_shown() -> Iterator[None]:
    """End the process, and say where it was, when the block takes for ever."""
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
