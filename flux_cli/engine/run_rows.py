"""What runs say of their tasks, beside what the service does: which row each is, and its labels."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from flux_cli.models.ids import match_key
from flux_cli.models.task import Task


if TYPE_CHECKING:
    from flux_cli.models.submission import Submission


_NO_LABELS: Mapping[str, str] = {}


class RunRows:
    """Row and labels of tasks, by id; keeps nothing else of them, and nothing of other tasks."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, Mapping[str, str]]] = {}
        self._names: dict[str, None] | None = None

    def add_run(self, submissions: "Iterable[Submission]") -> None:
        """Note the rows of a run, also of one that has brought no tasks yet."""
        self._note_names(())
        for submission in submissions:
            if submission.task_id is not None:
                self.add(submission.task_id, submission.row, submission.labels)
            else:
                self._note_names(submission.labels)

    def add(self, task_id: str, row: int, labels: Mapping[str, str]) -> None:
        """Note that the task is row `row` of a run, with `labels`."""
        kept = {sys.intern(name): text for name, text in labels.items()} or _NO_LABELS
        self._rows[match_key(task_id)] = (row, kept)
        self._note_names(kept)

    @property
    def labels(self) -> Sequence[str] | None:
        """The names of all labels, in the order in which they came; None without any rows."""
        return None if self._names is None else tuple(self._names)

    def annotate(self, task: Task) -> Task:
        """Return `task` with its row and its labels, if it has any."""
        found = self._rows.get(match_key(task.id)) if self._rows else None
        return task if found is None else task._replace(row=found[0], labels=found[1])

    def _note_names(self, names: Iterable[str]) -> None:
        if self._names is None:
            self._names = {}
        self._names.update(dict.fromkeys(names))
