"""The credential store: one small JSON file that is always whole, and only its owner's.

It holds profiles: names, each with a token for each service that it was logged in to.
Version 1 of the file had no names; what it holds is the profile `default`.

A change is made under a lock, on what is in the file at that moment, in a new
file beside it that is synced and then renamed over it.
"""

import contextlib
import errno
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from flux_cli.errors import OutputError, UsageError
from flux_cli.storage.atomic import locked, whole_file
from flux_cli.token import Token


_VERSION = 2
DEFAULT_PROFILE = "default"
PROFILE_NAME = re.compile("[A-Za-z0-9._-]{1,64}")
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
    """A stored token; `saved_at` is Unix seconds, None when the file has no time that can be.

    `base_url` is the address that it was saved for, "" where only the origin is known.
    """

    token: Token
    saved_at: float | None
    base_url: str = ""


Credentials = dict[str, Credential]  # by origin


@dataclass(slots=True)
class Profiles:
    """All credentials by profile and origin; `active` is the profile that is used unasked."""

    active: str = DEFAULT_PROFILE
    by_name: dict[str, Credentials] = field(default_factory=dict)  # none of them empty

    def of(self, name: str) -> Credentials:
        """Return the credentials of a profile, none for one that is not there."""
        return self.by_name.get(name, {})


class CredentialStore:
    """Tokens by profile, and by the origin that they were saved for."""

    def __init__(self, folder: Path, *, warn: Callable[[str], None], program: str = "flux") -> None:
        """`warn` is told, in one line each, what is wrong with the file or its folder.

        `program` is the name that hints call this program by.
        """
        self.path = folder / _FILE
        self.login_command = f"{program} auth login"
        self._folder = folder
        self._warn = warn
        self._has_looked = False  # at the folder
        self._loaded: Profiles | None = None

    def load(self, *, anew: bool = False) -> Profiles:
        """Return all profiles; none, with a warning, when the file cannot be used.

        The file is read once, unless `anew` is wanted.
        """
        if self._loaded is None or anew:
            self._loaded = self._read(warn=self._warn) or Profiles()
        return self._loaded

    def save(self, profile: str, origin: str, credential: Credential) -> bool:
        """Store `credential` for `origin` in `profile`; tell whether that is the active one.

        The first profile of all is. Raises UsageError for a folder that cannot be
        used, OutputError when the disk fails.
        """
        with self._changing() as profiles:
            if not profiles.by_name:
                profiles.active = profile
            profiles.by_name.setdefault(profile, {})[origin] = credential
            return profiles.active == profile

    def delete(self, profile: str, origin: str) -> bool:
        """Forget the token of `profile` for `origin`; False when there was none.

        Where the active profile had no other, `default` is the active one. Raises as `save` does.
        """
        profiles = self._read(warn=self._warn)
        if profiles is None or origin not in profiles.of(profile):
            return False
        with self._changing() as profiles:
            credentials = profiles.of(profile)
            is_there = credentials.pop(origin, None) is not None
            if not credentials:
                profiles.by_name.pop(profile, None)
                if profiles.active == profile:
                    profiles.active = DEFAULT_PROFILE
            return is_there

    def switch(self, profile: str) -> bool:
        """Make `profile` the active one; False when there is none of this name.

        Raises as `save` does.
        """
        if profile not in self.load(anew=True).by_name:
            return False
        with self._changing() as profiles:
            if profile in profiles.by_name:  # somebody may have logged out meanwhile
                profiles.active = profile
            return profile in profiles.by_name

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Profiles]:
        self._loaded = None
        try:
            if not self._folder.is_dir():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._folder.chmod(0o700)
            with locked(self._folder / ".lock"):
                profiles = self._read(warn=lambda _: None)
                if profiles is None:
                    self._set_aside()
                    profiles = Profiles()
                yield profiles
                self._write(profiles)
            self._look_at_folder()
        except OSError as error:
            kind = UsageError if error.errno in _FOLDER_IS_WRONG else OutputError
            raise kind(
                f"{_shown(self.path)}: cannot be written: {error.strerror}", hint=_HINT
            ) from None

    def _read(self, *, warn: Callable[[str], None]) -> Profiles | None:
        """Return what the file holds; None when it is no use."""
        try:
            data = self._read_bytes(warn)
            self._look_at_folder()
        except FileNotFoundError:
            return Profiles()
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

    def _write(self, profiles: Profiles) -> None:
        with whole_file(self.path, is_private=True) as stream:
            stream.write(_serialised(profiles))

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


def _parsed(data: bytes) -> Profiles:
    document: Any = json.loads(data)
    version = document["version"]
    if isinstance(version, int) and version > _VERSION:
        raise _NewerVersion
    if version == 1:
        credentials = _credentials(document["credentials"])
        return Profiles(by_name={DEFAULT_PROFILE: credentials} if credentials else {})
    if version != _VERSION:
        raise ValueError("unknown version")
    by_name = {name: _credentials(entries) for name, entries in document["profiles"].items()}
    profiles = Profiles(document["active"], by_name)
    if not all(map(PROFILE_NAME.fullmatch, by_name)) or not all(by_name.values()):
        raise ValueError("not a profile")
    if profiles.active not in (DEFAULT_PROFILE, *by_name):  # else another account would be used
        raise ValueError("the active profile does not exist")
    return profiles


def _credentials(entries: Any) -> Credentials:
    return {
        str(origin): Credential(
            Token(entry["token"]), _time(entry["saved_at"]), str(entry.get("base_url", ""))
        )
        for origin, entry in entries.items()
    }


def _time(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < _END_OF_TIME else None


def _serialised(profiles: Profiles) -> bytes:
    document = {
        "version": _VERSION,
        "active": profiles.active,
        "profiles": {
            name: {
                origin: {
                    "token": credential.token.reveal(),
                    "saved_at": credential.saved_at,
                    "base_url": credential.base_url,
                }
                for origin, credential in credentials.items()
            }
            for name, credentials in profiles.by_name.items()
        },
    }
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _random_name() -> str:
    import secrets  # only who needs it waits for it

    return secrets.token_hex(2)
