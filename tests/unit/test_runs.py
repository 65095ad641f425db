"""A run that is looked at ahead, and then worked on alone."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.runs import RunRequest, look_ahead, submitting
from flux_cli.engine.session import Session
from flux_cli.errors import UsageError
from flux_cli.models.submission import RunInfo, Submission
from flux_cli.storage.journal import Journal
from tests.support.fault_server import FaultServer, Request, Step, reply
from tests.support.submitting import requests, states
from tests.unit.test_session import open_session


FAST = SubmitPolicy(rate=1000.0)


@contextmanager
def desk(folder: Path) -> Iterator[tuple[Session, Journal, list[str]]]:
    """Give a session and a journal, and the prompts that the service accepts."""
    sent: list[str] = []

    def script(request: Request) -> list[Step]:
        sent.append(request.body["prompt"])
        return [reply(200, json.dumps({"task_id": f"task-{len(sent)}"}).encode())]

    with (
        FaultServer(script) as server,
        open_session(server.url) as session,
        Journal(folder / "journal", now=time.time) as journal,
    ):
        yield session, journal, sent


def never(run: RunInfo, seconds: float) -> None:
    raise AssertionError((run, seconds))


def submit(session: Session, journal: Journal, prompts: str, most: int = 9) -> list[Submission]:
    wanted = RunRequest(requests(*prompts), "prompts")
    with submitting(session, journal, wanted, FAST, most=most, wait=never) as submitter:
        submitter.settle()
        return list(submitter.results())


def test_what_is_looked_at_ahead_changes_nothing(tmp_path: Path) -> None:
    with desk(tmp_path) as (session, journal, sent):
        _, rows = look_ahead(session, journal, RunRequest(requests("a", "b"), "prompts"))
        assert states(rows) == "pp"
        assert journal.runs() == []
        assert states(submit(session, journal, "ab")) == "aa"
        _, rows = look_ahead(session, journal, RunRequest(requests("b", "c"), "prompts"))
        assert states(rows) == "ap"
        assert sorted(sent) == ["a", "b"]


def test_whoever_waited_for_the_run_sends_rows_of_its_own(tmp_path: Path) -> None:
    """While it waits, another puts other rows at the beginning of the run."""
    with desk(tmp_path) as (session, journal, sent):
        run, _ = journal.open_run(
            requests(*"abc"), base_url=session.connection.base_url, name=None, suggestion="prompts"
        )
        others = journal.locked(run, wait=lambda _: None)
        others.__enter__()

        def wait(waited_for: RunInfo, seconds: float) -> None:
            assert waited_for == run
            assert seconds < 1
            journal.open_run(
                requests(*"xyzabc"),
                base_url=session.connection.base_url,
                name=None,
                suggestion="prompts",
            )
            others.__exit__(None, None, None)

        wanted = RunRequest(requests(*"cab"), "prompts")
        with submitting(session, journal, wanted, FAST, most=3, wait=wait) as submitter:
            submitter.settle()
            rows = list(submitter.results())
        assert [row.body["prompt"] for row in rows] == ["c", "a", "b"]
        assert sorted(sent) == ["a", "b", "c"]


def test_no_more_is_sent_than_was_agreed_to(tmp_path: Path) -> None:
    with desk(tmp_path) as (session, journal, sent):
        submit(session, journal, "ab")
        wanted = RunRequest(requests("a", "b"), "prompts")
        run, rows = look_ahead(session, journal, wanted)
        most = states(rows).count("p")
        journal.remove(run)
        with pytest.raises(UsageError, match="more than was agreed to"):
            submit(session, journal, "ab", most)
        assert sorted(sent) == ["a", "b"]
