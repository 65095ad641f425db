"""Fetches one file, resumed where it was cut, until it is whole."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from flux_cli.api.file_client import FileResponse
from flux_cli.engine.hosts import Hosts
from flux_cli.engine.partial_file import PartialFile
from flux_cli.errors import ConnectionFault, DownloadError, RangeRefused
from flux_cli.models.task import File


class OpenFile(Protocol):
    """Asks for a file, or the rest of one: what `api.file_client.FileClient.open` is."""

    def __call__(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> AbstractContextManager[FileResponse]:
        """Ask for `url` from byte `start` on."""


class FileProgress(Protocol):
    """Hears of each file, from several threads."""

    def moved(self, path: Path, size: int, total: int | None) -> None:
        """`size` of `total` bytes of the file that will be at `path` are here."""

    def ended(self, path: Path, file: File, name: str) -> None:
        """A file is done with, for better or worse; `name` says which output it is."""


class Fetch:
    """Fetches files no larger than `max_size` bytes, each within the budget of its host."""

    def __init__(
        self, open_file: OpenFile, hosts: Hosts, progress: FileProgress, *, max_size: int
    ) -> None:
        self._open_file = open_file
        self._hosts = hosts
        self._progress = progress
        self._max_size = max_size

    def into(self, part: PartialFile, stem: Path, url: str, *, pause: Callable[[], None]) -> None:
        """Fetch the file at `url` into `part`, until it is whole; `pause` may raise to end it.

        Where its length is what the server said, and its format's own end is not
        there all the same, it is fetched once more: either it has been damaged on
        its way, or the server has no other, which is what is wanted then.
        """

        def exchange() -> bool:
            try:
                return self._exchange(part, stem, url, pause)
            except RangeRefused:
                part.clear()
                raise

        if self._hosts.budget(url).send(exchange):
            return
        digest = part.digest
        part.clear()
        if not self._hosts.budget(url).send(exchange) and part.digest != digest:
            raise DownloadError("the file is truncated, differently each time", code="damaged")

    def _exchange(self, part: PartialFile, stem: Path, url: str, pause: Callable[[], None]) -> bool:
        """Fetch what is not here yet; tell whether the end that the format marks has come."""
        with self._open_file(url, start=part.size, validator=part.validator) as reply:
            if reply.start not in (0, part.size):
                raise RangeRefused(
                    "the server sent the wrong part of the file", code="range_refused"
                )
            if reply.start == 0:
                part.clear()
            part.validator = reply.validator
            self._check_size(reply.total or 0)
            for chunk in reply.chunks:
                pause()
                part.write(chunk)
                self._check_size(part.size)
                self._progress.moved(stem, part.size, reply.total)
        if reply.total not in (None, part.size):
            raise RangeRefused("the file changed during the download", code="range_refused")
        is_whole = part.is_whole()
        if not is_whole and reply.total is None:  # nobody said how long it would be
            raise ConnectionFault("the file is truncated", code="reply_cut")
        return is_whole

    def _check_size(self, size: int) -> None:
        if size > self._max_size:
            raise DownloadError(
                f"it is larger than {self._max_size:,} bytes (--max-size)", code="too_large"
            )
