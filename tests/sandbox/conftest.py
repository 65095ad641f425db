"""A sandbox with a clock of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.server import Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.sandbox.client import CLOCK, STARTED, now


@pytest.fixture(autouse=True)
def _clock() -> None:
    CLOCK[0] = STARTED


@pytest.fixture
def served() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with a clock of its own."""
    with ExitStack() as stack:

        def start(*misbehaviours: Misbehaviour, **faults: Any) -> Sandbox:
            store = TaskStore(failure_rate=0.0, now=now)
            setup = Faults(misbehaviours=frozenset(misbehaviours), **faults)
            return stack.enter_context(Sandbox(store, faults=setup))

        yield start
