"""Whoever asks, asks a session: it opens what is needed, and keeps one budget for all of it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flux_cli.engine.listing import Bounds
from flux_cli.engine.policies import DownloadPolicy, ServiceSettings, SubmitPolicy, WatchPolicy
from flux_cli.engine.session import Session
from flux_cli.engine.watch import Changed, Ending
from flux_cli.errors import GaveUp, NoToken
from flux_cli.models.ids import TaskIds
from flux_cli.models.media import Media
from flux_cli.models.state import State
from flux_cli.models.task import File, parse_task
from flux_cli.output.progress import Progress
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.runtime import Runtime
from flux_cli.storage.journal import Journal
from tests.support.fault_server import End, FaultServer, Request, Step, reply
from tests.support.media import FILES
from tests.support.program import CANARY
from tests.support.records import batch, error_body, finished, make_ids, running
from tests.support.submitting import open_run, requests


def open_session(url: str, *, has_token: bool = True, pause: float = 0.0) -> Session:
    """Return a session as a command has it."""
    environment = {"FLUX_API_TOKEN": CANARY if has_token else "", "FLUX_CONFIG_DIR": "/nonexistent"}
    runtime = Runtime(environment, None, Stdout(None, {}), Stderr(None, {}))
    settings = ServiceSettings(base_url=url, batch_size=2, retries=0)
    return runtime.session(settings, pause=pause)


def task_ids(count: int) -> TaskIds:
    ids = TaskIds()
    for task_id in make_ids(count):
        ids.add(task_id)
    return ids


def test_a_check_answers_in_the_order_of_the_ids() -> None:
    ids = task_ids(5)
    with FaultServer() as server, open_session(server.url) as session:
        check = session.check(ids)
        tasks = [task for part in check.results() for task in part]
    assert [task.id for task in tasks] == list(ids)
    assert sorted(len(request.ids) for request in server.requests) == [1, 2, 2]
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {CANARY}"}


def test_a_watch_asks_until_all_have_ended() -> None:
    def script(request: Request) -> list[Step]:
        make: Callable[[str], object] = running if len(server.requests) < 3 else finished
        return [reply(200, batch(make(task_id) for task_id in request.ids))]

    waits: list[float] = []
    ids = task_ids(1)
    with FaultServer(script) as server, open_session(server.url) as session:
        watch = session.watch(ids, WatchPolicy(interval=2.0), wait=waits.append)
        states = [event.task.state for event in watch.events() if isinstance(event, Changed)]
    assert states == [State.PROCESSING, State.SUCCEEDED]
    assert watch.ending is Ending.DONE
    assert len(waits) == len(server.requests) - 1


def test_a_watch_that_is_cancelled_asks_no_more() -> None:
    ids = task_ids(3)
    with FaultServer() as server, open_session(server.url) as session:
        policy = WatchPolicy(timeout=0)
        watch = session.watch(ids, policy, wait=lambda _: None, is_cancelled=lambda: True)
        assert [event for event in watch.events() if isinstance(event, Changed)] == []
    assert server.requests == []


def test_without_a_token_only_files_are_fetched(tmp_path: Path) -> None:
    def script(_: Request) -> list[Step]:
        return [reply(200, FILES[Media.PNG])]

    files: list[File] = []
    with FaultServer(script) as server, open_session(server.url, has_token=False) as session:
        assert session.token is None
        with pytest.raises(NoToken):
            session.check(task_ids(1))
        output = {"success": True, "data": [{"image_url": f"{server.url}/a.png"}]}
        task = parse_task("a1", finished("a1", response=output), 1.0)
        downloader = session.downloader(tmp_path, DownloadPolicy(name="{id}.{ext}"), Progress())
        downloader.save(task, 1, files.append)
        downloader.close()
    assert [file.path for file in files] == [str(tmp_path / "a1.png")]
    assert "authorization" not in server.requests[0].headers


def test_a_pause_that_the_service_asks_for_is_told_and_handed_on() -> None:
    def script(_: Request) -> list[Step]:
        return [reply(429, error_body("too_many_requests"), retry_after="3600")]

    with FaultServer(script) as server, open_session(server.url) as session:
        assert session.pause_left() == 0
        [[task]] = session.check(task_ids(1)).results()
        left = session.pause_left()
    assert task.state is State.UNKNOWN
    assert 3500 < left <= 3600
    with open_session(server.url, pause=left) as session:
        assert 3400 < session.pause_left() <= left


def test_a_pause_that_is_too_long_says_so_where_one_page_is_asked_for() -> None:
    """Whoever lists, or logs in, was shown a bug instead."""
    pause = reply(429, error_body("too_many_requests"), retry_after="86400")
    with FaultServer(lambda _: [pause]) as server, open_session(server.url) as session:
        with pytest.raises(GaveUp, match="retry in 24 hours"):
            next(session.list(Bounds()))
        assert len(server.requests) == 1
    with (
        FaultServer(lambda _: [pause]) as server,
        open_session(server.url) as session,
        pytest.raises(GaveUp, match="retry in 24 hours"),
    ):
        session.verify_token()


def test_a_submitter_sends_searches_and_adopts_over_one_connection(tmp_path: Path) -> None:
    """The reply to the second is lost; the account's history has its task."""
    made: list[dict[str, Any]] = []

    def script(request: Request) -> list[Step]:
        if request.path == "/flux/tasks":
            assert "ids" not in request.body
            return [reply(200, batch(made))]
        record = {"id": f"task-{len(made) + 1}", "request": request.body, "created_at": time.time()}
        made.append(record)
        return [End.CLOSE if len(made) == 2 else reply(200, json.dumps(record).encode())]

    with (
        FaultServer(script) as server,
        open_session(server.url) as session,
        Journal(tmp_path / "journal", now=time.time) as journal,
    ):
        run, rows = open_run(journal, requests("a", "b", "c"), base_url=server.url)
        submitter = session.submitter(journal, run, rows, SubmitPolicy(rate=100.0), most=10)
        submitter.settle()
        found = {row.body["prompt"]: row.task_id for row in submitter.results()}
    assert {record["request"]["prompt"]: record["id"] for record in made} == found
    assert submitter.stopped_by is None
