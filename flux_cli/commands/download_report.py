"""What `download` and `watch --download` share: saving outputs, and what goes with them."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from flux_cli.api.throttle import Throttle
from flux_cli.config.settings import BaseUrl
from flux_cli.engine.downloader import Downloader, DownloadRules
from flux_cli.models.file_names import NameTemplate
from flux_cli.models.task import File, Task
from flux_cli.output.gallery import ContactSheet
from flux_cli.output.machine import encode_record
from flux_cli.output.progress import Progress, format_size
from flux_cli.output.records import as_record
from flux_cli.runtime import Runtime
from flux_cli.storage.atomic import partial_path, remove_leftover, whole_file


@dataclass(frozen=True, slots=True)
class SavingOptions:
    """How outputs of the service at `base_url` are saved; sizes in bytes, times in seconds."""

    base_url: BaseUrl
    folder: Path
    template: NameTemplate
    overwrites: bool = False
    max_size: int = 200_000_000
    file_timeout: float = 1800.0
    has_sidecars: bool = False
    has_contact_sheet: bool = False
    workers: int = 8
    request_timeout: float = 30.0
    retries: int = 3
    debug: bool = False


class Saving:
    """Saves outputs from several threads, and notes in one what became of each task."""

    def __init__(
        self,
        runtime: Runtime,
        options: SavingOptions,
        downloader: Downloader,
        sheet: ContactSheet | None,
    ) -> None:
        self._runtime = runtime
        self._options = options
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
            if self._options.has_sidecars and output.file.path is not None:
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
        parts[0] += f" in {self._options.folder}"
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
            if path.is_file() and not self._options.overwrites:
                remove_leftover(partial_path(path))
                return
            with whole_file(path) as stream:
                stream.write(f"{encode_record(as_record(task))}\n".encode())
        except OSError as error:
            self._count(self._downloader.refuse(path, error, f"{task.id}, sidecar"))


@contextlib.contextmanager
def open_saving(runtime: Runtime, options: SavingOptions, progress: Progress) -> Iterator[Saving]:
    """Make ready to save files. Raises OutputError, UsageError."""
    with runtime.file_client(
        options.base_url,
        request_timeout=options.request_timeout,
        concurrency=options.workers,
        debug=options.debug,
    ) as client:
        downloader = Downloader(
            DownloadRules(
                folder=options.folder,
                template=options.template,
                overwrites=options.overwrites,
                max_size=options.max_size,
                file_timeout=options.file_timeout,
            ),
            client.open,
            throttle=lambda: Throttle(concurrency=options.workers, retries=options.retries),
            progress=progress,
            clock=runtime.clock,
            sleep=time.sleep,
        )
        sheet = None
        if options.has_contact_sheet:
            sheet = ContactSheet(options.folder, sleep=runtime.sleep)
        try:
            yield Saving(runtime, options, downloader, sheet)
        finally:
            downloader.close()
            if sheet is not None:
                sheet.close()


def read_template(text: str) -> NameTemplate:
    """Read what `--name` was given. Raises typer.BadParameter."""
    try:
        return NameTemplate(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}", param_hint="'--name'") from None
