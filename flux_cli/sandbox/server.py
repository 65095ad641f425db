"""The sandbox as a server on loopback: what it holds, counts and allows."""

import random
import threading
import time
from http.server import ThreadingHTTPServer
from typing import Any, Self

from flux_cli.sandbox.api import Api
from flux_cli.sandbox.faults import Faults
from flux_cli.sandbox.handler import Handler
from flux_cli.sandbox.store import TaskStore


__all__ = ["TOKEN", "Faults", "Sandbox"]

TOKEN = "sandbox-token-not-a-secret"  # noqa: S105 - opens nothing but this sandbox


class Sandbox(ThreadingHTTPServer):
    """A server on loopback; as a context manager it serves in the background.

    `faults` may be set anew while it serves.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: TaskStore, *, port: int = 0, faults: Faults | None = None) -> None:
        """Listen on `port`, 0 for a free one. Raises OSError when it is taken."""
        super().__init__(("127.0.0.1", port), Handler)
        self.store = store
        self.faults = faults or Faults()
        self.random = random.Random(self.faults.seed)
        self.token = TOKEN
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}"
        self.accepted = 0  # submissions, over HTTP
        self.batch_queries = 0
        self.refused = 0  # for being over the rate
        self._lock = threading.Lock()
        self._allowance = self.faults.rate_limit or 0.0
        self._refilled_at = time.monotonic()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that go away in the middle."""

    @property
    def files_url(self) -> str:
        """What the names of files follow."""
        return f"{self.base_url}/files"

    def api(self) -> Api:
        """Return what answers requests, as the faults are now."""
        return Api(self.store, self.faults, self.random, self._pay, self.files_url)

    def count_batch_query(self) -> None:
        with self._lock:
            self.batch_queries += 1

    def is_over_rate(self) -> bool:
        """Take one request from the allowance; True when there is none left."""
        rate = self.faults.rate_limit
        if rate is None:
            return False
        with self._lock:
            now = time.monotonic()
            refill = (now - self._refilled_at) * rate
            self._allowance = min(max(1.0, rate), self._allowance + refill)
            self._refilled_at = now
            if self._allowance < 1:
                self.refused += 1
                return True
            self._allowance -= 1
            return False

    def is_faulty(self) -> bool:
        return self._happens(self.faults.error_rate)

    def loses_reply(self) -> bool:
        return self._happens(self.faults.lose_replies)

    def _happens(self, share: float) -> bool:
        with self._lock:
            return self.random.random() < share

    def _pay(self) -> bool:
        with self._lock:
            balance = self.faults.balance
            if balance is not None and self.accepted >= balance:
                return False
            self.accepted += 1
            return True
