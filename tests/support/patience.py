"""Waiting for a condition: no test may depend on how fast a machine is."""

import time
from collections.abc import Callable


LONGEST = 120.0  # seconds; a test that waits for so long will wait for ever
AT_ONCE = 10.0  # seconds; less than any wait of a test. How soon it really is, `make soak` measures


def until(condition: Callable[[], object]) -> None:
    """Return as soon as `condition` is true."""
    end = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < end, "what the test waits for did not happen"
        time.sleep(0.01)
