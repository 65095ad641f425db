"""Saves outputs of tasks as files: each whole or absent, once, and inside one folder."""

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from flux_cli.api.files import FileReply
from flux_cli.api.traffic import Stopped, Traffic
from flux_cli.disk import part_of, remove_leftover
from flux_cli.engine.part import Part
from flux_cli.errors import (
    ConnectionFault,
    DownloadError,
    FluxError,
    OutputError,
    RangeRefused,
    ServiceError,
    UsageError,
)
from flux_cli.tasks.media import Media
from flux_cli.tasks.names import NameTemplate
from flux_cli.tasks.task import File, Task, TaskError


_MOST_HOSTS = 1000  # with a budget of their own: memory must not grow with what links hold


class OpenFile(Protocol):
    """Asks for a file, or the rest of one: what `api.files.FileClient.open` is."""

    def __call__(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> AbstractContextManager[FileReply]:
        """Ask for `url` from byte `start` on."""


class Progress(Protocol):
    """Hears of each file, from several threads."""

    def moved(self, path: Path, size: int, total: int | None) -> None:
        """`size` of `total` bytes of the file that will be at `path` are here."""

    def ended(self, path: Path, file: File, name: str) -> None:
        """A file is done with, for better or worse; `name` says which output it is."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where files go, and what is allowed: `max_size` in bytes, `file_timeout` in seconds."""

    folder: Path
    template: NameTemplate
    overwrites: bool = False
    max_size: int = 200_000_000
    file_timeout: float = 1800.0


class Saver:
    """Saves outputs; safe to use from several threads, and beside other processes.

    A disk that cannot be written to, or a setting that cannot be used, stops
    everything: `stopped_by` says why.
    """

    def __init__(
        self,
        rules: Rules,
        open_file: OpenFile,
        *,
        traffic: Callable[[], Traffic],
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`traffic` makes the budget for one host. Raises OutputError for a bad folder."""
        self._rules = rules
        self._open_file = open_file
        self._make_traffic = traffic
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._traffic: dict[str, Traffic] = {}
        self._parts: set[Path] = set()
        self._lock = threading.Lock()
        self._is_stopped = False
        self.stopped_by: FluxError | None = None
        try:
            rules.folder.mkdir(parents=True, exist_ok=True)
            self._root = rules.folder.resolve(strict=True)
        except (OSError, ValueError) as error:
            raise _unwritable(rules.folder, error) from None

    def save(self, task: Task, number: int) -> File:
        """Save output `number` of `task`, counted from 1; never raises for what goes wrong."""
        path = self._path(task, number, Media.PNG).with_suffix("")
        try:
            file = self._kept(task, number) or self._saved(task, number)
        except (ServiceError, DownloadError) as error:
            file = _failed(error.code, error.message)
        except (Stopped, OSError, UsageError) as error:
            if isinstance(error, OSError) and not self._is_stopped:
                self.stop(_unwritable(path, error))
            elif isinstance(error, UsageError):  # a proxy that no link can be reached through
                self.stop(error)
            why = self.stopped_by or self._reason(task, number)
            file = _failed("not_saved", why.message if why else "interrupted")
        self._progress.ended(path, file, f"{task.id}, output {number}")
        return file

    def stop(self, reason: FluxError | None = None) -> None:
        """Save no more, and leave nothing behind of what is on its way."""
        with self._lock:
            self._is_stopped = True
            self.stopped_by = self.stopped_by or reason
            for path in self._parts:
                path.unlink(missing_ok=True)
            traffics = list(self._traffic.values())
        for traffic in traffics:
            traffic.stop()

    def _path(self, task: Task, number: int, media: Media) -> Path:
        return self._rules.folder / self._rules.template.path(task, number, media)

    def _existing(self, task: Task, number: int) -> list[Path]:
        """Return what was saved under this name before, whatever its kind."""
        paths = (self._path(task, number, media) for media in Media)
        return [path for path in paths if path.is_file()]

    def _kept(self, task: Task, number: int) -> File | None:
        if self._rules.overwrites or not (existing := self._existing(task, number)):
            return None
        path = existing[0]
        remove_leftover(part_of(path.with_suffix("")))
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return File(str(path), path.stat().st_size, digest, is_new=False)

    def _saved(self, task: Task, number: int) -> File:
        stem = self._path(task, number, Media.PNG).with_suffix("")
        stem.parent.mkdir(parents=True, exist_ok=True)
        if not stem.parent.resolve().is_relative_to(self._root):
            raise DownloadError(f"{stem.parent} leads out of the folder", code="outside")
        end = self._clock() + self._rules.file_timeout
        part_path = part_of(stem)
        with self._lock:
            self._parts.add(part_path)
        try:
            part = Part(part_path, wait=lambda seconds: self._wait(seconds, end))
            try:
                if file := self._kept(task, number):  # another process was faster
                    return file
                self._fetch(part, stem, task.outputs[number - 1].url, end)
                return self._finished(part, task, number)
            finally:
                part.discard()
        finally:
            with self._lock:
                self._parts.discard(part_path)

    def _fetch(self, part: Part, stem: Path, url: str, end: float) -> None:
        def exchange() -> None:
            with self._open_file(url, start=part.size, validator=part.validator) as reply:
                if reply.start not in (0, part.size):
                    raise RangeRefused("another part of the file came", code="range_refused")
                if reply.start == 0:
                    part.clear()
                part.validator = reply.validator
                self._check_size(reply.total or 0)
                for chunk in reply.chunks:
                    self._wait(0.0, end)
                    part.write(chunk)
                    self._check_size(part.size)
                    self._progress.moved(stem, part.size, reply.total)
            if reply.total not in (None, part.size):
                raise RangeRefused("the file has changed on its way", code="range_refused")
            if not part.is_whole():
                if reply.total is None:  # the server did not say how long it would be
                    raise ConnectionFault("the file was cut short", code="reply_cut")
                raise DownloadError("it ends before its end: the file is damaged", code="damaged")

        def resumed() -> None:
            try:
                exchange()
            except RangeRefused:
                part.clear()
                raise

        self._traffic_for(url).send(resumed)

    def _finished(self, part: Part, task: Task, number: int) -> File:
        if part.media is None:
            raise ValueError("a whole file is of a known kind")
        path = self._path(task, number, part.media)
        others = [other for other in self._existing(task, number) if other != path]
        size = part.size
        digest = part.finish(path)
        for other in others:  # of another kind, under the same name: it has been replaced
            other.unlink(missing_ok=True)
        return File(str(path), size, digest, is_new=True)

    def _wait(self, seconds: float, end: float) -> None:
        """Sleep, unless it is time to stop."""
        if self._is_stopped:
            raise Stopped
        if self._clock() > end:
            raise DownloadError(
                f"it took longer than {self._rules.file_timeout:g} seconds", code="too_slow"
            )
        if seconds:
            self._sleep(seconds)

    def _check_size(self, size: int) -> None:
        if size > self._rules.max_size:
            raise DownloadError(
                f"it is larger than {self._rules.max_size:,} bytes (--max-size)", code="too_large"
            )

    def _traffic_for(self, url: str) -> Traffic:
        """Return the budget for a host: one that is dead must not stop the others."""
        host = self._budget_of(url)
        with self._lock:
            if self._is_stopped:
                raise Stopped
            if host not in self._traffic:
                self._traffic[host] = self._make_traffic()
            return self._traffic[host]

    def _reason(self, task: Task, number: int) -> ServiceError | None:
        traffic = self._traffic.get(self._budget_of(task.outputs[number - 1].url))
        return traffic.reason if traffic else None

    def _budget_of(self, url: str) -> str:
        """Return the host that a link names; beyond _MOST_HOSTS they share what is left."""
        try:
            host = urlsplit(url).netloc
        except ValueError:
            return ""
        return host if host in self._traffic or len(self._traffic) < _MOST_HOSTS else ""


def _failed(code: str, message: str) -> File:
    return File(None, None, None, is_new=False, error=TaskError(code, message))


def _unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    reason = (isinstance(error, OSError) and error.strerror) or "not a name for a file"
    return OutputError(
        f"{path}: cannot be written: {reason}", hint="Name another folder with --dir"
    )
