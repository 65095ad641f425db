"""Saves outputs of tasks as files: each whole or absent, once, and inside one folder."""

import contextlib
import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from flux_cli.api.throttle import Stopped, Throttle
from flux_cli.engine.archive import Archive
from flux_cli.engine.commit_gate import CommitGate
from flux_cli.engine.fetch import Fetch, FileProgress, OpenFile
from flux_cli.engine.hosts import Hosts
from flux_cli.engine.partial_file import PartialFile
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.errors import (
    DownloadError,
    FluxError,
    OutputError,
    ServiceError,
    UsageError,
)
from flux_cli.models.file_names import NameTemplate
from flux_cli.models.media import Media
from flux_cli.models.task import File, Task, TaskError
from flux_cli.storage.atomic import partial_path, remove_leftover, sync_folder


_MOST_UNSYNCED = 100  # folders
_DISK_FAILS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV})


class _Target(NamedTuple):
    """Where an output is, and where it goes: one path for each kind that it may turn out to be."""

    url: str
    paths: Mapping[Media, str]
    output: tuple[str, int]  # the id of its task, and its number

    @property
    def stem(self) -> Path:
        return self.path(Media.PNG).with_suffix("")

    def path(self, media: Media) -> Path:
        return Path(self.paths[media])

    def existing(self) -> list[Path]:
        """Return what was saved under this name before, whatever its kind."""
        return [Path(path) for path in filter(os.path.isfile, self.paths.values())]


