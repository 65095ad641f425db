"""The status table: aligned to the window, streamed, and readable in a narrow one."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from flux_cli.models.state import State
from flux_cli.models.task import Output, Task
from flux_cli.output.sanitize import one_line, web_url
from flux_cli.output.terminal import UNLIMITED, Stdout
from flux_cli.output.times import format_age, format_duration


_LOOKS = {  # symbol, its ASCII stand-in, style
    State.PENDING: ("○", ".", "default"),
    State.PROCESSING: ("◐", "~", "cyan"),
    State.SUCCEEDED: ("✓", "+", "green"),
    State.FAILED: ("✗", "x", "red"),
    State.NOT_FOUND: ("∅", "?", "yellow"),
    State.UNKNOWN: ("!", "!", "magenta"),
}
_FIRST_ROWS = 200  # rows that decide about the widths; later ones stream out in the same ones
_GAP = 2
_STATE_WIDTH = max(len(state) for state in State) + 2
_RESULT_LEAST, _RESULT_FAIR, _RESULT_MOST = 14, 20, 200
_PROMPT_LEAST, _PROMPT_MOST = 12, 200
_ERROR_LINES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One task in words; every text is safe to show. `link` is what `result` opens."""

    state: State
    id: str
    model: str
    created: str
    took: str
    result: str
    link: str | None
    prompt: str


def make_row(task: Task, now: float, *, full_urls: bool) -> Row:
    """Put `task` into words. With `full_urls` the result is the URL and not its last part."""
    took = task.elapsed
    if took is None and task.state is State.PROCESSING and task.started_at is not None:
        took = max(0.0, now - task.started_at)
    link = _link(task.outputs[0]) if task.outputs else None
    return Row(
        state=task.state,
        id=task.id,
        model=one_line(task.model or "", 24),
        created=format_age(task.created_at, now),
        took=format_duration(took),
        result=_result(task, link, full_urls=full_urls),
        link=link,
        prompt=one_line(task.prompt or "", 500),
    )


def _result(task: Task, link: str | None, *, full_urls: bool) -> str:
    if task.error is not None:
        return one_line(": ".join(filter(None, (task.error.code, task.error.message))), 500)
    if not task.outputs:
        return ""
    if result := _saved(task.outputs):
        return one_line(result, 2000)
    url = one_line(link or task.outputs[0].url, 2000)
    name = url if full_urls else url.partition("?")[0].rstrip("/").rpartition("/")[2] or url
    more = len(task.outputs) - 1
    return f"{name} +{more}" if more else name


def _link(output: Output) -> str | None:
    """Return what opens the file that was to be saved, else what opens the output where it is."""
    if output.file is None:
        return web_url(output.url)
    return Path(output.file.path).absolute().as_uri() if output.file.path else None


def _saved(outputs: Sequence[Output]) -> str:
    """Say where the files are, or why the first of those that were not saved was not."""
    files = [output.file for output in outputs if output.file is not None]
    for file in files:
        if file.error is not None:
            return f"not saved: {file.error.message}"
    more = f" +{len(files) - 1}" if len(files) > 1 else ""
    return f"{files[0].path}{more}" if files else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """The width of each column in characters; a column without one is left out.

    `columns` is empty where not even state, id and result fit side by side.
    """

    columns: tuple[tuple[str, int], ...]

    @classmethod
    def fit(cls, rows: Sequence[Row], width: int, *, has_results: bool = False) -> "Layout":
        """Share `width` out: state and id always, then result; the prompt takes what is left.

        `has_results` keeps room for results that are still to come.
        """
        natural = {
            name: max((cell_len(getattr(row, name)) for row in rows), default=0)
            for name in ("id", "model", "created", "took", "result", "prompt")
        }
        natural["id"] = max(natural["id"], len("id"))
        if has_results:
            natural["result"] = max(natural["result"], _RESULT_FAIR)
        free = width - _STATE_WIDTH - _GAP - natural["id"]
        result = min(_RESULT_FAIR, max(_RESULT_LEAST, natural["result"]))
        if free < _GAP + _RESULT_LEAST:
            return cls(())
        free -= _GAP + _RESULT_LEAST
        widths = {"state": _STATE_WIDTH, "id": natural["id"], "result": _RESULT_LEAST}
        grown = min(result - _RESULT_LEAST, free)
        widths["result"] += grown
        free -= grown
        for name in ("took", "created", "model"):
            needed = _GAP + max(natural[name], len(name))
            if natural[name] and needed <= free:
                widths[name] = needed - _GAP
                free -= needed
        share = free // 2 if natural["prompt"] else free
        grown = max(0, min(natural["result"], _RESULT_MOST, widths["result"] + share))
        free -= max(0, grown - widths["result"])
        widths["result"] = max(widths["result"], grown)
        if natural["prompt"] and free >= _GAP + _PROMPT_LEAST:
            longest = min(natural["prompt"], _PROMPT_MOST)
            widths["prompt"] = min(free - _GAP, max(longest, len("prompt")))
        order = ("state", "id", "model", "created", "took", "result", "prompt")
        return cls(tuple((name, widths[name]) for name in order if name in widths))


