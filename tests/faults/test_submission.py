"""Each prompt is paid for once, against a real service that behaves as badly as it can."""

import json
import resource
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.server import Sandbox
from tests.soak.submissions import outcome
from tests.support.fault_server import End, FaultServer, Request, Script, Step, Wait, reply
from tests.support.patience import LONGEST
from tests.support.program import FLUX, MEASURED_BY, Program, Run
from tests.support.records import error_body


StartSandbox = Callable[..., Sandbox]
StartService = Callable[[Script], FaultServer]
PROMPTS = [f"a fox, number {n}" for n in range(12)] + ["a crow"] * 3 + ["a fox, number 1"]
MOST_RUNS = 15
BAD = {Misbehaviour.IGNORE_IDS, Misbehaviour.DISABLED, Misbehaviour.OPEN_QUERIES}
HIDES = {Misbehaviour.NO_HISTORY, Misbehaviour.NO_ITEMS, Misbehaviour.UNDATED}


@pytest.fixture(autouse=True)
def _in_a_hurry(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a history that is not late be asked at once."""
    if Misbehaviour.LATE_HISTORY.value not in request.node.name:
        monkeypatch.setattr("flux_cli.engine.submission.SEARCHES", (0.0, 0.05, 0.05))


def submit(flux: Program, *options: str, variables: dict[str, str | None] | None = None) -> Run:
    """Run the command that every test repeats."""
    (flux.folder / "prompts.txt").write_text("\n".join(PROMPTS))
    files = ("-f", "prompts.txt", "--journal", "journal")
    command = ("images", "generate", *files, "--rate", "500", "-o", "jsonl", *options)
    return flux(*command, variables=variables)


def taken(server: Sandbox) -> Counter[str]:
    """Return how often the service has taken each prompt, which is what is paid for."""
    prompts = Counter(str(task.request["prompt"]) for task in server.store.newest())
    assert prompts.total() == server.accepted
    return prompts


def check(run: Run, server: Sandbox) -> None:
    """Check that nothing was paid for twice, and that each id is that of its prompt."""
    assert taken(server) <= Counter(PROMPTS)
    assert [record["prompt"] for record in run.records] == PROMPTS
    made = {task.id: task.request["prompt"] for task in server.store.newest()}
    known = [record for record in run.records if record["id"]]
    assert len({record["id"] for record in known}) == len(known)
    assert all(made[record["id"]] == record["prompt"] for record in known)


def repeat(flux: Program, server: Sandbox, *options: str) -> Run:
    """Run the command until it has nothing more to do."""
    for _ in range(MOST_RUNS):
        run = submit(flux, *options)
        check(run, server)
        if run.code == ExitCode.OK:
            return run
        assert run.code == ExitCode.NO_ANSWER
        let_a_minute_pass(flux)
    raise AssertionError(run.stderr)


def let_a_minute_pass(flux: Program) -> None:
    """Let the journal say that all was sent a minute earlier."""
    with closing(sqlite3.connect(flux.folder / "journal")) as database, database:
        database.execute("UPDATE submissions SET sent_at = sent_at - 60")


@pytest.mark.parametrize("misbehaviour", sorted({*Misbehaviour} - BAD - HIDES))
def test_lost_replies_are_found_in_any_history(
    flux: Program, sandbox: StartSandbox, misbehaviour: Misbehaviour
) -> None:
    server = sandbox(
        faults=Faults(lose_replies=0.4, seed=3, misbehaviours=frozenset({misbehaviour}))
    )
    run = repeat(flux, server)
    assert taken(server) == Counter(PROMPTS)
    assert {record["state"] for record in run.records} == {"pending"}


@pytest.mark.parametrize("page_limit", [1, 5])
def test_lost_replies_are_found_on_any_page(
    flux: Program, sandbox: StartSandbox, page_limit: int
) -> None:
    server = sandbox(faults=Faults(lose_replies=0.5, seed=1, page_limit=page_limit))
    for _ in range(40):  # of the same account, not of this run
        server.store.submit({"action": "generate", "prompt": "a crow", "size": "16:9"})
    server.accepted = 40
    ends: list[Run] = []
    while not ends or (ends[-1].code != ExitCode.OK and len(ends) < MOST_RUNS):
        ends.append(submit(flux))
    assert server.accepted == 40 + len(PROMPTS), ends
    assert ends[-1].code == ExitCode.OK, ends


@pytest.mark.parametrize(
    "faults",
    [
        {"error_rate": 0.3},
        {"error_rate": 0.3, "lose_replies": 0.3},
        {"error_rate": 0.5, "lose_replies": 0.5, "latency": 0.02},
        {"lose_replies": 1.0},
        {"rate_limit": 30.0, "lose_replies": 0.2},
    ],
    ids=" ".join,
)
def test_whatever_goes_wrong_each_prompt_is_paid_once(
    flux: Program, sandbox: StartSandbox, faults: dict[str, float]
) -> None:
    """What is in doubt is sent again only where the history had its time, and says nothing."""
    server = sandbox(faults=Faults(**faults, seed=2))  # type: ignore[arg-type]
    check(submit(flux), server)
    check(submit(flux, "--request-timeout", "1s"), server)
    server.faults = replace(server.faults, error_rate=0.0)  # so that the history can be asked
    let_a_minute_pass(flux)
    repeat(flux, server, "--resend-unconfirmed")
    assert taken(server) == Counter(PROMPTS)


@pytest.mark.parametrize("misbehaviour", sorted(HIDES))
def test_without_a_history_those_in_doubt_are_those_that_were_taken(
    flux: Program, sandbox: StartSandbox, misbehaviour: Misbehaviour
) -> None:
    server = sandbox(
        faults=Faults(lose_replies=0.3, seed=1, misbehaviours=frozenset({misbehaviour}))
    )
    for _ in range(2):
        run = submit(flux).expect(ExitCode.NO_ANSWER, stderr="may have been accepted")
        check(run, server)
        assert taken(server) == Counter(PROMPTS)
        states = Counter(record["state"] for record in run.records)
        assert set(states) == {"pending", "unknown"}
        made = {task.id for task in server.store.newest()}
        assert states["unknown"] == len(made - {record["id"] for record in run.records})


def test_a_balance_that_runs_out_is_topped_up(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox(faults=Faults(balance=7, lose_replies=0.3, seed=1))
    check(submit(flux).expect(ExitCode.NO_ANSWER, stderr="used_up"), server)
    assert server.accepted == 7
    check(submit(flux).expect(ExitCode.NO_ANSWER, stderr="used_up"), server)
    assert server.accepted == 7
    server.faults = replace(server.faults, balance=None)
    repeat(flux, server)
    assert taken(server) == Counter(PROMPTS)


def test_a_disabled_application_takes_nothing(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox(faults=Faults(misbehaviours=frozenset({Misbehaviour.DISABLED})))
    run = submit(flux).expect(ExitCode.NO_ANSWER, stderr="disabled")
    assert server.accepted == 0
    assert {record["error"]["code"] for record in run.records} == {"not_sent"}
    server.faults = Faults()
    repeat(flux, server)
    assert taken(server) == Counter(PROMPTS)


@pytest.mark.parametrize("misbehaviour", [None, Misbehaviour.OPEN_QUERIES, Misbehaviour.ODD_ERRORS])
def test_a_wrong_token_takes_nothing(
    flux: Program, sandbox: StartSandbox, misbehaviour: Misbehaviour | None
) -> None:
    nothing = frozenset({misbehaviour} if misbehaviour else ())
    server = sandbox(faults=Faults(misbehaviours=nothing))
    wrong = "another-test-token-not-a-secret"
    for _ in range(2):
        submit(flux, variables={"FLUX_API_TOKEN": wrong}).expect(ExitCode.TOKEN)
    assert server.accepted == 0
    repeat(flux, server)
    assert taken(server) == Counter(PROMPTS)


TASK = "5f7fa1f0-3a8c-4c41-8e0c-1b3d7b7e2f11"
ACCEPTED = f'{{"task_id": "{TASK}"}}'.encode()


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        ([reply(200, ACCEPTED)], 1),
        ([End.CLOSE], 1),
        ([End.RESET], 1),
        ([reply(200, ACCEPTED)[:-5], End.CLOSE], 1),
        ([reply(200, ACCEPTED)[:-5], End.RESET], 1),
        ([b"HTTP/1.1 200 OK\r\n", End.CLOSE], 1),
        ([b"nothing of the kind\r\n\r\n"], 1),
        ([Wait(30)], 1),
        ([reply(200, ACCEPTED)[:-5], Wait(30)], 1),
        ([reply(302, b"", location="https://other.example/")], 1),
        ([reply(500, error_body("api_error"))], 1),
        ([reply(503, b"<html>busy</html>")], 1),
        (
            [
                reply(
                    503,
                    b'{"error": {"code": "service_unavailable"}, "task_id": "%s"}' % TASK.encode(),
                )
            ],
            1,
        ),
        ([reply(503, error_body("service_unavailable"))], 2),
        ([reply(429, error_body("too_many_requests"))], 2),
    ],
)
def test_only_what_was_certainly_not_taken_is_sent_again(
    flux: Program, service: StartService, answer: list[Step], sent: int
) -> None:
    """The first answer is bad, the second would be good."""
    submissions: list[Request] = []

    def script(request: Request) -> list[Step]:
        if request.path == "/flux/tasks":
            return [reply(200, b'{"items": [], "count": 0}')]
        submissions.append(request)
        return answer if len(submissions) == 1 else [reply(200, ACCEPTED)]

    service(script)
    flux("images", "generate", "a crow", "--journal", "journal", "--request-timeout", "1s")
    assert len(submissions) == sent
    flux("images", "generate", "a crow", "--journal", "journal")
    assert len(submissions) == sent


def test_a_connection_that_was_kept_and_is_gone_is_no_reason_to_send_twice(
    flux: Program, service: StartService
) -> None:
    """The service closes it when the second request has come, without an answer."""
    submissions: list[str] = []

    def script(request: Request) -> list[Step]:
        if request.path == "/flux/tasks":
            return [reply(200, b'{"items": [], "count": 0}')]
        submissions.append(request.body["prompt"])
        if len(submissions) == 2:
            return [End.CLOSE]
        return [reply(200, f'{{"task_id": "task-{len(submissions)}"}}'.encode())]

    service(script)
    Path(flux.folder / "prompts.txt").write_text("a fox\na crow\na bear\n")
    options = ("--journal", "journal", "--concurrency", "1", "--rate", "500")
    run = flux("images", "generate", "-f", "prompts.txt", *options)
    run.expect(ExitCode.NO_ANSWER)
    assert submissions == ["a fox", "a crow", "a bear"]
    assert [record["state"] for record in run.records] == ["pending", "unknown", "pending"]


@pytest.mark.parametrize(("rate", "has_history"), [(0.0, True), (0.3, True), (0.3, False)])
def test_interrupted_and_killed_it_pays_for_each_prompt_once(
    rate: float, has_history: bool
) -> None:
    """As `make soak` measures it, in small."""
    found = outcome(rate, 7, has_history=has_history, count=60, cuts=3, pause=let_a_minute_pass)
    assert (found.twice, found.lost, found.untold, found.wrong) == (0, 0, 0, 0)
    assert found.doubtful == 0 or not has_history
    assert found.accepted == 60 or not has_history


def limited(size: int) -> Callable[[], None]:
    """Return what lets no file of a child grow beyond `size` bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [30_000, 100_000, 130_000, 160_000])
def test_a_disk_that_is_full_stops_it_and_each_task_is_told(
    flux: Program, sandbox: StartSandbox, size: int
) -> None:
    """At once, or when a request was to leave, or when its reply has come."""
    server = sandbox()
    (flux.folder / "prompts.txt").write_text("\n".join(PROMPTS))
    files = ("-f", "prompts.txt", "--journal", "journal", "--concurrency", "2", "-o", "jsonl")
    run = subprocess.run(
        [FLUX, "images", "generate", *files, "--rate", "500"],
        cwd=flux.folder,
        env=flux.variables(dict.fromkeys(MEASURED_BY)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        preexec_fn=limited(size),
        timeout=LONGEST,
        check=False,
    )
    assert run.returncode == ExitCode.OUTPUT, run.stderr
    errors = [line for line in run.stderr.decode().splitlines() if "journal" in line]
    assert len(errors) == 1
    assert "the journal of submissions cannot be used: " in errors[0]
    told = {json.loads(line)["id"] for line in run.stdout.splitlines()} - {None}
    assert told == {task.id for task in server.store.newest()}
    assert server.accepted < len(PROMPTS)
    repeat(flux, server, "--resend-unconfirmed")
    assert taken(server) == Counter(PROMPTS)
