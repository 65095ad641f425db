"""Runs `flux` on a real pseudo-terminal and reads the screen through a terminal emulator."""

import time
from dataclasses import dataclass

import pexpect
import pyte

from tests.support.patience import LONGEST
from tests.support.program import FLUX, MEASURED_BY, Program


@dataclass
class Screen:
    """What a person sees, and what was sent to show it."""

    lines: list[str]
    sent: str
    code: int
    cursor_hidden: bool


class Terminal:
    """One run of flux, or of a `command` of bash, on a terminal of `columns` by `rows`."""

    def __init__(
        self,
        flux: Program,
        *arguments: str,
        columns: int = 80,
        rows: int = 40,
        gets_signals: bool = False,
        command: str | None = None,
        variables: dict[str, str | None] | None = None,
        **changes: str | None,
    ) -> None:
        if gets_signals:  # inside the measuring code they would hang it
            changes |= dict.fromkeys(MEASURED_BY)
        environment = flux.variables({"TERM": "xterm-256color", **(variables or {}), **changes})
        self.sent = ""
        self._size = (columns, rows)
        self.process = pexpect.spawn(
            FLUX if command is None else "bash",
            list(arguments) if command is None else ["-c", command],
            env=environment,
            cwd=str(flux.folder),
            dimensions=(rows, columns),
            encoding="utf-8",
            codec_errors="replace",
            timeout=LONGEST,
        )

    def expect(self, text: str) -> None:
        """Wait until `text` is shown."""
        self.process.expect_exact(text)
        self.sent += self.process.before + self.process.after

    def type(self, text: str) -> None:
        self.process.send(text)

    def end(self) -> Screen:
        """Wait for the end and return what is on the screen, scrollback included."""
        self.process.expect(pexpect.EOF)
        self.sent += self.process.before
        self.process.close()
        columns, _ = self._size
        screen = pyte.Screen(columns, 500)
        pyte.Stream(screen).feed(self.sent)
        lines = [line.rstrip() for line in screen.display]
        while lines and not lines[-1]:
            lines.pop()
        status = self.process.exitstatus
        code = status if status is not None else -(self.process.signalstatus or 0)
        return Screen(lines, self.sent, code, screen.cursor.hidden)

    def interrupt_after(self, seconds: float) -> float:
        """Press Ctrl-C after `seconds` and return how long flux took to end."""
        time.sleep(seconds)
        started = time.monotonic()
        self.process.sendintr()
        self.process.expect(pexpect.EOF)
        self.sent += self.process.before
        return time.monotonic() - started
