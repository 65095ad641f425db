"""Keeps apart what is sent and what is searched for, where both ask for the same."""

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class RequestLocks:
    """Locks by the key of a request: several are sent at once, but none while one is searched for.

    A search that met the task of a request whose reply is on its way would take it for its own.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sending: Counter[str] = Counter()
        self._searching: Counter[str] = Counter()  # and those that wait for it

    @contextlib.contextmanager
    def sending(self, key: str) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._searching[key])
            self._sending[key] += 1
        try:
            yield
        finally:
            self._end(self._sending, key)

    @contextlib.contextmanager
    def searching(self, key: str) -> Iterator[None]:
        with self._changed:
            self._searching[key] += 1
            self._changed.wait_for(lambda: not self._sending[key])
        try:
            yield
        finally:
            self._end(self._searching, key)

    def _end(self, counts: Counter[str], key: str) -> None:
        with self._changed:
            counts[key] -= 1
            if not counts[key]:
                del counts[key]
            self._changed.notify_all()
