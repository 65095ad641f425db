"""How a set of tasks stands as a whole: counts, and the exit code that follows."""

from collections import Counter
from collections.abc import Iterable

from flux_cli.errors import ExitCode
from flux_cli.tasks.state import State
from flux_cli.tasks.task import Task


class Tally:
    """Counts tasks by state."""

    def __init__(self) -> None:
        self.by_state: Counter[State] = Counter()

    def add(self, tasks: Iterable[Task]) -> None:
        self.by_state.update(task.state for task in tasks)

    @property
    def total(self) -> int:
        return self.by_state.total()

    def verdict(self) -> ExitCode:
        """Return the exit code that the states add up to; the gravest wins."""
        count = self.by_state
        if count[State.UNKNOWN]:
            return ExitCode.NO_ANSWER
        if count[State.FAILED]:
            return ExitCode.TASK_FAILED
        if count[State.NOT_FOUND]:
            return ExitCode.NOT_FOUND
        if count[State.PENDING] or count[State.PROCESSING]:
            return ExitCode.STILL_RUNNING
        return ExitCode.OK

    def summary(self) -> str:
        """Return one line that counts every state there is, as "3 tasks: 2 succeeded, 1 failed"."""
        parts = ", ".join(
            f"{self.by_state[state]:,} {state.replace('_', ' ')}"
            for state in State
            if self.by_state[state]
        )
        noun = "task" if self.total == 1 else "tasks"
        return f"{self.total:,} {noun}: {parts}" if parts else f"{self.total} {noun}"
