"""Records and replies as the service would send them."""

import json
import uuid
from collections.abc import Iterable
from typing import Any


def make_ids(count: int, *, start: int = 1) -> list[str]:
    """Return `count` distinct ids in the shape of the service's."""
    return [str(uuid.UUID(int=number << 64 | number)) for number in range(start, start + count)]


def finished(task_id: str, **changes: Any) -> dict[str, Any]:
    """Return the record of a task that succeeded."""
    return {
        "id": task_id,
        "created_at": 1736304669.779,
        "started_at": 1736304669.839,
        "finished_at": 1736304679.439,
        "elapsed": 9.6,
        "type": "images",
        "request": {"action": "generate", "model": "flux-dev", "prompt": "a cat", "size": "1x1"},
        "trace_id": f"trace-{task_id}",
        "response": {
            "success": True,
            "task_id": task_id,
            "data": [{"image_url": f"https://cdn.example/{task_id[-6:]}.png", "seed": 7}],
        },
    } | changes


def running(task_id: str) -> dict[str, Any]:
    """Return the record of a task that was started."""
    return {"id": task_id, "created_at": 1736304669.0, "started_at": 1736304670.0}


def failed(task_id: str, code: str = "api_error", message: str = "fetch failed") -> dict[str, Any]:
    """Return the record of a task that failed."""
    error = {"code": code, "message": message}
    return finished(task_id, response={"success": False, "error": error})


def batch(items: Iterable[Any]) -> bytes:
    """Return the body of a batch reply."""
    items = list(items)
    return json.dumps({"items": items, "count": len(items)}).encode()


def error_body(code: str, message: str = "no", trace_id: str = "trace-1") -> bytes:
    """Return the body of an error as the service documents it."""
    error = {"code": code, "message": message}
    return json.dumps({"success": False, "error": error, "trace_id": trace_id}).encode()


def unknown(_: str) -> None:
    """Answer `retrieve` as a service does that knows no task."""
