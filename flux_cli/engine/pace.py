"""Spreads requests over time."""

import threading
from collections.abc import Callable


_LAG = 0.1  # seconds that may be made up for


class Pace:
    """Allows `rate` requests a second, evenly spread; safe to use from several threads."""

    def __init__(self, rate: float, *, clock: Callable[[], float]) -> None:
        self._interval = 1.0 / rate
        self._clock = clock
        self._next_at = clock()
        self._lock = threading.Lock()

    def take_turn(self) -> float:
        """Take the turn and return 0, or the seconds to wait before trying again."""
        with self._lock:
            now = self._clock()
            if now < self._next_at:
                return self._next_at - now
            self._next_at = max(self._next_at, now - _LAG) + self._interval
            return 0.0
