"""The contract's requests and answers, without HTTP."""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flux_cli.sandbox.faults import HISTORY_DELAY, Faults, Misbehaviour
from flux_cli.sandbox.records import record, response
from flux_cli.sandbox.store import SandboxTask, TaskStore
from flux_cli.sandbox.submissions import (
    complaint_about_image,
    complaint_about_video,
    is_forbidden,
)


_DEFAULT_PAGE = 12  # as the service's sibling endpoints have it
_WHOLE = ((int,), "a whole number")
_FIELDS: dict[str, tuple[tuple[type, ...], str]] = {  # of a query: their types, in words
    "ids": ((list,), "a list"),
    "offset": _WHOLE,
    "limit": _WHOLE,
    "created_at_min": ((int, float), "a number"),
    "created_at_max": ((int, float), "a number"),
    "type": ((str,), "a string"),
}
_STATUS = {"forbidden": 403, "service_unavailable": 503}  # of a failed task, answered at once


class Answer(NamedTuple):
    """A reply. `task` is what was accepted; without a document, its end is waited for."""

    status: int
    document: Any
    task: SandboxTask | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """Answers requests from a store, as well or badly as `faults` has it."""

    store: TaskStore
    faults: Faults
    random: random.Random
    pay: Callable[[], bool]  # for a submission; False when the balance is used up
    files_url: str

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        """Answer the request `body` that was sent to `path` with the right token."""
        if path == "/flux/tasks":
            return self._query(body)
        if path == "/flux/images":
            return self._submit("images", body, complaint_about_image(body))
        if path == "/flux/videos":
            return self._submit("videos", body, complaint_about_video(body))
        return self.error(404, "no_api", f"There is no API at {path}.")

    def answer_a_stranger(self, path: str) -> Answer:
        """Answer a request with a wrong token."""
        if path == "/flux/tasks" and Misbehaviour.OPEN_QUERIES in self.faults:
            return Answer(200, {"items": [], "count": 0})
        return self.error(401, "invalid_token", "The specified token is invalid or wrong.")

    def error(self, status: int, code: str, message: str) -> Answer:
        """Return an error in the contract's shape, or in one of those that were seen too."""
        error: Any = {"code": code, "message": message}
        document = {"success": False, "error": error, "trace_id": str(uuid.uuid4())}
        if Misbehaviour.ODD_ERRORS in self.faults:
            del document["success"]
            document["error"] = self.random.choice((error, message, None))
        return Answer(status, document)

    def _query(self, body: dict[str, Any]) -> Answer:
        for field, (kinds, meaning) in _FIELDS.items():
            value = body.get(field)
            if value is not None and (type(value) not in kinds):
                return self.error(400, "bad_request", f"{field} must be {meaning}.")
        match body.get("action"):
            case "retrieve":
                task = self.store.get(body.get("id"))
                return Answer(200, self._record(task)) if task else self._unknown()
            case "retrieve_batch":
                return Answer(200, self._batch(body))
            case _:
                return self.error(
                    400, "bad_request", "The action must be retrieve or retrieve_batch."
                )

    def _unknown(self) -> Answer:
        if Misbehaviour.ODD_ERRORS not in self.faults:
            return Answer(200, {})
        missing = {"error": {"code": "not_found", "message": "The task was not found."}}
        return self.random.choice(
            (Answer(200, {}), Answer(200, None), Answer(404, missing), Answer(400, missing))
        )

    def _batch(self, body: Mapping[str, Any]) -> dict[str, Any]:
        ids, faults = body.get("ids"), self.faults
        is_heard = ids and Misbehaviour.IGNORE_IDS not in faults
        tasks = self.store.find(ids) if ids and is_heard else self._history(body, bool(ids))
        if Misbehaviour.ANY_ORDER in faults:
            tasks.sort(key=lambda task: task.trace_id)
        if Misbehaviour.OLDEST_FIRST in faults:
            tasks.reverse()
        page = [self._record(task) for task in self._page(tasks, body)]
        if Misbehaviour.NO_ITEMS in faults:
            page = []
        return {"items": page, "count": len(tasks)}

    def _history(self, body: Mapping[str, Any], has_ids: bool) -> list[SandboxTask]:
        """Return the account's tasks within the bounds, which are inclusive, the newest first."""
        faults, tasks = self.faults, self.store.newest()
        if has_ids:
            return tasks
        if Misbehaviour.NO_HISTORY in faults:
            return []
        if Misbehaviour.LATE_HISTORY in faults:
            latest = self.store.now() - HISTORY_DELAY
            tasks = [task for task in tasks if task.created_at <= latest]
        if Misbehaviour.IGNORE_TYPE not in faults and body.get("type"):
            tasks = [task for task in tasks if task.type == body["type"]]
        if Misbehaviour.IGNORE_BOUNDS not in faults:
            least, most = body.get("created_at_min"), body.get("created_at_max")
            least = float("-inf") if least is None else least
            most = float("inf") if most is None else most
            bounds = {least, most} if Misbehaviour.EXCLUSIVE_BOUNDS in faults else set()
            tasks = [
                task
                for task in tasks
                if least <= (at := round(task.created_at, 3)) <= most and at not in bounds
            ]
        return tasks

    def _page(self, tasks: list[SandboxTask], body: Mapping[str, Any]) -> list[SandboxTask]:
        faults = self.faults
        offset, limit = _whole(body.get("offset"), 0), _whole(body.get("limit"), _DEFAULT_PAGE)
        if Misbehaviour.IGNORE_PAGING in faults:
            offset, limit = 0, _DEFAULT_PAGE
        page = tasks[offset : offset + min(limit, faults.page_limit or limit)]
        if Misbehaviour.REPEAT in faults:
            page = [*self.store.newest()[:1], *page, *page]
        if Misbehaviour.MIXED_PAGES in faults:
            self.random.shuffle(page)
        return page

    def _record(self, task: SandboxTask) -> dict[str, Any]:
        return record(task, self.store.now(), self.files_url, self.faults)

    def _submit(self, kind: str, body: dict[str, Any], complaint: str | None) -> Answer:
        if complaint is not None:
            return self.error(400, "bad_request", complaint)
        if is_forbidden(body):
            return self.error(403, "forbidden", "The prompt was rejected by the content filter.")
        if Misbehaviour.DISABLED in self.faults:
            return self.error(403, "disabled", "The application is disabled.")
        is_async = bool(body.get("async") or body.get("callback_url"))
        if not self.pay():
            return self.error(403, "used_up", "The balance is used up.")
        task = self.store.submit(body, type=kind, in_a_hurry=not is_async)
        return Answer(200, self._acknowledgement(task) if is_async else None, task)

    def _acknowledgement(self, task: SandboxTask) -> dict[str, Any]:
        usual = {"task_id": task.id, "trace_id": task.trace_id}
        if Misbehaviour.ODD_REPLIES not in self.faults:
            return usual
        return self.random.choice((usual, {"success": True, **usual}, {"task_id": task.id}))

    def final(self, task: SandboxTask) -> Answer:
        """Return the answer about a task that somebody has waited for."""
        status = 200 if task.error is None else _STATUS.get(task.error[0], 500)
        return Answer(status, response(task, self.files_url), task)


def _whole(value: Any, default: int) -> int:
    return default if value is None or value < 0 else int(value)