class Drawing:
    """Draws rows for one stdout: with its width, its styles and its alphabet."""

    def __init__(self, stdout: Stdout, *, error_lines: int = _ERROR_LINES) -> None:
        """`error_lines` is how many lines the error of one task may take."""
        self._stdout = stdout
        self._error_lines = error_lines

    def console(self, file: IO[str]) -> Console:
        """Return a console that writes to `file` as if it were this stdout."""
        return Console(
            file=file,
            width=self._stdout.columns,
            force_terminal=self._stdout.has_styles,
            color_system="standard" if self._stdout.has_styles else None,
            no_color=not self._stdout.has_colours,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
        )

    def rows(self, layout: Layout, rows: Sequence[Row], *, header: bool) -> RenderableType:
        """Return `rows` side by side where they fit, else one fact below the other."""
        if layout.columns:
            return self._grid(layout, rows, header=header)
        return Group(*(line for row in rows for line in self._stacked(row)))

    def _grid(self, layout: Layout, rows: Sequence[Row], *, header: bool) -> Table:
        grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=header)
        for name, width in layout.columns:
            wraps = name in ("id", "result")
            grid.add_column(
                name.upper(),
                width=width,
                no_wrap=not wraps,
                overflow="fold" if wraps else "ellipsis",
                header_style="bold",
            )
        for row in rows:
            cells = {
                "state": self.state(row.state),
                "id": Text(row.id),
                "model": Text(row.model),
                "created": Text(row.created, style="dim"),
                "took": Text(row.took),
                "result": self._result(row, dict(layout.columns).get("result", 0)),
                "prompt": Text(row.prompt, style="dim"),
            }
            grid.add_row(*(cells[name] for name, _ in layout.columns))
        return grid

    def _stacked(self, row: Row) -> Iterable[RenderableType]:
        """Yield the lines of one task for a window that is too narrow for columns.

        Only the state stands at the left edge: wrapped text cannot pass for a row.
        """
        width = self._stdout.columns
        facts = [fact for fact in (row.took, row.created) if fact]
        yield Text.assemble(self.state(row.state), ("".join(f" · {fact}" for fact in facts), "dim"))
        lines = [Text(row.id, overflow="fold")]
        if row.result:
            lines.append(self._result(row, width - _GAP))
        if row.prompt:
            lines.append(Text(row.prompt, style="dim", no_wrap=True, overflow="ellipsis"))
        yield from (Padding(line, (0, 0, 0, _GAP), expand=False) for line in lines)

    def state(self, state: State) -> Text:
        """Return symbol and word of a state."""
        symbol, stand_in, style = _LOOKS[state]
        mark = symbol if self._stdout.speaks_unicode else stand_in
        return Text(f"{mark} {state.value}", style=style)

    def _result(self, row: Row, width: int) -> Text:
        limit = max(1, width * (self._error_lines if row.link is None else 1))
        text = one_line(row.result, limit) if self._stdout.has_styles else row.result
        style = Style(link=row.link) if row.link and self._stdout.has_styles else Style()
        return Text(text, style=style, overflow="fold")


class TableWriter:
    """Writes rows as they come; the first 200 decide how wide the columns are."""

    def __init__(self, stdout: Stdout, *, now: float) -> None:
        self._stdout = stdout
        self._drawing = Drawing(stdout)
        self._now = now
        self._waiting: list[Row] = []
        self._layout: Layout | None = None

    def write(self, tasks: Iterable[Task]) -> int:
        full_urls = self._stdout.columns == UNLIMITED
        rows = [make_row(task, self._now, full_urls=full_urls) for task in tasks]
        self._waiting += rows
        if self._layout is not None or len(self._waiting) >= _FIRST_ROWS:
            self._flush()
        return len(rows)

    def close(self) -> None:
        self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        is_first = self._layout is None
        layout = self._layout or Layout.fit(self._waiting, self._stdout.columns)
        self._layout = layout
        text = io.StringIO()
        drawn = self._drawing.rows(layout, self._waiting, header=is_first)
        self._drawing.console(text).print(drawn)
        lines = (line.rstrip() for line in text.getvalue().split("\n"))
        self._stdout.write_text("\n".join(lines))
        self._waiting = []
