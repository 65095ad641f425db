"""A service that does exactly what a test says, byte by byte, and remembers what it was asked."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from tests.support.records import batch, finished


class End(Enum):
    """Ways to end a connection early."""

    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class Wait:
    """Say nothing for so many seconds, or until the client is gone."""

    seconds: float


Step = bytes | End | Wait


@dataclass(frozen=True)
class Request:
    """One request as it arrived; `at` is on the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float

    @property
    def ids(self) -> list[str]:
        ids: list[str] = self.body.get("ids", [])
        return ids


Script = Callable[[Request], Iterable[Step]]


def reply(status: int, body: bytes, **headers: str) -> bytes:
    """Return a whole HTTP reply; in header names `_` stands for `-`."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answer(request: Request) -> list[Step]:
    """Answer a query in full, of a batch or of one task: every task has succeeded."""
    if request.body.get("action") == "retrieve":
        return [reply(200, json.dumps(finished(request.body["id"])).encode())]
    return [reply(200, batch(finished(task_id) for task_id in request.ids))]


@dataclass
class FaultServer:
    """Runs `script` for each request and does the steps that it returns, over TLS if told so."""

    script: Script = answer
    tls: ssl.SSLContext | None = None
    port: int = 0  # a free one
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._closed = threading.Event()
        port = self._listener.getsockname()[1]
        self.url = f"https://localhost:{port}" if self.tls else f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        with connection, connection.makefile("rb") as stream:
            try:
                while (request := _read(stream)) is not None:
                    self.requests.append(request)
                    for step in self.script(request):
                        if not self._do(step, connection):
                            return
            except OSError:
                return

    def _do(self, step: Step, connection: socket.socket) -> bool:
        """Do one step; False when the connection is to be closed."""
        match step:
            case Wait(seconds):
                self._closed.wait(seconds)
                return not self._closed.is_set()
            case End.CLOSE:
                connection.shutdown(socket.SHUT_RDWR)
                return False
            case End.RESET:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            case bytes():
                connection.sendall(step)
        return True


def _read(stream: Any) -> Request | None:
    first = stream.readline().decode("latin-1").split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(first[1], headers, json.loads(body or b"{}"), time.monotonic())
