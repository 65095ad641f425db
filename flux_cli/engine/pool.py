"""A few threads that do jobs as they come."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar


J = TypeVar("J")


class Pool(Generic[J]):
    """Does `work` for each job, up to `workers` at a time; leaving it early leaves no wait."""

    def __init__(self, work: Callable[[J], None], *, workers: int) -> None:
        self._work = work
        self._workers = workers
        self._jobs: SimpleQueue[J | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, job: J) -> None:
        """Do `job` as soon as there is room."""
        self._jobs.put(job)
        if len(self._threads) < self._workers:
            thread = threading.Thread(target=self._serve, daemon=True)
            self._threads.append(thread)
            thread.start()

    def finish(self) -> None:
        """Wait until every job is done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._work(job)
