"""What the service says of a task: its record, and the final body in it."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flux_cli.sandbox import clips
from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.store import SandboxTask, seed_of


_ACCOUNT = str(uuid.UUID(int=0x5A4DB0C5 << 96))  # the sandbox's own ids all look alike
_IMAGE_CREDITS = 0.216
_VIDEO_CREDITS = 0.6205  # for each 2**20 pixels that a second has
_DISCOUNT = 0.9  # of the list price
_DEFAULTS = {"model": "flux-dev", "count": 1}
_TIMES = ("created_at", "started_at", "finished_at")


def record(task: SandboxTask, now: float, files_url: str, faults: Faults) -> dict[str, Any]:
    """Return the service's record of `task` at `now`; its files lie below `files_url`."""
    times: dict[str, Any] = {"created_at": round(task.created_at, 3)}
    body: dict[str, Any] = {}
    if now >= task.started_at:
        times["started_at"] = round(task.started_at, 3)
        body["response"] = None
    if now < task.finished_at:
        if Misbehaviour.PLACEHOLDER in faults:
            body["response"] = _placeholder(task)
    else:
        times["finished_at"] = round(task.finished_at, 3)
        times["elapsed"] = round(task.finished_at - task.started_at, 3)
        body["response"] = response(task, files_url)
    document: dict[str, Any] = {
        "_id": task.id.replace("-", "")[:24],
        "id": task.id,
        "api_id": _ACCOUNT,
        "application_id": _ACCOUNT,
        **times,
        "credential_id": _ACCOUNT,
        "request": task.request,
        "trace_id": task.trace_id,
        "type": task.type,
        "user_id": _ACCOUNT,
        **body,
    }
    for misbehaviour, change in _CHANGES.items():
        if misbehaviour in faults:
            change(document)
    return document


def response(task: SandboxTask, files_url: str) -> dict[str, Any]:
    """Return the final body of `task`: what it made, or its error."""
    body: dict[str, Any] = {
        "success": task.error is None,
        "task_id": task.id,
        "trace_id": task.trace_id,
    }
    if task.error is not None:
        body["error"] = dict(zip(("code", "message"), task.error, strict=True))
    elif task.type == "videos":
        body |= _video(task, files_url)
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
        body["cost"] = _cost(_IMAGE_CREDITS * len(task.files))
    return body


def _video(task: SandboxTask, files_url: str) -> dict[str, Any]:
    request = task.request
    pixels = clips.SECONDS * clips.WIDTH * clips.HEIGHT / 2**20
    draft = {"draft_task_id": task.id} if request.get("draft") else {}
    return {
        "data": [
            {
                "id": task.id,
                "model": request.get("model", "flux-3"),
                "video_url": f"{files_url}/{task.files[0]}",
                "seconds": clips.SECONDS,
                "width": clips.WIDTH,
                "height": clips.HEIGHT,
                "fps": clips.FPS,
                **draft,
            }
        ],
        "usage": {
            "action": request.get("action"),
            "seconds": clips.SECONDS,
            "output_mp_seconds": pixels,
            "mode": request.get("mode", "t2v"),
            "resolution": request.get("resolution", "hd"),
            "draft": bool(request.get("draft")),
        },
        "cost": _cost(_VIDEO_CREDITS * pixels),
    }


def _cost(amount: float) -> dict[str, Any]:
    list_amount = round(amount / _DISCOUNT, 6)
    return {"amount": round(amount, 6), "currency": "credit", "list_amount": list_amount}


def _placeholder(task: SandboxTask) -> dict[str, Any]:
    """Return what stands in `response` while a task runs: one of three shapes."""
    shapes: tuple[dict[str, Any], ...] = (
        {"success": True, "task_id": task.id, "trace_id": task.trace_id},
        {"status": "processing", "task_id": task.id},
        {"success": False, "error": "fetch failed", "task_id": task.id},
    )
    return shapes[int(task.id[:8], 16) % len(shapes)]


def _age(document: dict[str, Any]) -> None:
    for key in ("type", "started_at", "finished_at", "elapsed"):
        document.pop(key, None)
    if isinstance(document.get("response"), dict):
        document["response"].pop("cost", None)


def _undate(document: dict[str, Any]) -> None:
    del document["created_at"]


def _trim(document: dict[str, Any]) -> None:
    document["request"] = {
        key: value
        for key, value in document["request"].items()
        if key not in ("async", "callback_url") and _DEFAULTS.get(key) != value
    }


def _as_text(document: dict[str, Any]) -> None:
    if document.get("response") is not None:
        document["response"] = json.dumps(document["response"])


def _as_result(document: dict[str, Any]) -> None:
    if "response" in document:
        document["result"] = document.pop("response")


def _with_error_outside(document: dict[str, Any]) -> None:
    if "error" in (document.get("response") or {}):
        document["error"] = document.pop("response")["error"]


def _with_seed_as_text(document: dict[str, Any]) -> None:
    for output in (document.get("response") or {}).get("data", ()):
        output |= {"seed": str(output.get("seed", "")), "timings": 3}


def _with_nulls(document: dict[str, Any]) -> None:
    for key in (*_TIMES, "elapsed", "response"):
        document.setdefault(key)


def _with_iso_times(document: dict[str, Any]) -> None:
    for key in _TIMES:
        if key in document:
            document[key] = datetime.fromtimestamp(document[key], UTC).isoformat()


_ODD = (
    _as_text,
    _as_result,
    _with_error_outside,
    _with_seed_as_text,
    _with_nulls,
    _with_iso_times,
)


def _make_odd(document: dict[str, Any]) -> None:
    _ODD[int(document["id"][:8], 16) % len(_ODD)](document)


_CHANGES: dict[Misbehaviour, Callable[[dict[str, Any]], None]] = {
    Misbehaviour.RECORDS_2025: _age,
    Misbehaviour.TRIMMED_REQUESTS: _trim,
    Misbehaviour.ODD_RECORDS: _make_odd,
    Misbehaviour.UNDATED: _undate,
}
