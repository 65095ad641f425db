"""What `download` and `watch --download` share: saving outputs, and what goes with them."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from flux_cli.commands.file_options import FileOptions
from flux_cli.engine.downloader import Downloader
from flux_cli.engine.session import Session
from flux_cli.models.task import File, Task
from flux_cli.output.gallery import ContactSheet
from flux_cli.output.machine import encode_record
from flux_cli.output.progress import Progress, format_size
from flux_cli.output.records import as_record
from flux_cli.runtime import Runtime
from flux_cli.storage.atomic import partial_path, remove_leftover, whole_file


class DownloadReport:
    """Saves outputs from several threads, and notes in one what became of each task."""

    def __init__(
        self,
        runtime: Runtime,
        folder: Path,
        files: FileOptions,
        downloader: Downloader,
        sheet: ContactSheet | None,
    ) -> None:
        self._runtime = runtime
        self._folder = folder
        self._files = files
        self._downloader = downloader
        self._sheet = sheet
        self._started = runtime.clock()
        self._saved = self._bytes = self._kept = self._expired = self._failed = 0
        self.unfinished = 0  # files that there was no time for
        self.save = downloader.save

    @property
    def has_failed(self) -> bool:
        """Whether anything that should have been saved was not."""
        return bool(self._failed or self._expired)

    def note(self, task: Task) -> None:
        """Count the files of `task`, and write what goes beside them."""
        for output in task.outputs:
            if output.file is None:
                continue
            self._count(output.file)
            if self._files.sidecar and output.file.path is not None:
                # with this output alone: a task may have a thousand
                own = replace(task, outputs=(output,))
                self._write_sidecar(Path(output.file.path).with_suffix(".json"), own)
        if self._sheet is not None:
            self._sheet.add(task)

    def close(self) -> None:
        """Save no more; what is on its way is removed."""
        self._downloader.close()

    def finish(self, *, tells_rate: bool = True) -> None:
        """Write the contact sheet, and say how it went. Raises OutputError and UsageError.

        The rate says nothing where most of the time was spent waiting.
        """
        if self._sheet is not None:
            self._sheet.write()
        seconds = max(0.001, self._runtime.clock() - self._started)
        noun = "file" if self._saved == 1 else "files"
        parts = [f"saved {self._saved:,} {noun}"]
        if self._saved:
            rate = f" in {seconds:.1f} s, {format_size(round(self._bytes / seconds))}/s"
            parts[0] += f" ({format_size(self._bytes)}{rate if tells_rate else ''})"
        parts[0] += f" in {self._folder}"
        if self._kept:
            parts.append(f"kept {self._kept:,} that were there")
        if self._expired:
            parts.append(f"{self._expired:,} expired")
        if self._failed or self.unfinished:
            parts.append(f"{self._failed + self.unfinished:,} not saved")
        self._runtime.stderr.note("; ".join(parts))
        if self._downloader.stopped_by is not None:
            raise self._downloader.stopped_by

    def _count(self, file: File) -> None:
        if file.error is not None and file.error.code == "timed_out":
            self.unfinished += 1
        elif file.error is not None:
            is_expired = file.error.code == "expired"
            self._expired += is_expired
            self._failed += not is_expired
        elif file.is_new:
            self._saved += 1
            self._bytes += file.size or 0
        else:
            self._kept += 1

    def _write_sidecar(self, path: Path, task: Task) -> None:
        try:
            if path.is_file() and not self._files.overwrite:
                remove_leftover(partial_path(path))
                return
            with whole_file(path) as stream:
                stream.write(f"{encode_record(as_record(task))}\n".encode())
        except OSError as error:
            self._count(self._downloader.refuse(path, error, f"{task.id}, sidecar"))


@contextlib.contextmanager
def open_report(
    runtime: Runtime, session: Session, folder: Path, files: FileOptions, progress: Progress
) -> Iterator[DownloadReport]:
    """Make ready to save files in `folder`. Raises OutputError, UsageError."""
    downloader = session.downloader(folder, files, progress)
    sheet = None
    if files.contact_sheet:
        sheet = ContactSheet(folder, sleep=runtime.sleep)
    try:
        yield DownloadReport(runtime, folder, files, downloader, sheet)
    finally:
        downloader.close()
        if sheet is not None:
            sheet.close()
