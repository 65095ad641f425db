"""Shows in a watch what each task made, as it lands."""

import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial

from flux_cli.commands.previews import Previews
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.session import Session
from flux_cli.engine.thread_pool import ThreadPool
from flux_cli.models.task import Task
from flux_cli.output.preview.method import Method
from flux_cli.output.sanitize import one_line
from flux_cli.runtime import Runtime


_MOST_WAITING = 100  # pictures: memory must not grow with tasks that all end at once
_LEAST_CAPTION = 20  # columns


class WatchPreviews:
    """Fetches one picture after the other in a thread, and has each drawn where the loop runs."""

    def __init__(self, runtime: Runtime, session: Session, loop: EventLoop) -> None:
        """Ask the terminal, which must show no view yet. Raises Interrupted."""
        self._runtime = runtime
        self._pool = ThreadPool(loop, workers=1)
        self._waiting: deque[tuple[Task, int]] = deque()
        self._left_out = 0
        self._insert: Callable[[Callable[[], None]], None] = lambda write: write()
        self._is_stopped = False
        self._closing = contextlib.ExitStack()
        most_lines = max(1, runtime.stdout.lines // 2)  # the view is to be seen, too
        self._previews = self._closing.enter_context(
            Previews(runtime, session, Method.AUTO, say=self._say, most_lines=most_lines)
        )
        self._previews.method  # noqa: B018 - the terminal is asked now
        self._closing.callback(self._pool.close)

    def draw_by(self, insert: Callable[[Callable[[], None]], None]) -> None:
        """Have `insert` make room for what is written, above a view that is open from now on."""
        self._insert = insert

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing left to draw."""
        return not self._pool.busy and not self._waiting

    def add(self, task: Task) -> None:
        """Draw the pictures of `task`, once those before it are drawn."""
        for number in self._previews.numbers(task):
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append((task, number))
            else:
                self._left_out += 1
        self._start()

    def stop(self) -> None:
        """Draw no more, and say how many pictures were left out."""
        self._is_stopped = True
        self._left_out += len(self._waiting) + self._pool.busy
        self._waiting.clear()
        if self._left_out:
            noun = "picture was" if self._left_out == 1 else "pictures were"
            self._say(f"flux: {self._left_out:,} {noun} not shown.")
            self._left_out = 0

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._closing.close()

    def _say(self, line: str) -> None:
        self._insert(lambda: self._runtime.stderr.note(line))

    def _start(self) -> None:
        while self._pool.has_room and self._waiting:
            task, number = self._waiting.popleft()
            drawn: list[bytes | str] = []
            self._pool.submit(
                lambda task=task, number=number, drawn=drawn: drawn.append(  # type: ignore[misc]
                    self._previews.fetch(task, number)
                ),
                partial(self._show, task, drawn),
            )

    def _show(self, task: Task, drawn: list[bytes | str]) -> None:
        if self._is_stopped:
            return  # it was counted
        self._insert(lambda: self._write(task, drawn[0]))
        self._start()

    def _write(self, task: Task, drawn: bytes | str) -> None:
        if isinstance(drawn, bytes):
            room = max(_LEAST_CAPTION, self._runtime.stdout.columns - len(task.id) - 2)
            caption = one_line(task.prompt or "", room)
            self._runtime.stdout.write_text(f"{task.id}  {caption}".rstrip() + "\n")
        self._previews.write(drawn)
