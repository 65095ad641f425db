"""What agents may spend: how many tasks they may submit while the server runs."""

import threading

from flux_cli.errors import UsageError


class Spending:
    """Counts the tasks that were submitted; safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spent = 0
        self._lock = threading.Lock()

    def reserve(self, count: int) -> None:
        """Set `count` tasks aside before they are submitted. Raises UsageError for too many."""
        with self._lock:
            left = self._most - self._spent
            if count > left:
                raise UsageError(
                    f"this would submit {count:,} tasks, and this server may submit {left:,} more",
                    hint="Its user can start it with a higher --max-tasks",
                )
            self._spent += count

    def give_back(self, count: int) -> None:
        """Return what was set aside for tasks that were not submitted."""
        with self._lock:
            self._spent -= count
