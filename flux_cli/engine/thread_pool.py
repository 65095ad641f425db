"""A few threads that do what they are given, and say in the event loop that it is done."""

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from flux_cli.engine.event_loop import EventLoop


class ThreadPool:
    """Up to `workers` daemon threads, started when they are needed; nobody has to wait for them."""

    def __init__(self, loop: EventLoop, *, workers: int) -> None:
        self._loop = loop
        self._workers = workers
        self._threads = 0
        self._queue: SimpleQueue[tuple[Callable[[], None], Callable[[], None]] | None]
        self._queue = SimpleQueue()
        self.busy = 0

    @property
    def has_room(self) -> bool:
        """Whether a thread is free."""
        return self.busy < self._workers

    def submit(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        """Do `work` in a thread, and then `done` in the loop, where an exception is raised too."""
        self.busy += 1
        self._queue.put((work, done))
        if self._threads < min(self.busy, self._workers):
            self._threads += 1
            threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let the threads end as each is done with what it does."""
        for _ in range(self._threads):
            self._queue.put(None)

    def _serve(self) -> None:
        while (item := self._queue.get()) is not None:
            work, done = item
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again in the loop
                self._loop.post(partial(self._finish, done, error))
            else:
                self._loop.post(partial(self._finish, done, None))

    def _finish(self, done: Callable[[], None], error: BaseException | None) -> None:
        self.busy -= 1
        if error is not None:
            raise error
        done()
