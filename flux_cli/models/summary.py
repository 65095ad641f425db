"""How a set of tasks, or of files, stands as a whole: counts, and the exit code that follows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from flux_cli.errors import ExitCode
from flux_cli.models.state import State
from flux_cli.models.task import File, Task


_CODES = {
    State.PENDING: ExitCode.STILL_RUNNING,
    State.PROCESSING: ExitCode.STILL_RUNNING,
    State.SUCCEEDED: ExitCode.OK,
    State.FAILED: ExitCode.TASK_FAILED,
    State.NOT_FOUND: ExitCode.NOT_FOUND,
    State.UNKNOWN: ExitCode.NO_ANSWER,
}
_GRAVITY = (
    ExitCode.NO_ANSWER,
    ExitCode.OUTPUT,
    ExitCode.TIMED_OUT,
    ExitCode.TASK_FAILED,
    ExitCode.NOT_FOUND,
    ExitCode.STILL_RUNNING,
)


class TaskCounts:
    """Counts tasks by state, and what they have cost."""

    def __init__(self) -> None:
        self.by_state: Counter[State] = Counter()
        self.credits = 0.0

    def count(self, states: Iterable[State]) -> None:
        self.by_state.update(states)

    def add(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.by_state[task.state] += 1
            self.add_cost(task)

    def add_cost(self, task: Task) -> None:
        """Add what `task` has cost, without counting it."""
        if task.cost is not None:
            self.credits += task.cost.credits

    @property
    def total(self) -> int:
        return self.by_state.total()

    def exit_code(self, *also: ExitCode) -> ExitCode:
        """Return the exit code that the states, and `also`, add up to; the gravest wins."""
        codes = {_CODES[state] for state, count in self.by_state.items() if count > 0} | set(also)
        return next((code for code in _GRAVITY if code in codes), ExitCode.OK)

    def summary(self) -> str:
        """Return one line that counts every state there is, and the credits.

        As in "12 tasks: 11 succeeded, 1 failed; 2.4 credits".
        """
        parts = self.by_states()
        noun = "task" if self.total == 1 else "tasks"
        amount = f"{self.credits:,.4f}".rstrip("0").rstrip(".")  # no noise of binary fractions
        cost = "" if amount == "0" else "; 1 credit" if amount == "1" else f"; {amount} credits"
        return f"{self.total:,} {noun}: {parts}{cost}" if parts else f"{self.total} {noun}"

    def by_states(self) -> str:
        """Return the count of every state there is, as "2 succeeded, 1 failed"."""
        return ", ".join(
            f"{self.by_state[state]:,} {state.replace('_', ' ')}"
            for state in State
            if self.by_state[state]
        )


@dataclass(slots=True)
class FileCounts:
    """Counts files by what became of them; `size` is what all new ones hold, in bytes."""

    saved: int = 0
    size: int = 0
    kept: int = 0
    archived: int = 0  # saved before, and not there any more
    expired: int = 0
    failed: int = 0
    unfinished: int = 0  # there was no time for them

    @property
    def has_failed(self) -> bool:
        """Whether anything that should have been saved was not."""
        return bool(self.failed or self.expired)

    @property
    def unsaved(self) -> int:
        """How many files may be saved another time."""
        return self.failed + self.unfinished

    def add(self, file: File) -> None:
        if file.error is not None and file.error.code == "timed_out":
            self.unfinished += 1
        elif file.error is not None:
            is_expired = file.error.code == "expired"
            self.expired += is_expired
            self.failed += not is_expired
        elif file.is_archived:
            self.archived += 1
        elif file.is_new:
            self.saved += 1
            self.size += file.size or 0
        else:
            self.kept += 1
