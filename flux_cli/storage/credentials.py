"""The credential store: one small JSON file that is always whole, and only its owner's.

A change is made under a lock, on what is in the file at that moment, in a new
file beside it that is synced and then renamed over it.
"""

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from flux_cli.errors import OutputError, UsageError
from flux_cli.storage.atomic import locked, whole_file
from flux_cli.token import Token


_VERSION = 1
_FILE = "credentials.json"
_MAX_BYTES = 1 << 20
_END_OF_TIME = 253_402_300_800  # 10000-01-01
_FOLDER_IS_WRONG = frozenset(  # and not the disk
    {
        *(errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
        *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
    }
)
_LONGEST_SHOWN = 200  # characters
_HINT = "Check the folder, or set FLUX_CONFIG_DIR to another one"


class Credential(NamedTuple):
    """A stored token; `saved_at` is Unix seconds, None when the file has no time that can be."""

    token: Token
    saved_at: float | None


Credentials = dict[str, Credential]  # by origin


class CredentialStore:
    """Tokens by the origin that they were saved for."""

    def __init__(self, folder: Path, *, warn: Callable[[str], None], program: str = "flux") -> None:
        """`warn` is told, in one line each, what is wrong with the file or its folder.

        `program` is the name that hints call this program by.
        """
        self.path = folder / _FILE
        self.login_command = f"{program} auth login"
        self._folder = folder
        self._warn = warn
        self._has_looked = False  # at the folder
        self._loaded: Credentials | None = None

    def load(self, *, anew: bool = False) -> Credentials:
        """Return all credentials; none, with a warning, when the file cannot be used.

        The file is read once, unless `anew` is wanted.
        """
        if self._loaded is None or anew:
            self._loaded = self._read(warn=self._warn) or {}
        return self._loaded

    def save(self, origin: str, credential: Credential) -> None:
        """Store `credential` for `origin`.

        Raises UsageError for a folder that cannot be used, OutputError when the
        disk fails.
        """
        with self._changing() as credentials:
            credentials[origin] = credential

    def delete(self, origin: str) -> bool:
        """Forget the token for `origin`; False when there was none. Raises as `save` does."""
        if self._read(warn=self._warn) in (None, {}):
            return False
        with self._changing() as credentials:
            return credentials.pop(origin, None) is not None

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Credentials]:
        self._loaded = None
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._folder.chmod(0o700)
            with locked(self._folder / ".lock"):
                credentials = self._read(warn=lambda _: None)
                if credentials is None:
                    self._set_aside()
                    credentials = {}
                yield credentials
                self._write(credentials)
            self._look_at_folder()
        except OSError as error:
            kind = UsageError if error.errno in _FOLDER_IS_WRONG else OutputError
            raise kind(
                f"{_shown(self.path)}: cannot be written: {error.strerror}", hint=_HINT
            ) from None

    def _read(self, *, warn: Callable[[str], None]) -> Credentials | None:
        """Return what the file holds; {} when there is none, None when it is no use."""
        try:
            data = self._read_bytes(warn)
            self._look_at_folder()
        except FileNotFoundError:
            return {}
        except OSError as error:
            if os.path.islink(self.path):  # noqa: PTH114 - which is false, too, for any trouble
                raise UsageError(
                    f"{self.path}: is a symbolic link, which flux does not follow",
                    hint="Put the file itself there, or set FLUX_CONFIG_DIR to its folder",
                ) from None
            raise UsageError(
                f"{_shown(self.path)}: cannot be read: {error.strerror}", hint=_HINT
            ) from None
        try:
            return _parsed(data)
        except _NewerVersion:
            warn(f"{self.path}: written by a newer version of flux; treated as logged out")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            warn(f"{self.path}: damaged; treated as logged out. Run: {self.login_command}")
        return None

    def _look_at_folder(self) -> None:
        """Tell, once, who else could put another file in this one's place. Raises OSError."""
        if self._has_looked or os.name != "posix":
            return
        status = self._folder.stat()
        self._has_looked = True
        if status.st_uid not in (0, os.getuid()):
            self._warn(f"{self._folder}: belongs to another user (uid {status.st_uid})")
        elif status.st_mode & 0o022:
            self._warn(
                f"{self._folder}: other users can write to it. Run: chmod 700 {self._folder}"
            )

    def _read_bytes(self, warn: Callable[[str], None]) -> bytes:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(self.path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "not a regular file")
            if os.name == "posix":
                if status.st_mode & 0o077:
                    warn(f"{self.path}: other users can read it. Run: chmod 600 {self.path}")
                if status.st_uid != os.getuid():
                    warn(f"{self.path}: belongs to another user (uid {status.st_uid})")
            return file.read(_MAX_BYTES)

    def _write(self, credentials: Credentials) -> None:
        with whole_file(self.path, is_private=True) as stream:
            stream.write(_serialised(credentials))

    def _set_aside(self) -> None:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        aside = self.path.with_name(f"{_FILE}.unusable-{stamp}-{_random_name()}")
        self.path.rename(aside)
        self._warn(f"{self.path}: could not be used; kept as {aside.name}")


def _shown(path: Path) -> str:
    """Return `path`, without the middle of one that would hide what is said of it."""
    text = str(path)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:100]}…{text[-50:]}"


class _NewerVersion(Exception):
    pass


def _parsed(data: bytes) -> Credentials:
    document: Any = json.loads(data)
    if isinstance(document["version"], int) and document["version"] > _VERSION:
        raise _NewerVersion
    if document["version"] != _VERSION:
        raise ValueError("unknown version")
    return {
        str(origin): Credential(Token(entry["token"]), _time(entry["saved_at"]))
        for origin, entry in document["credentials"].items()
    }


def _time(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _END_OF_TIME else None


def _serialised(credentials: Credentials) -> bytes:
    document = {
        "version": _VERSION,
        "credentials": {
            origin: {"token": credential.token.reveal(), "saved_at": credential.saved_at}
            for origin, credential in credentials.items()
        },
    }
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _random_name() -> str:
    import secrets  # only who needs it waits for it

    return secrets.token_hex(2)
