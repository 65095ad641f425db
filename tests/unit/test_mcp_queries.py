"""What agents ask, in a time that passes at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from flux_cli.engine.policies import ServiceSettings
from flux_cli.engine.session import Session
from flux_cli.mcp.answers import batch_answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.pages import View
from flux_cli.mcp.queries import Queries, RequestedIds
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.runtime import Runtime
from flux_cli.token import Token
from tests.support.clock import FakeClock
from tests.support.fault_server import FaultServer, Request, Script, Step, reply
from tests.support.program import CANARY
from tests.support.records import batch, finished, make_ids, running


class FakeCall(Call):
    """A call whose time passes only when it sleeps, and then at once."""

    def __init__(self, seconds: float, clock: FakeClock) -> None:
        super().__init__(seconds, clock=clock)
        self._fake = clock

    def sleep(self, seconds: float) -> None:
        self._fake.now += seconds


def queries_of(url: str, clock: FakeClock) -> Queries:
    environment = {"FLUX_API_TOKEN": CANARY, "FLUX_CONFIG_DIR": "/nonexistent"}
    runtime = Runtime(environment, None, Stdout(None, {}), Stderr(None, {}), clock=clock)
    settings = ServiceSettings(base_url=url, retries=0)

    def open_session(pause: float, patience: float) -> Session:
        return runtime.session(settings, pause=pause, patience=patience)

    return Queries(open_session, sanitized=runtime.stderr.sanitized, now=lambda: 1.8e9, clock=clock)


def without(*unknown: str, make: Callable[[str], Any] = finished) -> Script:
    """Answer for all ids but those."""

    def script(request: Request) -> list[Step]:
        if (task_id := request.body.get("id")) is not None:
            record = {} if task_id in unknown else make(task_id)
            return [reply(200, json.dumps(record).encode())]
        return [reply(200, batch(make(i) for i in request.ids if i not in unknown))]

    return script


@pytest.mark.parametrize("seconds", [45, 60, 300, 3600])
def test_a_mistyped_id_holds_a_wait_for_twenty_seconds_at_most(seconds: float) -> None:
    ids = make_ids(3)
    clock = FakeClock()
    with FaultServer(without(ids[1])) as server:
        call = FakeCall(seconds, clock)
        results = queries_of(server.url, clock).wait(ids, View(), call)
    assert 10 < results.waited < 20
    answer = batch_answer(results, waited=True)
    assert answer.data["counts"] == {"succeeded": 2, "not_found": 1}
    assert (answer.data["timed_out"], answer.data["open_ids"]) == (False, [])
    assert answer.data["ask_again_after_seconds"] is None
    assert "Nothing is open" in answer.text
    assert "Not found: check the ids" in answer.text


def test_a_wait_for_what_runs_ends_with_its_time() -> None:
    ids = make_ids(3)
    clock = FakeClock()
    with FaultServer(without(ids[0], make=running)) as server:
        call = FakeCall(45, clock)
        results = queries_of(server.url, clock).wait(ids, View(), call)
    assert 45 <= results.waited < 46
    answer = batch_answer(results, waited=True)
    assert (answer.data["timed_out"], answer.data["open_ids"]) == (True, ids[1:])
    assert answer.data["ask_again_after_seconds"] == 15


class Counted(str):
    """Text that counts how often it was compared with another."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_duplicates_cost_no_more_than_others() -> None:
    """40,000 of them cost 47 seconds: each was compared with all that came before."""
    ids = [Counted(task_id) for task_id in make_ids(20_000)]
    requested = RequestedIds.of([*ids, *map(Counted, ids)], Token(CANARY), str)
    assert (len(requested.ids), requested.ids.duplicates) == (20_000, 20_000)
    assert Counted.compared < 10 * len(ids)
