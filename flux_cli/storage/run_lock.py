"""Who works on a run of the journal: one process at a time."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from flux_cli.errors import JournalError
from flux_cli.storage.atomic import abort, open_partial


@contextlib.contextmanager
def run_lock(journal: Path, run: int, *, wait: Callable[[float], None]) -> Iterator[None]:
    """Work on a run alone; while another process does, `wait` is called, which may raise.

    Raises JournalError. The system gives the lock back however the process ends.
    """
    path = journal.with_name(f"{journal.name}-run-{run}.lock")
    try:
        stream = open_partial(path, wait=wait, is_private=True)
    except OSError as error:
        raise JournalError(
            f"{path}: {(error.strerror or str(error)).lower()}",
            hint="Choose another folder with --journal or FLUX_JOURNAL",
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            abort(stream, path)


def is_worked_on(journal: Path, run: int) -> bool:
    """Tell whether a process works on a run. Raises JournalError."""
    try:
        with run_lock(journal, run, wait=_refuse):
            return False
    except _InUse:
        return True


class _InUse(Exception):
    pass


def _refuse(seconds: float) -> None:
    del seconds
    raise _InUse
