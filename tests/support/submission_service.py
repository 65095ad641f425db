"""A service that takes submissions, or does not, as a test says, and knows what it has taken."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tests.support.fault_server import End, Request, Step, Wait, reply
from tests.support.records import batch, error_body, finished, make_ids


Way = Callable[["Service", Request], Iterable[Step]]


class Service:
    """The script of a FaultServer. Submissions go the `ways`, one after the other, then are taken.

    What was taken is in the account's history, unless `lists` is False, with times by a clock
    that is `ahead` seconds ahead.
    """

    def __init__(self, *ways: Way, lists: bool = True, ahead: float = 0.0) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.arrived: list[dict[str, Any]] = []  # bodies, taken or not
        self.ways = list(ways)
        self.lists = lists
        self.has_trouble = False  # instead of a history there is a gateway's page
        self._ahead = ahead
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Iterable[Step]:
        """Answer a request."""
        if request.path == "/flux/tasks":
            return [self._answer(request)]
        with self._lock:
            self.arrived.append(request.body)
            way = self.ways.pop(0) if self.ways else taken
        return way(self, request)

    @property
    def counts(self) -> Counter[str]:
        """How many tasks there are of each prompt: what is paid."""
        with self._lock:
            return Counter(task["request"]["prompt"] for task in self.tasks)

    def take(self, body: dict[str, Any]) -> bytes:
        """Make a task of a submission, and return the reply."""
        with self._lock:
            task_id = make_ids(1, start=len(self.tasks) + 1)[0]
            self.tasks.append(finished(task_id, created_at=self._now(), request=body))
        return self.json(200, json.dumps({"task_id": task_id, "trace_id": "trace-1"}).encode())

    def json(self, status: int, body: bytes, **headers: str) -> bytes:
        """Return a reply, dated by the clock of the service."""
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(self._now()))
        return reply(status, body, content_type="application/json", date=date, **headers)

    def _now(self) -> float:
        return time.time() + self._ahead

    def _answer(self, request: Request) -> bytes:
        with self._lock:
            by_id = {task["id"]: task for task in self.tasks}
        body = request.body
        if body["action"] == "retrieve":
            return self.json(200, json.dumps(by_id.get(body["id"], {})).encode())
        if "ids" in body:
            return self.json(200, batch(by_id[i] for i in body["ids"] if i in by_id))
        if self.has_trouble:
            return page(502)
        since = body.get("created_at_min", 0.0)
        newest = [task for task in reversed(by_id.values()) if task["created_at"] >= since]
        return self.json(200, batch(newest if self.lists else []))


def taken(service: Service, request: Request) -> Iterable[Step]:
    """Take it, and say so."""
    return [service.take(request.body)]


def lost(service: Service, request: Request) -> Iterable[Step]:
    """Take it, and lose the reply."""
    service.take(request.body)
    return [End.RESET]


def held(service: Service, request: Request) -> Iterable[Step]:
    """Take it, and say nothing."""
    service.take(request.body)
    return [Wait(3600)]


def unheard(service: Service, request: Request) -> Iterable[Step]:
    """Neither take it nor say anything."""
    del service, request
    return [Wait(3600)]


def late(event: threading.Event) -> Way:
    """Take it, and say so once `event` is set."""

    def way(service: Service, request: Request) -> Iterable[Step]:
        answer = service.take(request.body)
        event.wait(60)
        return [answer]

    return way


def lost_in_a_gateway(status: int) -> Way:
    """Take it; a gateway answers with a page of HTML."""

    def way(service: Service, request: Request) -> Iterable[Step]:
        service.take(request.body)
        return [page(status)]

    return way


def refused(status: int, code: str, message: str = "no", **headers: str) -> Way:
    """Do not take it, with an error as the service documents it."""
    return lambda service, _: [service.json(status, error_body(code, message), **headers)]


def page(status: int) -> bytes:
    """Return a page of HTML, as gateways answer."""
    body = f"<html><head><title>{status}</title></head></html>".encode()
    return reply(status, body, content_type="text/html")
