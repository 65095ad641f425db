"""One SQLite file, changed by transactions that are on the disk when they end."""

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from flux_cli.errors import JournalError


Execute = Callable[..., sqlite3.Cursor]
_PATIENCE = 10.0  # seconds that another process may take for a transaction
_MEANINGS = {
    "SQLITE_NOTADB": "it is not a SQLite file, or is damaged",
    "SQLITE_CORRUPT": "it is damaged",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY_DIRECTORY": "its folder is read-only",
    "SQLITE_READONLY": "it is read-only",
    "SQLITE_BUSY": "another program has locked it",
    "SQLITE_CANTOPEN": "it cannot be opened",
}


_making = threading.Lock()


class Database:
    """A file with the tables of `migrations`; safe to use from several threads and processes."""

    def __init__(
        self,
        path: Path,
        *,
        application: int,
        migrations: Sequence[str],
        patience: float = _PATIENCE,
    ) -> None:
        """Open it, make it where it is not there, and bring it to this version.

        `application` marks the file as one of this kind; `patience` is in seconds.
        Raises JournalError.
        """
        self._path = path
        self._lock = threading.Lock()
        with self._explained():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
            self._inode = _inode(path)
            self._connection = sqlite3.connect(
                path.absolute(),  # which is no name of those that SQLite keeps in memory
                timeout=patience,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._explained():
                self._connection.execute("PRAGMA foreign_keys = ON")
                self._check()
                self._migrate(application, migrations)
                self._use_log()
                self._connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            self._connection.close()
            raise

    def _check(self) -> None:
        """See to it that tables and indexes agree: a damaged one forgets what was submitted."""
        (found,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(_MEANINGS["SQLITE_CORRUPT"])

    def check_in_place(self) -> None:
        """Raise JournalError where the file was removed, moved or replaced since it was opened."""
        with self._explained():
            if _inode(self._path) != self._inode:
                self._fail("it was removed or replaced meanwhile")

    def close(self) -> None:
        """Close it; twice does no harm."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[Execute]:
        """Give what runs a statement. Raises JournalError."""
        with self._lock, self._explained():
            yield self._connection.execute

    @contextlib.contextmanager
    def write(self, *, is_trial: bool = False) -> Iterator[Execute]:
        """Begin a transaction, which is on the disk once the block has ended well.

        After a trial, nothing has changed. Raises JournalError; then neither.
        """
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("ROLLBACK" if is_trial else "COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def _use_log(self) -> None:
        """Write changes to a log beside the file, which is quicker; another process may say so."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY":  # for which SQLite does not wait here
                raise

    def _migrate(self, application: int, migrations: Sequence[str]) -> None:
        """Bring the tables to this version, all at once or not at all."""
        with self.write() as execute:
            (version,) = execute("PRAGMA user_version").fetchone()
            (owner,) = execute("PRAGMA application_id").fetchone()
            (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if owner != application and (tables or owner):
                raise JournalError(
                    f"{self._path}: this is not a journal of flux",
                    hint="Choose another file with --journal or FLUX_JOURNAL",
                )
            if version > len(migrations):
                raise JournalError(
                    f"{self._path}: this journal was written by a newer flux",
                    hint="Update flux: with another --journal, it does not know what was submitted",
                )
            for number, script in enumerate(migrations[version:], version + 1):
                for statement in script.split(";"):
                    execute(statement)
                execute(f"PRAGMA user_version = {number}")
            if owner != application:
                execute(f"PRAGMA application_id = {application}")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the system and SQLite say into a JournalError."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            known = (text for start, text in _MEANINGS.items() if name.startswith(start))
            self._fail(next(known, str(error)), error)
        except ValueError as error:  # what a row holds is not what was written there
            self._fail(_MEANINGS["SQLITE_CORRUPT"], error)
        except FileExistsError as error:
            self._fail("its folder is a file", error)
        except OSError as error:
            self._fail((error.strerror or str(error)).lower(), error)

    def _fail(self, reason: str, error: Exception | None = None) -> NoReturn:
        raise JournalError(
            f"{self._path}: the journal of submissions cannot be used: {reason}",
            hint="Fix that first: with another --journal, flux does not know what was submitted",
        ) from error


def _inode(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from any other; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _make(path: Path) -> None:
    """Create the file for its owner alone, where it is not there; SQLite would let all read it.

    One that is there is not opened: closing it would end the locks that this process has on it.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    with _making, contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
