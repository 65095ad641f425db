"""An HTTP proxy, over TLS if told so, that passes everything on to one server."""

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Self


@dataclass
class ForwardProxy:
    """Leads to `target` whatever it is asked for, and notes the heads of requests.

    With `answers` it sends that to CONNECT instead.
    """

    target: int  # a port of this machine
    tls: ssl.SSLContext | None = None
    user: str = ""  # user:password, when it wants to know
    answers: bytes | None = None
    heads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def url(self, user: str = "") -> str:
        """Return the URL that a user would set."""
        return f"{'https' if self.tls else 'http'}://{user}localhost:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                self._pass_on(connection)

    def _pass_on(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1 << 16)
        self.heads.append(head.partition(b"\r\n\r\n")[0].decode())
        wanted = f"Proxy-Authorization: Basic {base64.b64encode(self.user.encode()).decode()}"
        if self.user and wanted not in self.heads[-1]:
            connection.sendall(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")
            return
        is_tunnel = head.startswith(b"CONNECT ")
        if is_tunnel and self.answers is not None:
            connection.sendall(self.answers)
            return
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            if is_tunnel:
                connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                server.sendall(head)
            back = threading.Thread(target=_pump, args=(server, connection), daemon=True)
            back.start()
            _pump(connection, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
