"""The card: everything about one task, in words, as wide as the window."""

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from flux_cli.models.state import State
from flux_cli.models.task import Output, Task
from flux_cli.output.next_steps import next_step
from flux_cli.output.rows import NO_ID
from flux_cli.output.sanitize import sanitize, web_url
from flux_cli.output.table import Drawing
from flux_cli.output.terminal import Stdout
from flux_cli.output.times import format_age, format_duration


_GAP = 2  # columns between a label and what it is for
_INDENT = 2  # columns, where labels stand above
_LEAST_BESIDE_LABELS = 60  # columns of a window
Fact = tuple[str, Text]


class CardWriter:
    """Writes a card for each task; `show_pictures` follows each with what the task made."""

    def __init__(
        self,
        stdout: Stdout,
        *,
        now: Callable[[], float],
        program: str,
        show_pictures: Callable[[Task], None] | None = None,
    ) -> None:
        """`now` is Unix time in seconds, `program` what a user types to call flux."""
        self._stdout = stdout
        self._drawing = Drawing(stdout)
        self._now = now
        self._program = program
        self._show_pictures = show_pictures
        self._is_first = True

    def write(self, tasks: Iterable[Task]) -> int:
        """Write a card for each of `tasks`, with an empty line between two."""
        count = 0
        for task in tasks:
            text = self._card(task)
            self._stdout.write_text(text if self._is_first else f"\n{text}")
            self._is_first = False
            if self._show_pictures is not None:
                self._show_pictures(task)
            count += 1
        return count

    def close(self) -> None:
        pass

    def _card(self, task: Task) -> str:
        """Return the card; links and commands, which are to be copied, are never broken."""
        step = next_step(task, self._program, ascii_only=not self._stdout.speaks_unicode)
        facts = [*self._facts(task), ("next", Text(step.text))]
        labels = max(len(label) for label, _ in facts)
        is_wide = self._stdout.columns >= _LEAST_BESIDE_LABELS
        indent = labels + _GAP if is_wide else _INDENT
        head = Text.assemble(self._drawing.state(task.state), "  ", Text(task.id or NO_ID))
        if head.cell_len > self._stdout.columns:
            head = Text("\n").join([self._drawing.state(task.state), Text(task.id or NO_ID)])
        head.overflow = "fold"
        written = io.StringIO()
        console = self._drawing.console(written)
        console.print(head)
        for label, text in facts:
            first = text.plain.partition("\n")[0]
            link = first if label.startswith("output") and web_url(first) else ""
            console.width = max(self._stdout.columns, indent + len(link))
            row = self._beside if is_wide else self._below
            console.print(row(label, text, labels, console.width))
        lines = [line.rstrip() for line in written.getvalue().rstrip("\n").split("\n")]
        lines += [f"{' ' * indent}{command}" for command in step.commands]
        return "".join(f"{line}\n" for line in lines)

    def _beside(self, label: str, text: Text, labels: int, width: int) -> RenderableType:
        grid = Table.grid(padding=(0, _GAP, 0, 0))
        grid.add_column(width=labels, style="dim", no_wrap=True)
        grid.add_column(max_width=width - labels - _GAP, overflow="fold")
        grid.add_row(label, text)
        return grid

    def _below(self, label: str, text: Text, labels: int, width: int) -> RenderableType:
        """Draw the label above what is too long to stand beside it.

        Only labels stand at the left edge: wrapped text cannot pass for another fact.
        """
        beside = Text.assemble((label.ljust(labels + _GAP), "dim"), text)
        if beside.cell_len <= width and "\n" not in beside.plain:
            return beside
        text.overflow = "fold"
        return Group(Text(label, style="dim"), Padding(text, (0, 0, 0, _INDENT), expand=False))

    def _facts(self, task: Task) -> Iterator[Fact]:
        yield from _known("prompt", task.prompt)
        yield from _known("model", task.model)
        yield from _known("size", task.size)
        yield from _known("action", task.action)
        if task.labels:
            lines = (sanitize(f"{name}: {text}") for name, text in task.labels.items())
            yield "labels", Text("\n".join(lines))
        yield from self._times(task)
        if task.cost is not None:
            unit = sanitize(task.cost.currency or "")
            yield "cost", Text(f"{task.cost.amount:g} {unit}".rstrip())
        for number, output in enumerate(task.outputs, 1):
            label = "output" if len(task.outputs) == 1 else f"output {number}"
            yield label, self._output(output)
        if task.error is not None:
            words = ": ".join(filter(None, (task.error.code, task.error.message)))
            yield "error", Text(_paragraphs(words))
        yield from _known("trace id", task.trace_id)

    def _times(self, task: Task) -> Iterator[Fact]:
        """Yield when it was submitted, how long each phase took, and when it ended."""
        now = self._now()
        if task.created_at is not None:
            yield "submitted", _moment(task.created_at, now)
            since, is_over = task.started_at, task.started_at is not None
            if not is_over and task.state.is_running:
                since = now
            if since is not None:
                yield "waited", _lasted(since - task.created_at, is_over=is_over)
        if task.elapsed is not None:
            yield "ran", _lasted(task.elapsed, is_over=True)
        elif task.started_at is not None and task.state is State.PROCESSING:
            yield "runs", _lasted(now - task.started_at, is_over=False)
        if task.finished_at is not None:
            yield "finished", _moment(task.finished_at, now)

    def _output(self, output: Output) -> Text:
        link = web_url(output.url)
        has_link = link is not None and self._stdout.has_styles
        text = Text(link or sanitize(output.url), Style(link=link) if has_link else "")
        sizes = (output.width, output.height)
        facts = [
            output.kind,
            " x ".join(f"{size:g}" for size in sizes if size is not None) if all(sizes) else "",
            format_duration(output.seconds),
            f"seed {output.seed}" if output.seed is not None else "",
        ]
        return Text.assemble(text, "\n", (", ".join(filter(None, facts)), "dim"))


def _known(label: str, text: str | None) -> Iterator[Fact]:
    if text is not None:
        yield label, Text(_paragraphs(text))


def _paragraphs(text: str) -> str:
    """Return `text` safe to show, in the lines that it has."""
    return "\n".join(sanitize(line) for line in text.splitlines())


def _moment(seconds: float, now: float) -> Text:
    local = datetime.fromtimestamp(seconds, UTC).astimezone()
    moment, age = f"{local:%Y-%m-%d %H:%M:%S %Z}", format_age(seconds, now)
    return Text(moment if age in moment else f"{moment}, {age}")  # that of an old one is its date


def _lasted(seconds: float, *, is_over: bool) -> Text:
    return Text(f"{format_duration(max(0.0, seconds))}{'' if is_over else ' so far'}")
