"""Which certificates are trusted: the system's, as for curl, unless the user names others.

Reading a system's whole bundle takes longer than asking for fifty tasks. Many systems
keep each certificate under the hash of its name as well, and there OpenSSL reads only
the one that a server's own leads to.
"""

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from flux_cli.errors import UsageError


if TYPE_CHECKING:  # a help text needs none
    import ssl


class Places(NamedTuple):
    """Where a system may keep its certificates: each under its hash, or all in one file."""

    folders: tuple[str, ...]
    bundles: tuple[str, ...]


SYSTEM = Places(
    (
        "/etc/ssl/certs",  # Debian, Ubuntu, Alpine, Arch, openSUSE, FreeBSD
        "/etc/pki/ca-trust/extracted/pem/directory-hash",  # Fedora
    ),
    (
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, Red Hat
        "/etc/ssl/ca-bundle.pem",  # openSUSE
        "/etc/ssl/cert.pem",  # Alpine, FreeBSD
    ),
)
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]{1,2}")
# Fewer are what somebody has added to a folder that does not hold what the system trusts.
_ENOUGH = 20


class _Found(NamedTuple):
    file: str  # read at once
    folder: str  # looked into when a server has shown its certificate
    setting: str = ""  # that named them


class Certificates:
    """What servers are verified with, for everything that a process asks.

    Read once, when https is spoken first. Safe to use from several threads.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """`environment` may hold SSL_CERT_FILE and SSL_CERT_DIR."""
        self._environment = environment or {}
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def context(self) -> "ssl.SSLContext":
        """Return what verifies a server.

        Raises UsageError, naming the setting, when the certificates cannot be read.
        """
        with self._lock:
            if self._context is None:
                self._context = self._made()
                self._context.set_alpn_protocols(["http/1.1"])
            return self._context

    def read_ahead(self) -> None:
        """Read them in another thread, where that takes long: it needs no interpreter."""
        if not _has_native_store() and self._found().file:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(UsageError):  # said when they are asked for
            self.context()

    def _made(self) -> "ssl.SSLContext":
        import ssl

        found = self._found()
        if not found.setting and _has_native_store():
            with contextlib.suppress(ImportError):  # as on a macOS that is too old for it
                import truststore

                return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        file = found.file or (None if found.folder else _certifi())
        try:
            return ssl.create_default_context(cafile=file, capath=found.folder or None)
        except OSError as error:
            named = f"{found.setting}: " if found.setting else ""
            raise _unreadable(f"{named}{file}", error) from None

    def _found(self) -> _Found:
        file = self._environment.get("SSL_CERT_FILE", "").strip()
        folders = self._environment.get("SSL_CERT_DIR", "").strip()
        if file:
            return _Found(file, folders, "SSL_CERT_FILE")
        if not folders:
            return _system_certificates()
        if not any(map(_count_hashed, folders.split(os.pathsep))):
            raise UsageError(
                f"SSL_CERT_DIR: {folders}: no hashed certificates found",
                hint="Run openssl rehash on the folder, or unset the variable",
            )
        return _Found("", folders, "SSL_CERT_DIR")


def _system_certificates() -> _Found:
    """Return the folder that holds what the system trusts; else its bundle, and what was added."""
    import ssl

    own = ssl.get_default_verify_paths()  # where this OpenSSL was told to look
    added = ""
    for folder in (*SYSTEM.folders, own.openssl_capath):
        count = _count_hashed(folder)
        if count >= _ENOUGH:
            return _Found("", folder)
        if count and not added:
            added = folder
    bundle = next(filter(os.path.isfile, (*SYSTEM.bundles, own.openssl_cafile)), "")
    return _Found(bundle, added)


def _count_hashed(folder: str) -> int:
    """Count the certificates that are there under their hash, as far as it matters."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return sum(1 for _ in islice(_hashed(entries), _ENOUGH))
    return 0


def _hashed(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    # A link may lead nowhere, as where a folder was copied without what is in it.
    return (entry for entry in entries if _HASHED.fullmatch(entry.name) and entry.is_file())


def _has_native_store() -> bool:
    return sys.platform in {"darwin", "win32"}


def _certifi() -> str:
    import certifi

    return certifi.where()


def _unreadable(name: str, error: OSError) -> UsageError:
    import ssl

    is_there = isinstance(error, ssl.SSLError)
    why = "no certificate found" if is_there else f"cannot be read: {error.strerror}"
    return UsageError(f"{name}: {why}", hint="Set SSL_CERT_FILE to a PEM file of CA certificates")
