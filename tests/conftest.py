"""Fixtures: the program under test, a sandbox, a service that misbehaves."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from flux_cli.sandbox.server import TOKEN, Faults, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.support.fault_server import FaultServer, Script
from tests.support.needs import account
from tests.support.program import Program


# How long an example takes is the machine's affair, and it may have other things to do.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests that were left out, also into the file that `make test` ends with."""
    skipped = terminalreporter.stats.get("skipped", [])
    line = account(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.write_line(line)
    if file := os.environ.get("LEFT_OUT_FILE"):
        Path(file).write_text(f"{line}\n")


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_works() -> None:
    """Undo what a background job inherits: there, Ctrl-C is ignored by all children too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    number = getattr(signal, "SIGQUIT", None)  # which Windows does not have
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def flux(tmp_path: Path) -> Program:
    """The installed program, with a token that must never be seen."""
    return Program(tmp_path)


@pytest.fixture
def service(flux: Program) -> Iterator[Callable[[Script], FaultServer]]:
    """Start a service that follows a script, and point the program to it."""
    with ExitStack() as stack:

        def start(script: Script) -> FaultServer:
            server = stack.enter_context(FaultServer(script))
            flux.environment["FLUX_API_BASE_URL"] = server.url
            return server

        yield start


@pytest.fixture
def sandbox(flux: Program) -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox whose tasks end at once, and point the program to it."""
    with ExitStack() as stack:

        def start(*, faults: Faults | None = None, speed: float = 1000.0) -> Sandbox:
            store = TaskStore(speed=speed, failure_rate=0.0)
            server = stack.enter_context(Sandbox(store, faults=faults))
            flux.environment["FLUX_API_BASE_URL"] = server.base_url
            flux.environment["FLUX_API_TOKEN"] = TOKEN
            return server

        yield start
