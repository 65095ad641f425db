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
    ("bad_request", "The prompt was rejected by the content filter."),
)
_WAIT = (0.3, 2.0)  # seconds until a task is started, and that it runs, at speed 1
_RUN = (1.5, 7.0)
_ACCOUNT = uuid.UUID(int=0x5A4DB0C5 << 96)  # the sandbox's own ids all look alike
_MOST_OUTPUTS = 8


@dataclass(frozen=True, slots=True)
class SandboxTask:
    """A submitted task and its fate; times are Unix seconds."""

    id: str
    trace_id: str
    request: Mapping[str, Any]
    created_at: float
    started_at: float
    finished_at: float
    files: tuple[str, ...]  # names of its images
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
        self._now = now
        self._lock = threading.Lock()
        self._tasks: dict[str, SandboxTask] = {}
        self._files: dict[str, SandboxTask] = {}

    def submit(self, request: Mapping[str, Any]) -> SandboxTask:
        """Accept a task. One whose prompt holds the word "fail" fails."""
        with self._lock:
            created_at = self._now()
            started_at = created_at + self._random.uniform(*_WAIT) / self._speed
            finished_at = started_at + self._random.uniform(*_RUN) / self._speed
            fails = self._random.random() < self._failure_rate
            failure = self._random.choice(_FAILURES)
            count = request.get("count")
            outputs = count if isinstance(count, int) and 1 <= count <= _MOST_OUTPUTS else 1
            task = SandboxTask(
                id=self._uuid(),
                trace_id=self._uuid(),
                request=request,
                created_at=created_at,
                started_at=started_at,
                finished_at=finished_at,
                files=tuple(f"{self._random.getrandbits(40):010x}.png" for _ in range(outputs)),
                error=failure if fails or "fail" in str(request.get("prompt")).split() else None,
            )
            self._tasks[task.id] = task
            self._files |= dict.fromkeys(task.files, task)
            return task

    def owner(self, file: str) -> SandboxTask | None:
        """Return the task that the image called `file` belongs to."""
        with self._lock:
            return self._files.get(file)

    def find(self, ids: Sequence[object]) -> list[SandboxTask]:
        """Return the tasks that are known, the newest first, as the service may."""
        with self._lock:
            wanted = {str(task_id).lower() for task_id in ids}
            return [self._tasks[i] for i in reversed(self._tasks) if i in wanted] if wanted else []

    def newest(self) -> list[SandboxTask]:
        """Return all tasks of the account, the newest first."""
        with self._lock:
            return list(reversed(self._tasks.values()))

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def record(task: SandboxTask, now: float, files_url: str) -> dict[str, Any]:
    """Return the service's record of `task` at `now`; images lie below `files_url`."""
    document: dict[str, Any] = {
        "_id": task.id.replace("-", "")[:24],
        "id": task.id,
        "api_id": str(_ACCOUNT),
        "application_id": str(_ACCOUNT),
        "created_at": round(task.created_at, 3),
        "credential_id": str(_ACCOUNT),
        "request": task.request,
        "trace_id": task.trace_id,
        "type": "images",
        "user_id": str(_ACCOUNT),
    }
    if now >= task.started_at:
        document["started_at"] = round(task.started_at, 3)
        document["response"] = None
    if now >= task.finished_at:
        document["finished_at"] = round(task.finished_at, 3)
        document["elapsed"] = round(task.finished_at - task.started_at, 3)
        document["response"] = response(task, files_url)
    return document


def seed_of(file: str) -> int:
    """Return the seed that the image called `file` was made from."""
    return int(file[:8], 16)


def response(task: SandboxTask, files_url: str) -> dict[str, Any]:
    """Return the final body of `task`: its images, or its error."""
    body: dict[str, Any] = {
        "success": task.error is None,
        "task_id": task.id,
        "trace_id": task.trace_id,
    }
    if task.error is not None:
        body["error"] = dict(zip(("code", "message"), task.error, strict=True))
    else:
        inference = round(task.finished_at - task.started_at, 3)
        body["data"] = [
            {
                "prompt": task.request.get("prompt"),
                "image_url": f"{files_url}/{file}",
                "seed": seed_of(file),
                "timings": {"inference": inference},
            }
            for file in task.files
        ]
    return body
