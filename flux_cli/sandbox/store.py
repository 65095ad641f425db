"""The sandbox's tasks: submitted, running through their states in time, finished or failed."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


_FAILURES = (
    ("api_error", "fetch failed"),
    ("forbidden", "The result was rejected by the content filter."),
)
_OVERLOADED = ("service_unavailable", "The model is overloaded.")
_FATES = {"moderated": _FAILURES[1], "overloaded": _OVERLOADED}  # by a word of the prompt
_WAIT = (0.3, 2.0)  # seconds until a task is started, and that it runs, at speed 1
_RUN = (1.5, 7.0)
_HURRY = 10  # times faster: somebody waits for the reply
_MOST_OUTPUTS = 8


@dataclass(frozen=True, slots=True)
class SandboxTask:
    """A submitted task and its fate; times are Unix seconds."""

    id: str
    trace_id: str
    type: str  # images or videos
    request: Mapping[str, Any]
    created_at: float
    started_at: float
    finished_at: float
    files: tuple[str, ...]  # names of its outputs
    error: tuple[str, str] | None


class TaskStore:
    """Accepts tasks and knows the record of each at any moment. Safe for many threads."""

    def __init__(
        self,
        *,
        seed: int = 0,
        speed: float = 1.0,
        failure_rate: float = 0.15,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`seed` decides ids and fates, `speed` divides all times."""
        self._random = random.Random(seed)
        self._speed = speed
        self._failure_rate = failure_rate
        self.now = now
        self._lock = threading.Lock()
        self._tasks: dict[str, SandboxTask] = {}
        self._files: dict[str, SandboxTask] = {}

    def submit(
        self,
        request: Mapping[str, Any],
        *,
        type: str = "images",  # noqa: A002 - the service's word
        created_at: float | None = None,
        in_a_hurry: bool = False,
    ) -> SandboxTask:
        """Accept a task, now or at `created_at`; words of its prompt decide what becomes of it.

        "fail" fails in any way, "moderated" and "overloaded" in that way; a video
        with "webm" in its prompt is one.
        """
        words = str(request.get("prompt")).lower().split()
        speed = self._speed * (_HURRY if in_a_hurry else 1)
        with self._lock:
            created_at = self.now() if created_at is None else created_at
            started_at = created_at + self._random.uniform(*_WAIT) / speed
            finished_at = started_at + self._random.uniform(*_RUN) / speed
            fails = self._random.random() < self._failure_rate
            failure = self._random.choice(_FAILURES)
            fate = next((_FATES[word] for word in words if word in _FATES), None)
            extension = "png" if type == "images" else "webm" if "webm" in words else "mp4"
            task = SandboxTask(
                id=self._uuid(),
                trace_id=self._uuid(),
                type=type,
                request=request,
                created_at=created_at,
                started_at=started_at,
                finished_at=finished_at,
                files=tuple(
                    f"{self._random.getrandbits(40):010x}.{extension}"
                    for _ in range(_outputs(request))
                ),
                error=fate or (failure if fails or "fail" in words else None),
            )
            self._tasks[task.id] = task
            self._files |= dict.fromkeys(task.files, task)
            return task

    def owner(self, file: str) -> SandboxTask | None:
        """Return the task that the output called `file` belongs to."""
        with self._lock:
            return self._files.get(file)

    def get(self, task_id: object) -> SandboxTask | None:
        """Return the task with that id."""
        with self._lock:
            return self._tasks.get(str(task_id).lower())

    def find(self, ids: Sequence[object]) -> list[SandboxTask]:
        """Return the tasks that are known, the newest first, as the service may."""
        wanted = dict.fromkeys(str(task_id).lower() for task_id in ids)
        with self._lock:
            tasks = [self._tasks[task_id] for task_id in wanted if task_id in self._tasks]
        return sorted(tasks, key=_creation, reverse=True)

    def newest(self) -> list[SandboxTask]:
        """Return all tasks of the account, the newest first."""
        with self._lock:
            tasks = list(reversed(self._tasks.values()))
        return sorted(tasks, key=_creation, reverse=True)

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def _creation(task: SandboxTask) -> float:
    return task.created_at


def _outputs(request: Mapping[str, Any]) -> int:
    count = request.get("count") if request.get("action") != "edit" else 1
    is_right = isinstance(count, int | float) and 1 <= count <= _MOST_OUTPUTS
    return int(count) if count and is_right else 1


def seed_of(file: str) -> int:
    """Return the seed that the output called `file` was made from."""
    return int(file[:8], 16)
