"""A clock that moves only when somebody waits."""

import threading


class FakeClock:
    """Monotonic seconds; `wait` stands in for waiting on a condition."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Let `seconds` pass at once. Waiting without an end is a deadlock with one thread."""
        del condition
        assert seconds is not None, "nobody is there to end this wait"
        self.waits.append(seconds)
        self.now += seconds
