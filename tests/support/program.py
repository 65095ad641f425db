"""Runs the installed `flux` and checks what must hold whatever it was told to do."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from flux_cli.errors import ExitCode
from tests.support.in_process import needs_process, run_in_process
from tests.support.patience import LONGEST


FLUX = str(Path(sys.executable).parent / "flux")
CANARY = "canary-token-not-a-secret"  # must never be seen in any output
MEASURED_BY = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
_PASSED_ON = ("LANG", *MEASURED_BY)


@dataclass(frozen=True)
class Run:
    """How one run of the program ended."""

    arguments: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: str

    @property
    def out(self) -> str:
        return self.stdout.decode()

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.split(b"\n") if line]

    @property
    def states(self) -> dict[str, str]:
        return {record["id"]: record["state"] for record in self.records}

    def expect(self, code: ExitCode, *, stderr: str = "") -> "Run":
        """Assert the exit code and a part of stderr; on a mismatch show everything."""
        assert self.code == code and stderr in self.stderr, (  # noqa: PT018 - one report
            f"flux {' '.join(self.arguments)[:300]}\n"
            f"expected exit {code:d} and {stderr!r} on stderr, got exit {self.code}\n"
            f"--- stdout\n{self.out[:3000]}\n--- stderr\n{self.stderr[:3000]}"
        )
        return self


@dataclass
class Background:
    """One run of the program that goes on while the test does."""

    program: "Program"
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes]

    def line(self) -> str:
        """Wait for one line of stdout and return it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def signal(self, number: signal.Signals) -> float:
        """Send a signal, wait for the end, and return how many seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=LONGEST)
        return time.monotonic() - started

    def end(self) -> Run:
        """Wait for the end; return what was not yet read of the output."""
        out, err = self.process.communicate(timeout=LONGEST)
        return self.program.check(Run(self.arguments, self.process.returncode, out, decode(err)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with self.process:  # waits, and closes what was not read to its end
            pass


@dataclass
class Program:
    """The installed `flux` with an environment of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = self.folder / "config"
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self.environment = {
            **passed_on,
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "FLUX_CONFIG_DIR": str(self.config),
            "FLUX_API_TOKEN": CANARY,
            "PYTHONWARNINGS": "error",
            **self.environment,
        }

    def variables(self, changes: dict[str, str | None]) -> dict[str, str]:
        """Return the environment with `changes`; None removes a variable."""
        merged = {**self.environment, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def __call__(
        self,
        *arguments: str,
        stdin: str | bytes = b"",
        variables: dict[str, str | None] | None = None,
        **changes: str | None,
    ) -> Run:
        """Run flux with `arguments`; `variables` and keywords change the environment.

        It runs in this process where it can: in the main thread, and unless a
        change is one that only a new interpreter feels.
        """
        changes |= variables or {}
        if needs_process(changes):
            return self.outside(*arguments, stdin=stdin, variables=changes)
        code, out, err = run_in_process(
            FLUX,
            arguments,
            stdin=stdin.encode() if isinstance(stdin, str) else stdin,
            environment=self.variables(changes),
            folder=self.folder,
        )
        return self.check(Run(arguments, code, out, decode(err)))

    def outside(
        self,
        *arguments: str,
        stdin: str | bytes = b"",
        variables: dict[str, str | None] | None = None,
        **changes: str | None,
    ) -> Run:
        """Run flux as everybody does, in a process of its own."""
        finished = subprocess.run(
            [FLUX, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env=self.variables(changes | (variables or {})),
            cwd=self.folder,
            timeout=LONGEST,
            check=False,
        )
        return self.check(
            Run(arguments, finished.returncode, finished.stdout, decode(finished.stderr))
        )

    def start(
        self, *arguments: str, stdin: int = subprocess.DEVNULL, **changes: str | None
    ) -> Background:
        """Start flux, to be interrupted or read from while it runs.

        Such a run is not measured: a signal inside the measuring code hangs it.
        """
        environment = self.variables(changes | dict.fromkeys(MEASURED_BY))
        process = subprocess.Popen(
            [FLUX, *arguments],
            env=environment,
            cwd=self.folder,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return Background(self, arguments, process)

    def check(self, run: Run) -> Run:
        """Assert the invariants of every run."""
        assert run.code in set(ExitCode), f"undocumented exit code {run.code}\n{run.stderr}"
        assert run.code != ExitCode.BUG, run.stderr
        assert "Traceback" not in run.stderr, run.stderr
        assert CANARY not in run.stderr
        assert CANARY.encode() not in run.stdout
        leftovers = [path.name for path in self.config.rglob("*.part")]
        assert leftovers + [path.name for path in self.temporary.iterdir()] == []
        return run


def decode(data: bytes) -> str:
    """Return what was written to stderr as text, whatever it is."""
    return data.decode("utf-8", "backslashreplace")
