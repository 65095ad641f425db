"""How much longer a watch will take, said only once the pace is steady."""

from collections import deque


_WINDOW = 8  # observations that the pace is taken from
_STEADY = 3  # observations in a row whose forecasts have to agree
_TOLERANCE = 0.3  # of the time that is left
_FEWEST = 3  # tasks that have to finish within the window
_WEIGHT = 0.4  # of a new forecast in the smoothed one
_ROUNDED_TO = ((60, 10), (600, 60), (3600, 300))  # below so many seconds, to a multiple of so many


class Estimate:
    """Forecasts when the last task finishes, from the pace of the latest observations.

    Tasks that were finished before the first observation say nothing about the
    pace, and a forecast that jumps is not shown.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._observed: deque[tuple[float, int]] = deque(maxlen=_WINDOW)
        self._end: float | None = None  # smoothed, on the observer's clock
        self._agreed = 0

    def observe(self, now: float, done: int) -> None:
        """Take in that `done` tasks were finished at `now` (seconds of a monotonic clock)."""
        self._observed.append((now, done))
        began, before = self._observed[0]
        if done - before < _FEWEST or now <= began:
            self._agreed = 0
            return
        left = (self._total - done) * (now - began) / (done - before)
        if self._end is None or not self._agrees(now + left, left):
            self._end = now + left
            self._agreed = 1
            return
        self._end += _WEIGHT * (now + left - self._end)
        self._agreed += 1

    def seconds_left(self, now: float) -> int | None:
        """Return the time that is left in rounded seconds, or None while nobody can tell."""
        if self._end is None or self._agreed < _STEADY or self._observed[-1][1] == self._total:
            return None
        left = self._end - now
        step = next((step for limit, step in _ROUNDED_TO if left < limit), 900)
        return max(1, round(left / step)) * step

    def _agrees(self, end: float, left: float) -> bool:
        return self._end is not None and abs(end - self._end) <= _TOLERANCE * left
