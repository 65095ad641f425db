"""The HTTP side of the sandbox: the contract's requests, replies and errors on loopback."""

import json
import random
import re
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from flux_cli.sandbox.png import make_png
from flux_cli.sandbox.store import SandboxTask, TaskStore, record, response, seed_of


TOKEN = "sandbox-token-not-a-secret"  # noqa: S105 - opens nothing but this sandbox
_DEFAULT_PAGE = 12  # as the service's sibling endpoints have it
_MOST_BODY = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Faults:
    """How badly the sandbox behaves. `latency` in seconds, `error_rate` from 0 to 1.

    `rate_limit` is in requests a second. `page_limit` caps a page of a batch
    reply whatever `limit` the request sends.
    """

    latency: float = 0.0
    error_rate: float = 0.0
    rate_limit: float | None = None
    page_limit: int | None = None
    seed: int = 0


class Sandbox(ThreadingHTTPServer):
    """A server on loopback; as a context manager it serves in the background."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: TaskStore, *, port: int = 0, faults: Faults | None = None) -> None:
        """Listen on `port`, 0 for a free one. Raises OSError when it is taken."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.store = store
        self.faults = faults or Faults()
        self.random = random.Random(self.faults.seed)
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}"
        self.batch_queries = 0
        self.refused = 0  # for being over the rate
        self._lock = threading.Lock()
        self._allowance = self.faults.rate_limit or 0.0
        self._refilled_at = time.monotonic()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that go away in the middle."""

    def count_batch_query(self) -> None:
        with self._lock:
            self.batch_queries += 1

    def is_over_rate(self) -> bool:
        """Take one request from the allowance; True when there is none left."""
        rate = self.faults.rate_limit
        if rate is None:
            return False
        with self._lock:
            now = time.monotonic()
            refill = (now - self._refilled_at) * rate
            self._allowance = min(max(1.0, rate), self._allowance + refill)
            self._refilled_at = now
            if self._allowance < 1:
                self.refused += 1
                return True
            self._allowance -= 1
            return False

    def is_faulty(self) -> bool:
        with self._lock:
            return self.random.random() < self.faults.error_rate


class _Handler(BaseHTTPRequestHandler):
    server: Sandbox
    protocol_version = "HTTP/1.1"
    server_version = "flux-sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        """Serve an image of a finished task, or the rest of one. Like the service's, no token."""
        file = self.path.partition("?")[0].removeprefix("/files/")
        task = self.server.store.owner(file)
        time.sleep(self.server.faults.latency)
        if task is None or task.error is not None or time.time() < task.finished_at:
            self._error(404, "no_api", "There is nothing here.")
            return
        image = make_png(seed_of(file), task.request.get("size"))
        tag = f'"{file}"'
        start = _range_start(self.headers.get("range"))
        if self.headers.get("if-range", tag) != tag or start >= len(image):
            start = 0
        if self.server.is_faulty():
            self._fail_file(image[start:], start, len(image), tag)
        else:
            self._send_file(image[start:], start, len(image), tag)

    def _send_file(self, part: bytes, start: int, total: int, tag: str) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("content-range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("content-type", "image/png")
        self.send_header("content-length", str(total - start))
        self.send_header("etag", tag)
        self.end_headers()
        self.wfile.write(part)

    def _fail_file(self, part: bytes, start: int, total: int, tag: str) -> None:
        """Serve a file as a bad day would have it."""
        fault = self.server.random.choice(("cut", "reset", "wrong type", "error"))
        if fault == "error":
            self._error(500, "api_error", "fetch failed")
        elif fault == "wrong type":
            self._send(200, b"<!doctype html><title>Sign in</title>" + b" " * 200, "image/png")
        else:
            if fault == "reset":  # what is still under way is thrown away
                never = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, never)
            self._send_file(part[: len(part) // 2], start, total, tag)
            self.close_connection = True

    def do_POST(self) -> None:
        """Answer one request of the API."""
        request = self._read_request()
        time.sleep(self.server.faults.latency)
        authorization = self.headers.get("authorization", "")
        if not authorization:
            self._error(400, "no_token", "No token was sent.")
        elif authorization != f"Bearer {TOKEN}":
            self._error(401, "invalid_token", "The specified token is invalid or wrong.")
        elif self.server.is_over_rate():
            self._error(429, "too_many_requests", "Too many requests.", retry_after=1)
        elif self.server.is_faulty():
            self._fail()
        elif not isinstance(request, dict):
            self._error(400, "bad_request", "The body is not a JSON object.")
        elif self.path == "/flux/tasks":
            self._answer_query(request)
        elif self.path == "/flux/images":
            self._accept(request)
        else:
            self._error(404, "no_api", f"There is no API at {self.path}.")

    def _read_request(self) -> Any:
        try:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(min(length, _MOST_BODY))
            return json.loads(body) if 0 < length <= _MOST_BODY else None
        except (ValueError, RecursionError):
            return None

    def _answer_query(self, request: dict[str, Any]) -> None:
        action = request.get("action")
        if action == "retrieve":
            tasks = self.server.store.find([str(request.get("id"))])
            self._json(200, self._record(tasks[0]) if tasks else {})
        elif action == "retrieve_batch":
            self.server.count_batch_query()
            ids = request.get("ids")
            store = self.server.store
            tasks = store.find(ids) if isinstance(ids, list) and ids else store.newest()
            offset = _whole(request.get("offset"), 0)
            limit = _whole(request.get("limit"), _DEFAULT_PAGE)
            limit = min(limit, self.server.faults.page_limit or limit)
            page = tasks[offset : offset + limit]
            self._json(200, {"items": [self._record(task) for task in page], "count": len(tasks)})
        else:
            self._error(400, "bad_request", "The action must be retrieve or retrieve_batch.")

    def _accept(self, request: dict[str, Any]) -> None:
        for field in ("action", "prompt", "size"):
            if not request.get(field):
                self._error(400, "bad_request", f"{field} is required")
                return
        is_async = bool(request.pop("async", None)) or bool(request.get("callback_url"))
        task = self.server.store.submit(request)
        if is_async:
            self._json(200, {"task_id": task.id, "trace_id": task.trace_id})
            return
        time.sleep(max(0.0, task.finished_at - time.time()))
        self._json(200 if task.error is None else 500, response(task, self._files_url))

    def _fail(self) -> None:
        fault = self.server.random.choice(("api_error", "gateway", "overload", "cut"))
        if fault == "api_error":
            self._error(500, "api_error", "fetch failed")
        elif fault == "cut":
            self.close_connection = True
        else:
            status = 502 if fault == "gateway" else 503
            page = f"<html><head><title>{status}</title></head><body>Try later</body></html>"
            self._send(status, page.encode(), "text/html")

    @property
    def _files_url(self) -> str:
        return f"{self.server.base_url}/files"

    def _record(self, task: SandboxTask) -> dict[str, Any]:
        return record(task, time.time(), self._files_url)

    def _error(self, status: int, code: str, message: str, *, retry_after: int = 0) -> None:
        error = {"code": code, "message": message}
        document = {"success": False, "error": error, "trace_id": str(uuid.uuid4())}
        self._json(status, document, retry_after=retry_after)

    def _json(self, status: int, document: Any, *, retry_after: int = 0) -> None:
        self._send(
            status, json.dumps(document).encode(), "application/json", retry_after=retry_after
        )

    def _send(self, status: int, body: bytes, kind: str, *, retry_after: int = 0) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if retry_after:
            self.send_header("retry-after", str(retry_after))
        self.end_headers()
        self.wfile.write(body)


def _range_start(header: str | None) -> int:
    match = re.fullmatch(r"bytes=([0-9]{1,12})-", header or "")
    return int(match[1]) if match else 0


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default
