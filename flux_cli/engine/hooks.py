"""Runs a command of the user's for each task that ends, a few at a time."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flux_cli.engine.pool import Pool


_AT_ONCE = 4
_MOST_OUTPUT = 16_384  # bytes of a command's output that are shown


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    record: bytes
    variables: Mapping[str, str]


class Hooks:
    """Runs `command` in the user's shell, with a record on its stdin and in variables.

    Nothing of a record is ever put into the command line itself. What the
    command prints is handed to `say`, line by line, when it has ended.
    """

    def __init__(
        self, command: str, environment: Mapping[str, str], *, say: Callable[[str], None]
    ) -> None:
        self._command = command
        self._environment = environment
        self._say = say
        self._pool = Pool(self._work, workers=_AT_ONCE)
        self._lock = threading.Lock()
        self.failures: list[str] = []  # one line each

    def start(self, name: str, record: bytes, variables: Mapping[str, str]) -> None:
        """Run the command for one task, called `name`, as soon as there is room."""
        self._pool.start(_Job(name, record, variables))

    def finish(self) -> None:
        """Wait until the command has run for every task."""
        self._pool.finish()

    def _work(self, job: _Job) -> None:
        if problem := self._run(job):
            with self._lock:
                self.failures.append(f"{job.name}: {problem}")

    def _run(self, job: _Job) -> str:
        try:
            run = subprocess.run(  # noqa: S602 - the command is the user's own, as it stands
                self._command,
                shell=True,
                input=job.record,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**self._environment, **job.variables},
                check=False,
            )
        except (OSError, ValueError) as error:
            return f"the command could not be started: {error}"
        with self._lock:
            for line in run.stdout[:_MOST_OUTPUT].decode("utf-8", "replace").splitlines():
                self._say(line)
        if run.returncode < 0:
            return f"the command was ended by signal {-run.returncode}"
        return f"the command exited with {run.returncode}" if run.returncode else ""


def hook_variable(value: object) -> str:
    """Return `value` as an environment variable can hold it."""
    text = "" if value is None else str(value)
    return os.fsdecode(text.replace("\0", "").encode("utf-8", "replace")[:65536])
