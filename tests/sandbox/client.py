"""What any client of the service does, over a real socket, and a clock for the sandbox."""

import http.client
import json
from typing import Any

from flux_cli.sandbox.server import TOKEN, Sandbox


STARTED = 1_790_000_000.0
SUBMISSION = {"action": "generate", "prompt": "a red fox", "size": "1:1", "async": True}
VIDEO = {"action": "generate", "prompt": "a boat", "async": True}
CLOCK = [STARTED]


def now() -> float:
    return CLOCK[0]


def _connect(server: Sandbox) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)


def send(
    server: Sandbox, path: str, body: Any, *, token: str = TOKEN, **options: Any
) -> tuple[int, Any]:
    """Send a request; return the status and the document of the answer."""
    connection = _connect(server)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {token}"} if token else {}
        connection.request("POST", path, options.pop("chunks", data), headers, **options)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def fetch(server: Sandbox, url: str) -> tuple[str, bytes]:
    """Return the type and the bytes of the file at `url`."""
    connection = _connect(server)
    try:
        connection.request("GET", url.removeprefix(server.base_url))
        reply = connection.getresponse()
        assert reply.status == 200
        return reply.headers["content-type"], reply.read()
    finally:
        connection.close()


def batch(server: Sandbox, *ids: str, **fields: Any) -> dict[str, Any]:
    """Return the answer to a batch query; without ids it is one for the history."""
    body = {"action": "retrieve_batch", **({"ids": list(ids)} if ids else {}), **fields}
    status, document = send(server, "/flux/tasks", body)
    assert status == 200
    assert document.keys() == {"items", "count"}
    return dict(document)


def ids_of(document: dict[str, Any]) -> list[str]:
    return [item["id"] for item in document["items"]]


def retrieve(server: Sandbox, task_id: str) -> Any:
    return send(server, "/flux/tasks", {"action": "retrieve", "id": task_id})[1]


def submit(server: Sandbox, path: str = "/flux/images", **changes: Any) -> str:
    """Submit a task over HTTP and return its id."""
    body = {**(SUBMISSION if path == "/flux/images" else VIDEO), **changes}
    status, document = send(server, path, body)
    assert status == 200, document
    return str(document["task_id"])


def finish() -> None:
    CLOCK[0] += 60


def history(server: Sandbox, count: int, step: float = 10.0) -> list[str]:
    """Give the account `count` tasks, `step` seconds apart; return the ids, the newest first."""
    tasks = [
        server.store.submit(SUBMISSION, created_at=STARTED - 10_000 + step * n)
        for n in range(count)
    ]
    return [task.id for task in reversed(tasks)]
