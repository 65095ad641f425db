"""Finds, in the account's history, the tasks of submissions whose reply was lost."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from flux_cli.api.throttle import Stopped
from flux_cli.engine.listing import Bounds
from flux_cli.errors import BadRequest, Refused, ServiceError, Unanswered
from flux_cli.models.fields import as_object
from flux_cli.models.request_defaults import DELIVERY, defaults_of
from flux_cli.models.submission import Submission
from flux_cli.models.task import Task


_SLACK = 0.5  # seconds by which the service's time is not known better
_UNKNOWN_SLACK = 2.0  # likewise where nothing tells its time
_MOST_FRUITLESS = 3  # searches in a row, after which nobody waits for the next

List = Callable[[Bounds], Iterator[Sequence[Task]]]


class History:
    """Searches the account's own tasks, which a service need not list.

    `list_tasks` yields tasks with the service's own record; `skew` is how far its clock is ahead,
    in seconds, None where that is not known. `is_taken` tells whether a task is known to be that
    of another submission.
    """

    def __init__(
        self, list_tasks: List, *, skew: Callable[[], float | None], is_taken: Callable[[str], bool]
    ) -> None:
        self._list = list_tasks
        self.skew = skew
        self._is_taken = is_taken
        self._fruitless = 0
        self.trouble: ServiceError | None = None  # why the last search could not be made

    @property
    def is_promising(self) -> bool:
        """Whether it is worth while to wait until a task may have appeared."""
        return self._fruitless < _MOST_FRUITLESS

    def find(self, submissions: Sequence[Submission]) -> list[tuple[Submission, Task]]:
        """Return the tasks of as many `submissions` as can be told: no task is of two of them.

        A task was made from the same body, at or after the moment of sending. Where the
        service does not answer, none is found.
        """
        sought = [submission for submission in submissions if submission.sent_at is not None]
        if not sought:
            return []
        tasks = self._tasks_for(sought)
        found = list(self._pairs(sought, tasks))
        self._fruitless = 0 if found else self._fruitless + 1
        return found

    def _tasks_for(self, sought: Sequence[Submission]) -> list[Task]:
        """Return the tasks made since the first of `sought` was sent that are nobody's yet.

        Of a list that breaks off, none: where two submissions ask for the same, the earlier one
        would take the task of the later, and leave it one that was made before it was sent.
        """
        tasks: list[Task] = []
        for _ in range(2):  # the first reply may be what tells the service's time
            since = min(map(self._earliest, sought))
            tasks = []
            self.trouble = None
            has_begun = False
            try:
                for page in self._list(Bounds(since)):
                    has_begun = True
                    tasks += (task for task in page if not self._is_taken(task.id))
            except (ServiceError, Stopped) as error:
                self.trouble = _trouble(error, has_begun=has_begun)
                tasks = []
            if since - min(map(self._earliest, sought)) < _UNKNOWN_SLACK:
                break
        return tasks

    def _pairs(
        self, sought: Sequence[Submission], tasks: Iterable[Task]
    ) -> Iterator[tuple[Submission, Task]]:
        free = sorted(
            (task for task in tasks if task.created_at is not None),
            key=lambda task: task.created_at or math.inf,
        )
        # What was sent last has the fewest tasks to choose from.
        for submission in sorted(sought, key=self._earliest, reverse=True):
            earliest = self._earliest(submission)
            for task in free:
                is_later = task.created_at is not None and task.created_at >= earliest
                if is_later and _is_request_of(submission, task):
                    free.remove(task)
                    yield submission, task
                    break

    def _earliest(self, submission: Submission) -> float:
        """Return the earliest time, by the service's clock, when its task can have been made."""
        skew = submission.clock_skew
        if skew is None:
            skew = self.skew()
        bound = -_UNKNOWN_SLACK if skew is None else skew - _SLACK
        return (submission.sent_at or 0.0) + bound


def _trouble(error: ServiceError | Stopped, *, has_begun: bool) -> ServiceError | None:
    """Return why a list has broken off; None where the service has none to give."""
    if isinstance(error, Stopped):
        return Unanswered("the account's history does not answer", code="no_answer")
    is_refusal = isinstance(error, Refused | BadRequest)
    return None if is_refusal and not has_begun else error


def _is_request_of(submission: Submission, task: Task) -> bool:
    """Tell whether a record says that this was sent; it may leave out what is the default."""
    echoed = as_object((task.raw or {}).get("request"))
    if echoed is None or task.type not in (None, submission.type):
        return False
    body = submission.body
    defaults = defaults_of(submission.path, body)
    return all(
        _is_same(_value(body, name, defaults), _value(echoed, name, defaults))
        for name in body.keys() | defaults.keys()
        if name not in DELIVERY and (name in defaults or echoed.get(name) is not None)
    )


def _value(request: Mapping[str, Any], name: str, defaults: Mapping[str, Any]) -> Any:
    value = request.get(name)
    return defaults.get(name) if value is None else value


def _is_same(sent: Any, echoed: Any) -> bool:
    if isinstance(sent, str) and isinstance(echoed, str):
        return sent.strip() == echoed.strip()
    return bool(sent == echoed)
