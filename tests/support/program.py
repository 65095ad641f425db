"""Runs the installed `flux` and checks what must hold whatever it was told to do."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flux_cli.errors import ExitCode


FLUX = str(Path(sys.executable).parent / "flux")
CANARY = "canary-token-not-a-secret"  # must never be seen in any output
_STAND_INS = Path(__file__).parent / "bin"  # for curl and jq, where a machine has none
_PASSED_ON = ("LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


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
class Program:
    """The installed `flux` with an environment of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = self.folder / "config"
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self.environment = {
            **passed_on,
            "PATH": f"{os.environ['PATH']}:{_STAND_INS}",
            "HOME": str(self.folder),
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
        """Run flux with `arguments`; `variables` and keywords change the environment."""
        finished = subprocess.run(
            [FLUX, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env=self.variables(changes | (variables or {})),
            cwd=self.folder,
            timeout=60,
            check=False,
        )
        run = Run(
            arguments,
            finished.returncode,
            finished.stdout,
            finished.stderr.decode("utf-8", "backslashreplace"),
        )
        self.check(run)
        return run

    def check(self, run: Run) -> None:
        """Assert the invariants of every run."""
        assert run.code in set(ExitCode), f"undocumented exit code {run.code}\n{run.stderr}"
        assert run.code != ExitCode.BUG, run.stderr
        assert "Traceback" not in run.stderr, run.stderr
        assert CANARY not in run.stderr
        assert CANARY.encode() not in run.stdout
        leftovers = [path.name for path in self.folder.rglob(".credentials-*")]
        assert not leftovers, leftovers
