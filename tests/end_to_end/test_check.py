"""`flux tasks check` as people and scripts call it: the installed program, real sockets."""

import csv
import io
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Faults, Sandbox
from tests.support.fault_server import FaultServer, Request, Script, Step, answer, reply
from tests.support.program import CANARY, Program
from tests.support.records import batch, failed, finished, make_ids, running


Start = Callable[[Script], FaultServer]
StartSandbox = Callable[..., Sandbox]


SUBMISSION = {"action": "generate", "size": "1:1", "async": True}


def submit(server: Sandbox, prompt: str) -> bytes:
    """Submit a task over HTTP, as curl would, and return the reply."""
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        f"{server.base_url}/flux/images",
        json.dumps({**SUBMISSION, "prompt": prompt}).encode(),
        {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        body: bytes = response.read()
    return body


@pytest.fixture
def tasks(sandbox: StartSandbox) -> list[str]:
    """Submit a task that succeeds, one that fails, and one more; return their ids."""
    server = sandbox()
    ids = [
        str(json.loads(submit(server, prompt))["task_id"])
        for prompt in ("a red fox", "bound to fail", "a blue fox")
    ]
    time.sleep(0.05)
    return ids


def test_ids_as_arguments(flux: Program, tasks: list[str]) -> None:
    run = flux("tasks", "check", *tasks).expect(ExitCode.OK)
    assert run.states == dict(zip(tasks, ("succeeded", "failed", "succeeded"), strict=True))
    assert run.stderr.splitlines()[0] == "3 tasks: 2 succeeded, 1 failed; 0.432 credits"
    assert run.stderr.splitlines()[2] == f"    {tasks[1]}"


def test_ids_on_stdin(flux: Program, tasks: list[str]) -> None:
    run = flux("tasks", "check", stdin="\n".join(tasks)).expect(ExitCode.OK)
    assert list(run.states) == tasks


def test_a_file_to_csv(flux: Program, tasks: list[str]) -> None:
    (flux.folder / "ids.txt").write_text("# my tasks\n" + "\n".join(tasks))
    run = flux("tasks", "check", "-f", "ids.txt", "-o", "csv").expect(ExitCode.OK)
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert [(row["id"], row["state"]) for row in rows] == list(
        zip(tasks, ("succeeded", "failed", "succeeded"), strict=True)
    )


def test_the_failed_ids_of_two_files(flux: Program, tasks: list[str]) -> None:
    (flux.folder / "a.json").write_text(json.dumps([{"id": tasks[0]}, {"id": tasks[1]}]))
    (flux.folder / "b.csv").write_text(f"prompt,task_id\nx,{tasks[2]}\ny,{tasks[1].upper()}\n")
    run = flux(
        *("tasks", "check", "-f", "a.json", "-f", "b.csv", "--state", "failed", "-o", "ids")
    ).expect(ExitCode.OK, stderr="flux: skipped 1 duplicate id.")
    assert run.lines == [tasks[1]]
    assert "3 tasks: 2 succeeded, 1 failed" in run.stderr


def test_the_reply_to_a_submission(flux: Program, sandbox: StartSandbox) -> None:
    reply_to_submission = submit(sandbox(), "a cat")
    run = flux("tasks", "check", stdin=reply_to_submission).expect(ExitCode.OK)
    assert list(run.states) == [json.loads(reply_to_submission)["task_id"]]


def test_its_own_output(flux: Program, tasks: list[str]) -> None:
    for form in ("jsonl", "json", "csv", "ids"):
        first = flux("tasks", "check", "-q", *tasks, "-o", form).expect(ExitCode.OK)
        second = flux("tasks", "check", "-q", "-o", "ids", stdin=first.stdout).expect(ExitCode.OK)
        assert second.lines == tasks, form
        assert second.stderr == ""


def test_arguments_files_and_stdin_are_merged_in_order(flux: Program, service: Start) -> None:
    service(answer)
    (flux.folder / "f").write_text("c1 a1")
    run = flux("tasks", "check", "b1", "a1", "-f", "f", "-f", "-", "-o", "ids", stdin="d1 b1")
    run.expect(ExitCode.OK, stderr="flux: skipped 2 duplicate ids.")
    assert run.lines == ["b1", "a1", "c1", "d1"]


def test_arguments_leave_stdin_alone(flux: Program, service: Start) -> None:
    service(answer)
    assert flux("tasks", "check", "a", "-o", "ids", stdin="b").lines == ["a"]


def test_the_request_is_the_contracts(flux: Program, service: Start) -> None:
    server = service(answer)
    flux("tasks", "check", "A-b", "2DB0168C-2373-4367-8D9A-9DC778802E8A").expect(ExitCode.OK)
    (request,) = server.requests
    assert request.path == "/flux/tasks"
    ids = ["A-b", "2db0168c-2373-4367-8d9a-9dc778802e8a"]
    assert request.body == {"action": "retrieve_batch", "ids": ids, "limit": 2}
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (50, 1), (51, 2), (500, 10)])
def test_fifty_ids_a_request(flux: Program, service: Start, count: int, requests: int) -> None:
    server = service(answer)
    ids = make_ids(count)
    run = flux("tasks", "check", "-o", "ids", stdin=" ".join(ids)).expect(ExitCode.OK)
    assert run.lines == ids
    assert len(server.requests) == requests


def test_several_requests_are_in_flight(flux: Program, service: Start) -> None:
    all_here = threading.Barrier(8)

    def together(request: Request) -> list[Step]:
        all_here.wait(20)
        return answer(request)

    service(together)
    flux("tasks", "check", stdin=" ".join(make_ids(400))).expect(ExitCode.OK)
    assert not all_here.broken

    def slow(request: Request) -> list[Step]:
        time.sleep(0.2)
        return answer(request)

    server = service(slow)
    flux("tasks", "check", "--concurrency", "1", stdin=" ".join(make_ids(150)))
    gaps = [b.at - a.at for a, b in zip(server.requests, server.requests[1:], strict=False)]
    assert min(gaps) >= 0.2


