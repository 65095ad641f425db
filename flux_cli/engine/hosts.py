"""A budget of requests for each host: one that is dead must not stop the others."""

import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from flux_cli.api.throttle import Stopped, Throttle
from flux_cli.errors import ServiceError


_MOST_HOSTS = 1000  # with a budget of their own: memory must not grow with what links hold


class Hosts:
    """The budgets of the hosts that links name; beyond _MOST_HOSTS they share what is left."""

    def __init__(self, make: Callable[[], Throttle]) -> None:
        """`make` makes the budget for one host."""
        self._make = make
        self._budgets: dict[str, Throttle] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    def budget(self, url: str) -> Throttle:
        """Return the budget for the host of `url`. Raises Stopped."""
        host = self._key(url)
        with self._lock:
            if self._is_stopped:
                raise Stopped
            if host not in self._budgets:
                self._budgets[host] = self._make()
            return self._budgets[host]

    def reason(self, url: str) -> ServiceError | None:
        """Return why nothing more is asked of the host of `url`, if so."""
        budget = self._budgets.get(self._key(url))
        return budget.reason if budget else None

    def stop(self) -> None:
        """Let no further request out, to any host."""
        with self._lock:
            self._is_stopped = True
            budgets = list(self._budgets.values())
        for budget in budgets:
            budget.stop()

    def _key(self, url: str) -> str:
        try:
            host = urlsplit(url).netloc
        except ValueError:
            return ""
        return host if host in self._budgets or len(self._budgets) < _MOST_HOSTS else ""
