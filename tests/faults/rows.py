"""A row of a table of faults: what the service does, and how each command must end."""

from collections.abc import Callable
from dataclasses import dataclass

from flux_cli.errors import ExitCode
from tests.support.fault_server import FaultServer, Request, Script, Step, answer
from tests.support.program import CANARY, Program, Run
from tests.support.records import make_ids


CHECK = ("tasks", "check")
WATCH = (
    *("tasks", "watch", "--interval", "1s", "--max-interval", "1s"),
    *("--give-up-after", "0s", "--not-found-grace", "0s"),
)
LOGIN = ("auth", "login", "--with-token")
COMMANDS = {"check": CHECK, "watch": WATCH, "login": LOGIN}
IDS = make_ids(3)
LONGEST_LINE = 600  # characters on stderr: 300 of the service's own, and what flux says of them


@dataclass(frozen=True)
class Row:
    """One row: `script` is the fault, `says` a part of the one line on stderr.

    `requests` is how many a command that asks once makes, at most and, where
    the fault is not retried, exactly.
    """

    name: str
    script: Script
    code: ExitCode = ExitCode.NO_ANSWER
    says: str = ""
    requests: int | None = None
    options: tuple[str, ...] = ("--retries", "1")
    commands: tuple[str, ...] = ("check", "watch", "login")


def cases(rows: list[Row]) -> list[tuple[Row, str]]:
    """Return each row with each command that it makes sense for."""
    return [(row, command) for row in rows for command in row.commands]


def label(value: object) -> str:
    """Return the name of a case for a test's id."""
    return value.name if isinstance(value, Row) else str(value)


def meet(
    flux: Program, start: Callable[[Script], FaultServer], row: Row, command: str
) -> tuple[Run, FaultServer]:
    """Run `command` against the row's fault and check what the row says of it."""
    server = start(row.script)
    if command == "login":
        options = tuple(o for o in row.options if o not in ("--retries", "0", "1", "2"))
        run = flux(*LOGIN, *options, stdin=CANARY, FLUX_API_TOKEN=None)
        assert (flux.config / "credentials.json").exists() == (run.code == ExitCode.OK)
    else:
        run = flux(*COMMANDS[command], *row.options, *IDS)
        assert sorted(run.states) == IDS
        if command == "check":
            assert [record["id"] for record in run.records] == IDS
    run.expect(row.code, stderr=row.says)
    if row.requests is not None and command == "check":
        assert len(server.requests) == row.requests
    check_stderr(run)
    return run, server


def check_stderr(run: Run) -> None:
    """Assert that an error is one line that a person can read."""
    lines = run.stderr.splitlines()
    assert sum(line.startswith("flux: ") for line in lines) <= 2, run.stderr
    assert all(len(line) <= LONGEST_LINE for line in lines)
    assert "\x1b" not in run.stderr


def once(*steps: Step, then: Script = answer) -> Script:
    """Return a script that does `steps` for the first request, and then behaves."""
    seen: list[Request] = []

    def script(request: Request) -> list[Step]:
        seen.append(request)
        return list(steps) if len(seen) == 1 else list(then(request))

    return script


def always(*steps: Step) -> Script:
    """Return a script that does the same for each request."""
    return lambda _: list(steps)
