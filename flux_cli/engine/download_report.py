"""What became of the files of many tasks, and what is written beside them."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from flux_cli import interrupts
from flux_cli.engine.downloader import Downloader
from flux_cli.models.summary import FileCounts
from flux_cli.models.task import Task
from flux_cli.storage.atomic import partial_path, remove_leftover, whole_file


class Sheet(Protocol):
    """A page that shows the tasks: what `output.gallery.ContactSheet` is."""

    def add(self, task: Task) -> None:
        """Take in a task."""

    def write(self) -> None:
        """Write the page. Raises OutputError and UsageError."""


class DownloadReport:
    """Saves outputs from several threads, and notes in one what became of each task."""

    def __init__(
        self,
        downloader: Downloader,
        *,
        sheet: Sheet | None = None,
        encode: Callable[[Task], bytes] | None = None,
        overwrite: bool = False,
    ) -> None:
        """`encode` makes the record that is written beside each file; without it there is none.

        With `overwrite` one that is there is replaced.
        """
        self._downloader = downloader
        self._sheet = sheet
        self._encode = encode
        self._overwrite = overwrite
        self.counts = FileCounts()
        self.save = downloader.save

    def note(self, task: Task) -> None:
        """Count the files of `task`, and write what goes beside them."""
        for output in task.outputs:
            if output.file is None:
                continue
            self.counts.add(output.file)
            if self._encode is not None and output.file.path is not None:
                # with this output alone: a task may have a thousand
                own = task._replace(outputs=(output,))
                path = Path(output.file.path).with_suffix(".json")
                self._write_sidecar(path, own, self._encode)
        if self._sheet is not None:
            self._sheet.add(task)

    def close(self) -> None:
        """Save no more; what is on its way is removed."""
        self._downloader.close()

    def finish(self, print_summary: Callable[[FileCounts], None]) -> None:
        """Write the contact sheet, then the summary. Raises OutputError and UsageError."""
        if self._sheet is not None:
            self._sheet.write()
        print_summary(self.counts)
        if self._downloader.stopped_by is not None:
            raise self._downloader.stopped_by

    def _write_sidecar(self, path: Path, task: Task, encode: Callable[[Task], bytes]) -> None:
        try:
            if path.is_file() and not self._overwrite:
                remove_leftover(partial_path(path))
                return
            with whole_file(path, waits_for_disk=interrupts.noted() is None) as stream:
                stream.write(encode(task))
        except OSError as error:
            self.counts.add(self._downloader.refuse(path, error, f"{task.id}, sidecar"))
