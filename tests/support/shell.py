"""A shell on a terminal, for what people are told to type."""

import re
import socket
import time
from pathlib import Path

import pexpect

from tests.support.needs import leave_out, need


_PROMPT = r"<(\d+)> "  # with the exit code of what ran before
_PORTS = {"sandbox": 8765, "mcp --http --port 8000": 8000}  # that commands take as they are printed


class Shell:
    """Bash in a folder, where commands are typed one after the other."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        need("bash")
        self._process = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile", "--noediting"],
            env={**environment, "PS1": "<$?> ", "TERM": "dumb"},
            cwd=str(folder),
            dimensions=(100, 300),
            encoding="utf-8",
            codec_errors="replace",
            echo=False,
            timeout=300,
        )
        self._process.expect(_PROMPT)

    def type(self, command: str, shown: list[str], *, answer: str = "", lasts: bool = False) -> str:
        """Type `command` and return what it prints, which must match `shown`, line by line.

        `answer` is given where the terminal shows the first line, without a line break. What
        `lasts` is ended with Ctrl-C.
        """
        self._process.sendline(command)
        output = ""
        for pattern in shown:
            assert self._process.expect([pattern, _PROMPT]) == 0, (
                f"$ {command}\n{output}{self._process.before}\nlacks {pattern}"
            )
            output += self._process.before + self._process.after
            if answer:
                self._process.sendline(answer)
                answer = ""
        if lasts:
            self._process.sendintr()
        self._process.expect(_PROMPT)
        output += self._process.before
        code = int(self._process.match[1])
        assert code == (130 if lasts else 0), f"$ {command}\n{output}\nexit code {code}"
        return str(output).replace("\r\n", "\n")

    def close(self) -> None:
        self._process.close(force=True)


def await_port(command: str) -> None:
    """Wait until the port that `command` listens on is free, as other tests may use it too."""
    port = next((port for words, port in _PORTS.items() if re.search(rf"flux {words}", command)), 0)
    deadline = time.monotonic() + 60
    while port and not _is_free(port):
        if time.monotonic() > deadline:
            leave_out(f"port {port} to be free")
        time.sleep(0.2)


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
