"""How a download goes: bars on a terminal, a line for each file anywhere else, on stderr."""

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from rich.filesize import decimal

from flux_cli import interrupts
from flux_cli.models.summary import FileCounts
from flux_cli.models.task import File
from flux_cli.output.sanitize import one_line
from flux_cli.output.terminal import ECHO, Stderr


_LONGEST_NAME = 200  # characters
_STEP = 1 << 18  # bytes between two updates of a bar


class Progress:
    """Hears of files from several threads, of tasks from one; shows nothing. A context manager."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave a clean screen behind."""

    def moved(self, path: Path, size: int, total: int | None) -> None:
        """`size` of `total` bytes of a file are here."""

    def ended(self, path: Path, file: File, name: str) -> None:
        """A file is done with."""

    def advanced(self, tasks: int) -> None:
        """So many tasks more are done with."""


class Silence(Progress):
    """Says what fails, through `say`, and nothing else: where another view has the screen."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def ended(self, path: Path, file: File, name: str) -> None:
        del path
        if file.error is not None:
            self._say(failure_line(file, name))


class LineProgress(Progress):
    """A line for each file that is done with."""

    def __init__(self, stderr: Stderr) -> None:
        self._stderr = stderr
        self._lock = threading.Lock()

    def ended(self, path: Path, file: File, name: str) -> None:
        del path
        with self._lock:
            if file.error is not None:
                self._stderr.line(failure_line(file, name))
            elif not file.is_archived:
                verb = "saved" if file.is_new else "kept"
                self._stderr.note(f"{verb} {file.path} ({format_size(file.size or 0)})")


class BarProgress(Progress):
    """A bar for the whole and one for each file on its way; what fails is said above them."""

    def __init__(self, stderr: Stderr, *, total: int) -> None:
        """`total` is the number of tasks."""
        from rich.console import Console
        from rich.progress import BarColumn, TaskID, TextColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        self._console = Console(
            file=stderr.text,
            width=stderr.columns - ECHO,
            force_terminal=True,
            color_system="standard",
            no_color=not stderr.has_colours,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )
        name = Column(no_wrap=True, overflow="ellipsis", ratio=2)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TextColumn("{task.fields[facts]}", markup=False, table_column=Column(no_wrap=True)),
            console=self._console,
            transient=True,
            expand=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=8,
        )
        self._stderr = stderr
        self._total = total
        self._done = self._bytes = 0
        self._all = self._bars.add_task(f"0 of {total:,} tasks", total=total, facts="")
        self._files: dict[Path, tuple[TaskID, int]] = {}  # its bar, and its bytes so far
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(interrupts.cleaned_up(self._stderr.show_cursor))
            stack.enter_context(interrupts.suspended_by(self._suspend))
            stack.callback(self._bars.stop)
            self._bars.start()
            self._closing = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def _suspend(self) -> None:
        self._bars.stop()
        interrupts.stop_here()
        self._bars.start()

    def moved(self, path: Path, size: int, total: int | None) -> None:
        with self._lock:
            if 0 < size - self._files.get(path, (None, -_STEP))[1] < _STEP:
                return
            if path not in self._files:
                name = one_line(path.name, _LONGEST_NAME)
                self._files[path] = self._bars.add_task(name, total=None, facts=""), 0
            bar, before = self._files[path]
            self._files[path] = bar, size
            self._bytes += max(0, size - before)
            self._bars.update(bar, completed=size, total=total, facts=format_size(size))
            self._tell_bytes()

    def ended(self, path: Path, file: File, name: str) -> None:
        with self._lock:
            if path in self._files:
                self._bars.remove_task(self._files.pop(path)[0])
            if file.error is not None:
                lines = self._stderr.wrapped(self._stderr.sanitized(failure_line(file, name)))
                self._console.print("\n".join(lines), soft_wrap=True)

    def advanced(self, tasks: int) -> None:
        with self._lock:
            self._done += tasks
            text = f"{self._done:,} of {self._total:,} tasks"
            self._bars.update(self._all, completed=self._done, description=text)

    def _tell_bytes(self) -> None:
        self._bars.update(self._all, facts=format_size(self._bytes))


def failure_line(file: File, name: str) -> str:
    """Return the line about an output that was not saved."""
    return f"flux: {name}: not saved: {file.error.message if file.error else ''}"


def download_summary(
    counts: FileCounts, folder: Path, page: Path | None = None, *, seconds: float | None = None
) -> str:
    """Return one line about the files in `folder`, and the `page` that shows them.

    Without `seconds` it tells no rate, which says nothing where most of the
    time was spent waiting.
    """
    noun = "file" if counts.saved == 1 else "files"
    parts = [f"saved {counts.saved:,} {noun}"]
    if counts.saved:
        rate = ""
        if seconds is not None:
            seconds = max(0.001, seconds)
            rate = f" in {seconds:.1f} s, {format_size(round(counts.size / seconds))}/s"
        parts[0] += f" ({format_size(counts.size)}{rate})"
    parts[0] += f" in {folder}"
    if counts.kept:
        parts.append(f"kept {counts.kept:,} existing")
    if counts.archived:
        parts.append(f"skipped {counts.archived:,} in the archive")
    if counts.expired:
        parts.append(f"{counts.expired:,} expired")
    if counts.failed or counts.unfinished:
        parts.append(f"{counts.failed + counts.unfinished:,} not saved")
    if page is not None:
        parts.append(f"to see them, open {page}")
    return "; ".join(parts)


def format_size(size: int) -> str:
    """Return bytes as "812 bytes", "1.2 MB"."""
    return decimal(size)