def test_5000_ids_with_a_page_limit_of_12(
    flux: Program, sandbox: StartSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    server = sandbox(faults=Faults(page_limit=12))
    ids = [server.store.submit({"prompt": "x"}).id for _ in range(5000)]
    time.sleep(0.05)
    run = flux("tasks", "check", "-o", "ids", "--state", "succeeded", stdin=" ".join(ids))
    run.expect(ExitCode.OK)
    assert run.lines == ids
    with capsys.disabled():
        print(f"\n5,000 ids, page limit 12: {server.batch_queries} requests (at best 417) ", end="")  # noqa: T201
    assert 417 <= server.batch_queries <= 417 * 1.15


PROMPT = 30 * (
    "line one\nline two\r\t[bold]not bold[/bold] \x1b[31mred\x1b]0;title\x07"
    " \u202e 👩‍🚀 é \x00\x7f "
)


@pytest.mark.parametrize("columns", ["20", "80", "300", ""])
def test_a_hostile_prompt_round_trips(flux: Program, service: Start, columns: str) -> None:
    prompt = PROMPT[:2000]

    def script(request: Request) -> list[Step]:
        records = [finished(i, request={"prompt": prompt}) for i in request.ids]
        return [reply(200, batch(records))]

    service(script)
    run = flux("tasks", "check", "a", "b", "-o", "jsonl", COLUMNS=columns).expect(ExitCode.OK)
    assert [record["prompt"] for record in run.records] == [prompt, prompt]
    assert run.stdout.count(b"\n") == 2
    for form in ("table", "csv", "json", "ids", "urls"):
        run = flux("tasks", "check", "a", "b", "-o", form, COLUMNS=columns, FORCE_COLOR="1")
        assert b"\x1b" not in run.expect(ExitCode.OK).stdout
        assert "\u202e" not in run.out


def mixed(request: Request) -> list[Step]:
    """Answer by the first letter of each id: succeeded, failed, running, or not at all."""
    make: dict[str, Callable[[str], dict[str, Any]]] = {"s": finished, "f": failed, "r": running}
    return [reply(200, batch(make[i[0]](i) for i in request.ids if i[0] in make))]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ("s1 s2", ExitCode.OK),
        ("s1 r1", ExitCode.STILL_RUNNING),
        ("s1 r1 n1", ExitCode.NOT_FOUND),
        ("s1 r1 n1 f1", ExitCode.TASK_FAILED),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "table", "ids"])
def test_exit_status(flux: Program, service: Start, ids: str, code: ExitCode, form: str) -> None:
    service(mixed)
    flux("tasks", "check", *ids.split(), "-o", form).expect(ExitCode.OK)
    flux("tasks", "check", *ids.split(), "-o", form, "--exit-status").expect(code)


def test_states_filter_every_format_and_not_the_verdict(flux: Program, service: Start) -> None:
    service(mixed)
    options = ("s1", "f1", "r1", "n1", "--state", "processing,not_found", "--exit-status")
    for form in ("jsonl", "json", "csv", "ids", "table"):
        run = flux("tasks", "check", *options, "-o", form).expect(ExitCode.TASK_FAILED)
        assert "r1" in run.out
        assert "n1" in run.out
        assert "s1" not in run.out
        assert "f1" not in run.out
        assert "4 tasks: 1 processing, 1 succeeded, 1 failed, 1 not found" in run.stderr


def test_records_come_in_other_shapes(flux: Program, service: Start) -> None:
    """Each of these is the same task; a placeholder is none, and an error is one at any level."""
    plain = finished("a")
    text = {**plain, "response": json.dumps(plain["response"])}
    result = {**plain, "response": None, "result": plain["response"]}
    times = {**plain, "created_at": 1736304669779, "finished_at": "2025-01-08T02:51:19.439Z"}
    running_one = {**text, "response": '{"success": true}', "finished_at": None, "elapsed": None}
    broken = {**running_one, "response": None, "error": {"code": "forbidden", "message": "no"}}
    shapes = [plain, text, result, times, running_one, broken]
    ids = [f"a{number}" for number in range(len(shapes))]
    items = [shape | {"id": task_id} for task_id, shape in zip(ids, shapes, strict=True)]
    service(lambda _: [reply(200, batch(items))])
    run = flux("tasks", "check", *ids).expect(ExitCode.OK)
    assert run.stderr.splitlines()[0] == "6 tasks: 1 processing, 4 succeeded, 1 failed"
    same = [record | {"id": "a", "observed_at": ""} for record in run.records[:4]]
    assert same == same[:1] * 4
    assert run.records[5]["error"] == {"code": "forbidden", "message": "no"}
    assert "log in" not in flux("tasks", "check", *ids, "-o", "table").out


def test_raw_is_the_services_record(flux: Program, service: Start) -> None:
    service(answer)
    (record,) = flux("tasks", "check", "a", "--raw").expect(ExitCode.OK).records
    assert record["raw"] == finished("a")


def test_debug_shows_the_exchange_without_the_token(flux: Program, service: Start) -> None:
    def echo(request: Request) -> list[Step]:
        record = finished("a", request={"prompt": request.headers["authorization"]})
        return [reply(200, batch([record]))]

    service(echo)
    run = flux("tasks", "check", "a", "--debug").expect(ExitCode.OK, stderr="> POST http://127.0")
    assert '"action":"retrieve_batch"' in run.stderr
    assert "< 200 (" in run.stderr
    assert run.records[0]["prompt"] == "Bearer [token]"
