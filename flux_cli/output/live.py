"""The live view of a watch: what stands where, now, on one calm screen."""

import bisect
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from rich.console import Group, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment
from rich.text import Text

from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.estimate import Estimate
from flux_cli.output.layout import Layout
from flux_cli.output.rows import Row, make_row
from flux_cli.output.sanitize import sanitize
from flux_cli.output.table import Drawing
from flux_cli.output.terminal import Stdout
from flux_cli.output.terminal_status import TerminalStatus
from flux_cli.output.times import format_duration, format_estimate


_SHOWN = 200  # running, failed and finished tasks that are kept to be shown, each
_LONGEST_TEXT = 500  # characters that are kept of a prompt or an error
_LONGEST_URL, _MOST_OUTPUTS = 4000, 100  # that are kept
_BAR_WIDTH = 60  # columns
_REPAINTS = 2  # a second


class LiveView:
    """Repaints itself while it is open; leaves nothing behind when it is closed.

    Shows the failed tasks first, then running ones, then the newest finished,
    as many as the window has room for.
    """

    def __init__(
        self,
        stdout: Stdout,
        *,
        total: int,
        now: Callable[[], float],
        clock: Callable[[], float],
        more: Callable[[], Iterable[Task]] = lambda: (),
    ) -> None:
        """`now` is Unix time, `clock` monotonic, both in seconds.

        `more` yields the running tasks anew, when too few are left of those
        that are kept.
        """
        self._stdout = stdout
        self._drawing = Drawing(stdout, error_lines=1)
        self._total = total
        self._now = now
        self._clock = clock
        self._more = more
        self._started = clock()
        self._next_poll: float | None = None
        self._answered_at = now()
        self._trouble = ""
        self._states: TaskCounts = TaskCounts()
        self._estimate = Estimate(total)
        self._running: dict[str, Task] = {}
        self._failed: deque[Task] = deque(maxlen=_SHOWN)
        self._done: deque[Task] = deque(maxlen=_SHOWN)
        self._lock = threading.Lock()  # the view is painted by a thread of its own
        self._is_paused = False
        self._console = self._drawing.console(stdout.text)
        self._status = TerminalStatus(stdout)
        self._is_open = False
        self._live = self._make_live()

    def open(self) -> None:
        """Show the view."""
        self._is_open = True
        self._live.start()

    def close(self) -> None:
        """Take the view away; the cursor is back. Closing twice does no harm."""
        self._live.stop()
        self._is_open = False
        self._send(self._status.reset())

    def restore(self) -> None:
        """Give the terminal back without waiting: the process ends in the middle of the view."""
        self._stdout.show_cursor(self._status.reset())

    def pause(self, during: Callable[[], None]) -> None:
        """Take the view away, do `during`, and show the view again."""
        if self._is_paused:
            during()
            return
        self._is_paused = True
        self.close()
        during()
        self._live = self._make_live()
        self.open()
        self._is_paused = False

    def say(self, line: str) -> None:
        """Write a line above the view."""
        lines = self._stdout.wrapped(sanitize(line))
        self._console.print(Text("\n".join(lines)), soft_wrap=True)

    def changed(self, task: Task) -> None:
        """Take in a task that was seen for the first time, or in another state."""
        with self._lock:
            if task.previous_state is not None:
                self._states.by_state[task.previous_state] -= 1
            self._states.add([task])
            was_shown = self._running.pop(task.id, None) is not None
            if task.state.is_running:
                if was_shown or len(self._running) < _SHOWN:
                    self._running[task.id] = _brief(task)
            elif task.state is State.SUCCEEDED:
                self._done.appendleft(_brief(task))
            else:
                self._failed.appendleft(_brief(task))

    def polled(self, next_in: float, trouble: str) -> None:
        """Take in the end of a poll: seconds to the next one, and what went wrong."""
        with self._lock:
            self._next_poll = self._clock() + next_in
            self._trouble = trouble
            if not trouble:
                self._answered_at = self._now()
                self._estimate.observe(self._clock(), self._total - self._open())
            counts = self._states.by_state
            running = counts[State.PENDING] + counts[State.PROCESSING]
            if len(self._running) < min(running, self._stdout.lines):
                some = itertools.islice(self._more(), _SHOWN)
                self._running = {task.id: _brief(task) for task in some}

    def _make_live(self) -> Live:
        return Live(
            console=self._console,
            get_renderable=self._refreshed,
            refresh_per_second=_REPAINTS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )

    def _refreshed(self) -> RenderableType:
        if self._is_open:
            with self._lock:
                done = self._total - self._open()
            self._send(self._status.show(done, self._total))
        return self.paint()

    def _send(self, codes: str) -> None:
        """Send codes that move nothing, between two frames."""
        if codes:
            control = Control()
            control.segment = Segment(codes, None, [(ControlType.BELL,)])  # any: it has no width
            self._console.control(control)

    def paint(self) -> RenderableType:
        """Return the view as it is now, no higher than the window."""
        columns, lines = self._stdout.columns - 1, self._stdout.lines
        with self._lock:
            self._console.size = (columns, lines)
            head = self._head(columns)
            used = sum(len(part.wrap(self._console, columns)) for part in head) + 1
            failed = [*self._failed][:lines]
            others = [*itertools.islice(self._running.values(), lines), *self._done][:lines]
        body = self._body(failed, others, columns, lines - used - 2)
        # The cursor waits in a line of its own, where a terminal shows ^C.
        return Group(*head, self._bar(columns), *body, Text())

    def _head(self, columns: int) -> list[Text]:
        counts = self._states.by_state
        done = self._total - self._open()
        facts = [Text(f"{done:,} of {self._total:,} done", style="bold")]
        for state in State:
            if counts[state] > 0:
                mark = self._drawing.state(state)
                facts.append(Text(f"{mark.plain[0]} {counts[state]:,} {state.value}", mark.style))
        if (unseen := self._unseen()) and self._next_poll is not None:
            what = "without an answer" if self._trouble else "not found yet"
            facts.append(Text(f"{unseen:,} {what}", style="yellow"))
        elapsed = self._clock() - self._started
        facts.append(Text(format_duration(elapsed, tenths=False), style="dim"))
        if self._next_poll is not None:
            left = max(0.0, self._next_poll - self._clock())
            facts.append(Text(f"next poll in {left:.0f}s" if left else "polling", style="dim"))
        if (rest := self._estimate.seconds_left(self._clock())) is not None:
            facts.append(Text(f"about {format_estimate(rest)} left", style="dim"))
        head = _in_lines(facts, columns)
        if self._trouble:
            age = format_duration(max(0.0, self._now() - self._answered_at), tenths=False)
            head.append(Text(sanitize(f"! {age} old: {self._trouble}"), style="yellow"))
        return head

    def _unseen(self) -> int:
        return self._total - sum(self._states.by_state[state] for state in State)

    def _open(self) -> int:
        counts = self._states.by_state
        return counts[State.PENDING] + counts[State.PROCESSING] + self._unseen()

    def _bar(self, columns: int) -> Text:
        width = min(columns, _BAR_WIDTH)
        filled = width * (self._total - self._open()) // self._total
        full, empty = ("━", "━") if self._stdout.speaks_unicode else ("#", "-")
        return Text.assemble((full * filled, "green"), (empty * (width - filled), "dim"))

    def _body(
        self, failed: Sequence[Task], others: Sequence[Task], columns: int, room: int
    ) -> list[RenderableType]:
        """Return as many rows as `room` lines hold, and how many tasks are not among them."""
        now = self._now()
        rows = [make_row(task, now, full_urls=False) for task in (*failed, *others)]
        layout = Layout.fit(rows, columns, has_more=True) if rows else Layout(())
        room -= 1 + bool(layout.columns)  # "... more", and the header
        heights = [len(self._lines_of(layout, row)) for row in rows]
        some = _fitting(heights[: len(failed)], room // 2 if others else room)
        more = _fitting(heights[len(failed) :], room - sum(heights[:some]))
        shown = rows[:some] + rows[len(failed) : len(failed) + more]
        body = [self._drawing.rows(layout, shown, header=True)] if shown else []
        if hidden := self._total - self._unseen() - len(shown):
            dots = "…" if self._stdout.speaks_unicode else "..."
            body.append(Text(f"{dots} {hidden:,} more", style="dim"))
        return body

    def _lines_of(self, layout: Layout, row: Row) -> list[list[Segment]]:
        drawn = self._drawing.rows(layout, [row], header=False)
        return self._console.render_lines(drawn, pad=False)


def _brief(task: Task) -> Task:
    """Return what a row shows of `task`: memory must not grow with prompts and replies."""
    prompt = task.prompt and task.prompt[:_LONGEST_TEXT]
    error = task.error and task.error._replace(
        message=task.error.message and task.error.message[:_LONGEST_TEXT]
    )
    outputs = tuple(o for o in task.outputs[:_MOST_OUTPUTS] if len(o.url) <= _LONGEST_URL)
    return task._replace(prompt=prompt, error=error, raw=None, outputs=outputs)


def _fitting(heights: Sequence[int], room: int) -> int:
    """Return how many of the first `heights` fit into `room` lines."""
    total = list(itertools.accumulate(heights))
    return bisect.bisect_right(total, room)


def _in_lines(facts: Sequence[Text], columns: int) -> list[Text]:
    """Join `facts` with three spaces, in as many lines as they need."""
    lines: list[Text] = []
    for fact in facts:
        if lines and len(lines[-1]) + 3 + len(fact) <= columns:
            lines[-1].append("   ").append_text(fact)
        else:
            lines.append(Text.assemble(fact))
    return lines
