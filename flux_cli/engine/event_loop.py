"""The one place where a run waits: for what its threads have done, for time, for a signal."""

import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

from flux_cli import interrupts


T = TypeVar("T")
_TICK = 0.1  # seconds between two looks whether a run was stopped, while nothing else happens


class EventLoop:
    """Runs, in the thread that waits here, what other threads post.

    So whatever is shared is changed by one thread only, and needs no lock.
    """

    def __init__(self) -> None:
        self._callbacks: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def post(self, callback: Callable[[], None]) -> None:
        """Have `callback` run where somebody waits; called by any thread."""
        self._callbacks.put(callback)

    def run_once(self, timeout: float) -> None:
        """Wait, `timeout` seconds at most, for a callback and run it. Raises Interrupted."""
        try:
            callback = interrupts.get(self._callbacks, timeout)
        except Empty:
            return
        callback()

    def run_ready(self) -> None:
        """Run what is there already. Raises Interrupted."""
        while not self._callbacks.empty():
            self.run_once(0.0)

    def run_while(self, is_wanted: Callable[[], bool]) -> None:
        """Run callbacks as long as `is_wanted`. Raises Interrupted."""
        while is_wanted():
            self.run_once(_TICK)

    def run_for(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Run callbacks until `seconds` have passed. Raises Interrupted."""
        end = clock() + seconds
        while (left := end - clock()) > 0:
            self.run_once(left)

    def each(self, items: Iterator[T | None]) -> Iterator[T]:
        """Yield the items; where there is None, for "not yet", wait."""
        for item in items:
            if item is None:
                self.run_once(_TICK)
            else:
                yield item