class Downloader:
    """Saves outputs; safe to use from several threads, and beside other processes.

    What is wrong with one name concerns that file alone. A disk that fails, a
    folder that cannot be written to at all, or a setting that cannot be used,
    stops everything: `stopped_by` says why.
    """

    def __init__(
        self,
        folder: Path,
        policy: DownloadPolicy,
        open_file: OpenFile,
        *,
        throttle: Callable[[], Throttle],
        progress: FileProgress,
        hide: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`throttle` makes the budget for one host, `hide` takes a secret out of a name.

        A name is put together from words of the service, and may spell what none of
        them does. Raises OutputError for a bad folder, and what `Archive` raises.
        """
        self._folder = folder
        self._policy = policy
        self._template = NameTemplate(policy.name)
        self._hide = hide
        self._progress = progress
        self._clock = clock
        self._sleep = sleep
        self._hosts = Hosts(throttle)
        self._fetch = Fetch(open_file, self._hosts, progress, max_size=policy.max_size)
        self._parts: set[Path] = set()
        self._unsynced: set[Path] = set()  # folders with new names in them
        self._lock = threading.Lock()
        self._gate = CommitGate()
        self._is_stopped = False
        self.stopped_by: FluxError | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._root = folder.resolve(strict=True)
        except (OSError, ValueError) as error:
            raise _unwritable(folder, error) from None
        self._archive = Archive(policy.archive) if policy.archive is not None else None

    def save(self, task: Task, number: int, keep: Callable[[File], None]) -> None:
        """Save output `number` of `task`, counted from 1, and give `keep` what became of it.

        Never raises for what goes wrong. A file is put in its place and given to
        `keep` as one; once `close` has returned, neither happens any more.
        """
        with contextlib.suppress(Stopped):
            target = self._target(task, number)
            file = self._outcome(target, keep)
            self._progress.ended(target.stem, file, f"{task.id}, output {number}")

    def _outcome(self, target: "_Target", keep: Callable[[File], None]) -> File:
        try:
            if file := self._kept(target) or self._archived(target):
                with self._gate:
                    self._settle(target, file, keep)
                return file
            return self._saved(target, keep)
        except (ServiceError, DownloadError) as error:
            file = _failed(error.code, error.message)
        except FileNotFoundError as error:
            is_removed = self._is_stopped  # by stop(): it is not the reason
            file = self._stopped(target) if is_removed else self._unwritten(target.stem, error)
        except OSError as error:
            file = self._unwritten(target.stem, error)
        except UsageError as error:  # a proxy that no link can be reached through
            self.stop(error)
            file = _failed("not_saved", error.message)
        except Stopped:
            file = self._stopped(target)
        with self._gate:
            keep(file)
        return file

    def _settle(self, target: "_Target", file: File, keep: Callable[[File], None]) -> None:
        """Hand over what is saved, and remember it."""
        keep(file)
        if self._archive is not None:
            try:
                self._archive.add(*target.output)
            except OSError as error:
                self.stop(self._archive.error(error))

    def refuse(self, path: Path, error: OSError, name: str) -> File:
        """Return what it means, and say, that `path` beside an output cannot be written."""
        file = self._unwritten(path, error)
        self._progress.ended(path, file, name)
        return file

    def stop(self, reason: FluxError | None = None) -> None:
        """Save no more, and leave nothing behind of what is on its way."""
        with self._lock:
            self._is_stopped = True
            self.stopped_by = self.stopped_by or reason
            for path in self._parts:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        self._hosts.stop()

    def close(self) -> None:
        """Stop, and wait until what has become of every output is settled."""
        self.stop()
        self._gate.close()
        with self._lock:
            self._sync_folders()
        if self._archive is not None:
            self._archive.close()

    def _unwritten(self, path: Path, error: OSError) -> File:
        """Return why `path` is not saved, and stop where nothing else could be either."""
        reason = _unwritable(Path(error.filename2 or path), error)
        if error.errno in _DISK_FAILS:
            self.stop(reason)
        elif not os.path.isdir(self._root):  # noqa: PTH112 - which is false, too, for any trouble
            self.stop(OutputError(f"{self._folder}: the folder no longer exists"))
        elif not os.access(self._root, os.W_OK | os.X_OK) and self._is_below_root(path):
            self.stop(_unwritable(self._folder, error))
        return _failed("not_saved", reason.message)

    def _is_below_root(self, path: Path) -> bool:
        """Tell whether something would have to be made in the folder itself for `path`."""
        return path.parent == self._folder or not os.path.isdir(path.parent)  # noqa: PTH112

    def _stopped(self, target: "_Target") -> File:
        """Return why an output is not saved that others or the user have put an end to."""
        if self.stopped_by is not None:
            return _failed("not_saved", f"stopped: {self.stopped_by.message}")
        reason = self._hosts.reason(target.url)
        return _failed("not_saved", reason.message if reason is not None else "interrupted")

    def _target(self, task: Task, number: int) -> "_Target":
        paths = self._template.paths(task, number)
        return _Target(
            task.outputs[number - 1].url,
            {media: os.path.join(self._folder, self._hide(paths[media])) for media in Media},  # noqa: PTH118 - made for each file, and seldom needed
            (task.id, number),
        )

    def _archived(self, target: "_Target") -> File | None:
        """Return what there is to say of an output that was saved before, wherever it is now."""
        if self._archive is None or target.output not in self._archive:
            return None
        return File(None, None, None, is_new=False)

    def _kept(self, target: "_Target") -> File | None:
        if self._policy.overwrite or not (existing := target.existing()):
            return None
        path = existing[0]
        remove_leftover(partial_path(path.with_suffix("")))
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                size = stream.tell()
        except OSError as error:
            raise DownloadError(
                f"{path}: exists but cannot be read: {error.strerror}", code="not_saved"
            ) from None
        return File(str(path), size, digest, is_new=False)

    def _saved(self, target: "_Target", keep: Callable[[File], None]) -> File:
        stem = target.stem
        if stem.parent != self._folder:
            stem.parent.mkdir(parents=True, exist_ok=True)
            if not stem.parent.resolve().is_relative_to(self._root):
                raise DownloadError(f"{stem.parent} leads outside the folder", code="outside")
        end = self._clock() + self._policy.file_timeout
        part_path = partial_path(stem)
        with self._lock:
            self._parts.add(part_path)
        try:
            part = PartialFile(part_path, wait=lambda seconds: self._wait(seconds, end))
            try:
                if file := self._kept(target):  # another process was faster
                    with self._gate:
                        self._settle(target, file, keep)
                    return file
                self._fetch.into(part, stem, target.url, pause=lambda: self._wait(0.0, end))
                return self._finished(part, target, keep)
            finally:
                part.abort()
        finally:
            with self._lock:
                self._parts.discard(part_path)

    def _finished(self, part: PartialFile, target: "_Target", keep: Callable[[File], None]) -> File:
        if part.media is None:
            raise ValueError("a whole file is of a known kind")
        path = target.path(part.media)
        existing = target.existing() if self._policy.overwrite else []
        file = File(str(path), part.size, part.digest, is_new=True)
        part.sync()  # which may take a while, and is not to be waited for
        with self._gate:
            part.finish(path)
            self._settle(target, file, keep)
        with self._lock:
            self._unsynced.add(path.parent)
            if len(self._unsynced) > _MOST_UNSYNCED:
                self._sync_folders()
        for other in existing:  # of another kind, under the same name: it has been replaced
            if other != path:
                with contextlib.suppress(OSError):
                    other.unlink(missing_ok=True)
        return file

    def _sync_folders(self) -> None:
        """Bring the names of files to the disk; one that is not there is whole all the same."""
        for folder in self._unsynced:
            with contextlib.suppress(OSError):
                sync_folder(folder)
        self._unsynced.clear()

    def _wait(self, seconds: float, end: float) -> None:
        """Sleep, unless it is time to stop."""
        if self._is_stopped:
            raise Stopped
        if self._clock() > end:
            raise DownloadError(
                f"it timed out after {self._policy.file_timeout:g} seconds (--file-timeout)",
                code="too_slow",
            )
        if seconds:
            self._sleep(seconds)


def _failed(code: str, message: str) -> File:
    return File(None, None, None, is_new=False, error=TaskError(code, message))


def _unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    reason = (isinstance(error, OSError) and error.strerror) or "not a valid file name"
    return OutputError(f"{path}: cannot be written: {reason}", hint="Choose another folder")
