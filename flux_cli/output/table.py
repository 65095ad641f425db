"""The status table: aligned to the window, streamed, and readable in a narrow one."""

import io
from collections.abc import Iterable, Sequence
from typing import IO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.layout import GAP, Layout
from flux_cli.output.rows import Row, make_row
from flux_cli.output.sanitize import one_line
from flux_cli.output.terminal import UNLIMITED, Stdout


_LOOKS = {  # symbol, its ASCII stand-in, style
    State.PENDING: ("○", ".", "default"),
    State.PROCESSING: ("◐", "~", "cyan"),
    State.SUCCEEDED: ("✓", "+", "green"),
    State.FAILED: ("✗", "x", "red"),
    State.NOT_FOUND: ("∅", "?", "yellow"),
    State.UNKNOWN: ("!", "!", "magenta"),
}
_FIRST_ROWS = 200  # rows that decide about the widths; later ones stream out in the same ones
_ERROR_LINES = 3


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

    def _grid(self, layout: Layout, rows: Sequence[Row], *, header: bool) -> RenderableType:
        """Draw `rows` in columns; an error that is too long for its column stands below its row."""
        widths = dict(layout.columns)
        parts: list[RenderableType] = []
        grid = self._columns(layout, header=header)
        for row in rows:
            is_below = row.link is None and cell_len(row.result) > widths["result"]
            cells = {
                "state": self.state(row.state),
                "id": Text(row.id),
                "prompt": Text(row.prompt, style="dim"),
                "model": Text(row.model),
                "created": Text(row.created, style="dim"),
                "took": Text(row.took),
                "result": Text() if is_below else self._result(row, widths["result"]),
            }
            grid.add_row(*(cells[name] for name in widths))
            if is_below:
                indent = widths["state"] + GAP
                text = self._result(row, self._stdout.columns - indent)
                parts += [grid, Padding(text, (0, 0, 0, indent), expand=False)]
                grid = self._columns(layout, header=False)
        return Group(*parts, grid) if grid.row_count or header else Group(*parts)

    def _columns(self, layout: Layout, *, header: bool) -> Table:
        grid = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=header)
        for name, width in layout.columns:
            wraps = name in ("id", "result")
            grid.add_column(
                name.upper(),
                width=width,
                no_wrap=not wraps,
                overflow="fold" if wraps else "ellipsis",
                header_style="bold",
            )
        return grid

    def _stacked(self, row: Row) -> Iterable[RenderableType]:
        """Yield the lines of one task for a window that is too narrow for columns.

        Only the state stands at the left edge: wrapped text cannot pass for a row.
        """
        width = self._stdout.columns
        facts = [fact for fact in (row.took, row.created) if fact]
        yield Text.assemble(self.state(row.state), ("".join(f" · {fact}" for fact in facts), "dim"))
        lines = [Text(row.id, overflow="fold")]
        if row.prompt:
            lines.append(Text(row.prompt, style="dim", no_wrap=True, overflow="ellipsis"))
        if row.result:
            lines.append(self._result(row, width - GAP))
        yield from (Padding(line, (0, 0, 0, GAP), expand=False) for line in lines)

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

    def __init__(self, stdout: Stdout, *, now: float, shows_age: bool = False) -> None:
        """With `shows_age` it is told how long ago a task was created, where there is room."""
        self._stdout = stdout
        self._drawing = Drawing(stdout)
        self._now = now
        self._shows_age = shows_age
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
        if not self._waiting or self._stdout.is_given_up:
            return  # nobody would read it, and drawing takes time
        is_first = self._layout is None
        layout = self._layout or Layout.fit(
            self._waiting,
            self._stdout.columns,
            has_more=len(self._waiting) >= _FIRST_ROWS,
            shows_age=self._shows_age,
        )
        self._layout = layout
        text = io.StringIO()
        drawn = self._drawing.rows(layout, self._waiting, header=is_first)
        self._drawing.console(text).print(drawn)
        lines = (line.rstrip() for line in text.getvalue().split("\n"))
        self._stdout.write_text("\n".join(lines))
        self._waiting = []
