"""The HTTP side of the sandbox: reading requests, sending replies, losing them."""

import contextlib
import json
import os
import re
import socket
import struct
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from flux_cli.sandbox.api import Answer
from flux_cli.sandbox.files import content, media_type


if TYPE_CHECKING:
    from flux_cli.sandbox.server import Sandbox


_MOST_BODY = 1 << 20  # bytes
_LONGEST_LINE = 4096  # bytes, of a chunk's header
_ERRORS = {"api_error": 500, "too_many_requests": 429, "service_unavailable": 503}
_FAILURES = (*_ERRORS, "gateway", "overload", "cut", "reset")
LATE = 2.0  # seconds until a reply that is late


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    server: "Sandbox"
    protocol_version = "HTTP/1.1"
    server_version = "flux-sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one piece
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or has another method, in the contract's shape."""
        error = "api_not_implemented" if code == HTTPStatus.NOT_IMPLEMENTED else "bad_request"
        self.close_connection = True  # a body may follow, unread
        self._answer(self.server.api().error(code, error, message or explain or "Not understood."))

    def do_GET(self) -> None:
        """Serve an output of a finished task, or the rest of one. Like the service's, no token."""
        if self.path == "/sandbox/accepted":  # no part of the contract: for tests
            self._answer(Answer(200, {"accepted": self.server.accepted}))
            return
        file = self.path.partition("?")[0].removeprefix("/files/")
        task = self.server.store.owner(file)
        time.sleep(self.server.faults.latency)
        is_there = task and task.error is None and self.server.store.now() >= task.finished_at
        if not task or not is_there:
            self._answer(self.server.api().error(404, "no_api", "There is nothing here."))
            return
        data = content(task, file)
        tag = f'"{file}"'
        start = _range_start(self.headers.get("range"))
        if self.headers.get("if-range", tag) != tag or start >= len(data):
            start = 0
        if self.server.is_faulty():
            self._fail_file(file, data, start)
        else:
            self._send_file(file, data, start)

    def _send_file(self, file: str, data: bytes, start: int, *, half: bool = False) -> None:
        self.send_response(206 if start else 200)
        if start:
            self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("content-type", media_type(file))
        self.send_header("content-length", str(len(data) - start))
        self.send_header("etag", f'"{file}"')
        self.end_headers()
        self.wfile.write(data[start : (start + len(data)) // 2 if half else None])

    def _fail_file(self, file: str, data: bytes, start: int) -> None:
        """Serve a file as a bad day would have it."""
        fault = self.server.random.choice(("cut", "reset", "wrong type", "error"))
        if fault == "error":
            self._answer(self.server.api().error(500, "api_error", "fetch failed"))
        elif fault == "wrong type":
            page = b"<!doctype html><title>Sign in</title>" + b" " * 200
            self._send(200, page, media_type(file))
        else:
            if fault == "reset":  # what is still under way is thrown away
                self._throw_away_at_the_end()
            self._send_file(file, data, start, half=True)
            self.close_connection = True

    def do_POST(self) -> None:
        """Answer one request of the API."""
        body = self._read_body()
        time.sleep(self.server.faults.latency)
        server, api = self.server, self.server.api()
        authorization = self.headers.get("authorization", "")
        if not authorization:
            self._answer(api.error(400, "no_token", "No token was sent."))
        elif authorization != f"Bearer {server.token}":
            self._answer(api.answer_a_stranger(self.path))
        elif server.is_over_rate():
            error = api.error(429, "too_many_requests", "Too many requests.")
            self._answer(error, retry_after=1)
        elif server.is_faulty():
            self._fail()
        elif not isinstance(body, dict):
            self._answer(api.error(400, "bad_request", "The body is not a JSON object."))
        else:
            if body.get("action") == "retrieve_batch":
                server.count_batch_query()
            answer = api.answer(self.path, body)
            if answer.task and server.loses_reply():
                self._lose(answer)
            else:
                self._answer_at_its_end(answer)

    def _answer_at_its_end(self, answer: Answer) -> None:
        """Answer, where it was asked for, only when the task has finished."""
        if answer.task and answer.document is None:
            time.sleep(max(0.0, answer.task.finished_at - self.server.store.now()))
            answer = self.server.api().final(answer.task)
        self._answer(answer)

    def _read_body(self) -> Any:
        """Return the request's JSON; None for what is none, or is too large."""
        try:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                return json.loads(self._read_chunks())
            length = int(self.headers.get("content-length") or 0)
            if not 0 <= length <= _MOST_BODY:
                raise ValueError(length)  # noqa: TRY301 - one end for all that is unreadable
            return json.loads(self.rfile.read(length))
        except json.JSONDecodeError:
            return None
        except (ValueError, RecursionError):
            self.close_connection = True  # where the next request begins is not known
            return None

    def _read_chunks(self) -> bytes:
        """Return a body that comes in chunks (RFC 9112, section 7.1)."""
        body = b""
        while size := int(self.rfile.readline(_LONGEST_LINE).partition(b";")[0], 16):
            if size < 0 or len(body) + size > _MOST_BODY:
                raise ValueError(size)
            body += self.rfile.read(size)
            self.rfile.readline(_LONGEST_LINE)
        while self.rfile.readline(_LONGEST_LINE).strip():
            pass  # a trailer
        return body

    def _fail(self) -> None:
        """Refuse a request, without any effect, as a bad day would have it."""
        fault = self.server.random.choice(_FAILURES)
        if fault in _ERRORS:
            self._answer(self.server.api().error(_ERRORS[fault], fault, "Try again later."))
        elif fault == "cut":
            self.close_connection = True
        elif fault == "reset":
            self._reset()
        else:
            self._send_page(502 if fault == "gateway" else 503)

    def _lose(self, answer: Answer) -> None:
        """Lose the reply about a task that was accepted: all of it, a half, or in a gateway.

        Or answer so late that the client may have gone.
        """
        way = self.server.random.choice(("close", "reset", "half", "gateway", "error", "late"))
        if way == "late":
            time.sleep(LATE)
            self._answer_at_its_end(answer)
            return
        self.close_connection = True
        if way == "gateway":
            self._send_page(504)
        elif way == "error":
            self._answer(self.server.api().error(500, "api_error", "fetch failed"))
        elif way == "half":
            data = json.dumps(answer.document).encode()
            self._send(200, data[: len(data) // 2], "application/json", length=len(data))
        elif way == "reset":
            self._reset()

    def _reset(self) -> None:
        """End the connection with a reset, at once."""
        self.close_connection = True
        self._throw_away_at_the_end()
        os.close(self.connection.detach())

    def _throw_away_at_the_end(self) -> None:
        """Make the end of the connection a reset."""
        linger = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _answer(self, answer: Answer, *, retry_after: int = 0) -> None:
        body = json.dumps(answer.document).encode()
        self._send(answer.status, body, "application/json", retry_after=retry_after)

    def _send_page(self, status: int) -> None:
        page = f"<html><head><title>{status}</title></head><body>Try later</body></html>"
        self._send(status, page.encode(), "text/html")

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str,
        *,
        length: int | None = None,
        retry_after: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) if length is None else length))
        if retry_after:
            self.send_header("retry-after", str(retry_after))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _range_start(header: str | None) -> int:
    match = re.fullmatch(r"bytes=([0-9]{1,12})-", header or "")
    return int(match[1]) if match else 0
