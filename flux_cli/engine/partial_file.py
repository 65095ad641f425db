"""A file while it is on its way: beside its final place, locked, and never mistaken for it."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from flux_cli.errors import DownloadError
from flux_cli.models.media import HEAD, Media, is_whole, recognise
from flux_cli.storage.atomic import abort, commit, open_partial


class PartialFile:
    """Bytes that arrive in pieces, resumed where they were cut off.

    Another process that saves the same file has to wait; what a crash left
    behind is taken over and overwritten.
    """

    def __init__(self, path: Path, *, wait: Callable[[float], None]) -> None:
        """Create and lock `path`. `wait` sleeps, and raises when it is time to stop.

        Raises OSError.
        """
        self.path = path
        self.media: Media | None = None
        self.size = 0
        self.validator: str | None = None
        self._file = open_partial(path, wait=wait)
        self._digest = hashlib.sha256()
        self._head = b""
        self._is_empty = False  # what a crash left behind may be in it
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        if not self._is_empty:
            self._file.seek(0)
            self._file.truncate()
            self._is_empty = True
        self._digest = hashlib.sha256()
        self.size, self._head, self.media, self.validator = 0, b"", None, None

    @property
    def digest(self) -> str:
        """The SHA-256 of what is here so far."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append `chunk`. Raises OSError, and DownloadError when it is no picture or video."""
        self._is_empty = False
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)
        if self.media is None:
            self._head = (self._head + bytes(chunk[: 4 * HEAD]))[: 4 * HEAD]
            if len(self._head) >= HEAD:
                self.media = self._recognised()

    def is_whole(self) -> bool:
        """Tell whether the end of the picture or video has come. Raises DownloadError."""
        self._file.flush()
        self.media = self.media or self._recognised()
        whole = is_whole(self._file, self.media, self.size)
        self._file.seek(0, os.SEEK_END)
        return whole

    def sync(self) -> None:
        """Bring the bytes to the disk. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def finish(self, path: Path) -> None:
        """Bring the bytes to `path`. Raises OSError when they are not there.

        They are to be on the disk before; that the name is there too, is left to the caller.
        """
        commit(self._file, self.path, path, waits_for_disk=False)

    def abort(self) -> None:
        """Remove what there is, unless it has been finished. Twice does no harm."""
        abort(self._file, self.path)

    def _recognised(self) -> Media:
        media = recognise(self._head)
        if media is None:
            is_page = self._head.lstrip()[:1] == b"<"
            what = "it is a web page, not" if is_page else "it is not"
            raise DownloadError(
                f"{what} an image or a video that flux recognises", code="not_media"
            )
        return media
