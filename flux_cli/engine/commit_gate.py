"""Between what must happen as a whole and whoever puts an end to it."""

import threading

from flux_cli.api.throttle import Stopped


class CommitGate:
    """Lets threads through, one block each, until it is closed.

    Once `close` has returned, no block is under way and none begins any more:
    what was done in one is done, and everything else will never be.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._is_closed = False

    def __enter__(self) -> None:
        """Begin a block. Raises Stopped when the gate is closed."""
        with self._changed:
            if self._is_closed:
                raise Stopped
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody through any more, and wait for those inside."""
        with self._changed:
            self._is_closed = True
            while self._inside:
                self._changed.wait()
