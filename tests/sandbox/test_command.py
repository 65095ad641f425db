"""`flux sandbox`: its options, as a client of the service feels them."""

import http.client
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Misbehaviour
from flux_cli.sandbox.server import TOKEN
from tests.sandbox.client import SUBMISSION
from tests.support.program import Program


@contextmanager
def started(flux: Program, *options: str) -> Iterator[str]:
    """Run `flux sandbox` on a free port and yield its address."""
    with flux.start("sandbox", "--port", "0", *options, FLUX_API_TOKEN=None) as running:
        yield running.line().strip().removeprefix("export FLUX_API_BASE_URL=http://")
        running.signal(signal.SIGINT)
        running.end().expect(ExitCode.INTERRUPTED)


def ask(address: str, path: str, body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(address, timeout=60)
    headers = {"authorization": f"Bearer {TOKEN}"}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


BATCH = {"action": "retrieve_batch"}


def test_an_account_with_a_history_and_a_balance(flux: Program) -> None:
    with started(flux, "--history", "30", "--balance", "1") as address:
        assert ask(address, "/flux/tasks", BATCH)[1]["count"] == 30
        statuses = [ask(address, "/flux/images", SUBMISSION)[0] for _ in range(2)]
        assert statuses == [200, 403]


def test_a_service_that_misbehaves(flux: Program) -> None:
    options = ("--ignore-ids", "--placeholder", "--page-limit", "3", "--speed", "0.01")
    names = ("--misbehave", "undated", "--misbehave", "oldest-first")
    with started(flux, "--history", "30", *options, *names) as address:
        accepted = [ask(address, "/flux/images", SUBMISSION)[1]["task_id"] for _ in range(2)]
        page = ask(address, "/flux/tasks", {**BATCH, "ids": accepted, "limit": 50})[1]
        assert (len(page["items"]), page["count"]) == (3, 32)
        assert not {item["id"] for item in page["items"]} & set(accepted)
        record = ask(address, "/flux/tasks", {"action": "retrieve", "id": accepted[0]})[1]
        assert record["response"]
        assert "created_at" not in record


def test_replies_that_are_lost(flux: Program) -> None:
    with started(flux, "--lose-replies", "1") as address:
        for _ in range(3):
            with pytest.raises((OSError, http.client.HTTPException, ValueError)):
                ask(address, "/flux/images", SUBMISSION)
        assert ask(address, "/flux/tasks", BATCH)[1]["count"] == 3


@pytest.mark.parametrize(
    "options",
    [
        *(("--misbehave", "badly"), ("--lose-replies", "2"), ("--history", "-1")),
        *((f"--{name}", "nan") for name in ("lose-replies", "error-rate", "failure-rate")),
        *((f"--{name}", value) for name in ("speed", "rate-limit") for value in ("nan", "inf")),
    ],
)
def test_what_is_no_option_is_refused(flux: Program, options: tuple[str, str]) -> None:
    run = flux("sandbox", *options).expect(ExitCode.USAGE)
    assert options[0] in run.stderr
    assert options[0] == "--misbehave" or "is not in the range" in run.stderr


def test_help_lists_every_misbehaviour(flux: Program) -> None:
    lines = flux("help", "misbehaviours").expect(ExitCode.OK).lines
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == [
        *Misbehaviour
    ]
