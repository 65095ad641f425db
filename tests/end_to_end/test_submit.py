"""`flux images generate` and its siblings: prompts become tasks, and each is paid for once."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.server import Sandbox
from tests.end_to_end.test_check import Start, StartSandbox
from tests.support.fault_server import Request, Step, reply
from tests.support.patience import LONGEST
from tests.support.program import FLUX, Program
from tests.support.records import error_body
from tests.support.terminal import Terminal


OTHER = "another-test-token-not-a-secret"
GENERATE = ("images", "generate", "--rate", "500")


def prompts_of(server: Sandbox) -> list[str]:
    return sorted(str(task.request["prompt"]) for task in server.store.newest())


def write_prompts(flux: Program, count: int, name: str = "prompts.txt") -> str:
    (flux.folder / name).write_text("".join(f"a fox, number {n}\n" for n in range(count)))
    return name


def test_prompts_become_tasks_in_their_order(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    run = flux(*GENERATE, "a red fox", "a blue cat", "--size", "16:9", "-m", "flux-2-pro")
    run.expect(ExitCode.OK, stderr="run a-red-fox: 2 accepted")
    assert [(r["prompt"], r["state"], r["size"], r["model"]) for r in run.records] == [
        ("a red fox", "pending", "16:9", "flux-2-pro"),
        ("a blue cat", "pending", "16:9", "flux-2-pro"),
    ]
    assert {r["id"] for r in run.records} == {task.id for task in server.store.newest()}
    for task in server.store.newest():
        assert task.request["async"] is True
        assert task.request["action"] == "generate"


def test_the_same_command_twice_submits_once(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 12)
    first = flux(*GENERATE, "-f", file).expect(ExitCode.OK)
    again = flux(*GENERATE, "-f", file)
    again.expect(ExitCode.OK, stderr="all 12 prompts were submitted before (run prompts)")
    assert again.states == first.states
    assert server.accepted == 12


def test_only_a_changed_line_is_sent_whatever_the_file_is_called(
    flux: Program, sandbox: StartSandbox
) -> None:
    server, file = sandbox(), write_prompts(flux, 6)
    flux(*GENERATE, "-f", file).expect(ExitCode.OK)
    lines = (flux.folder / file).read_text().splitlines()
    lines[2] = "an owl"
    (flux.folder / "other.txt").write_text("\n".join(reversed(lines)))
    run = flux(*GENERATE, "-f", "other.txt").expect(ExitCode.OK, stderr="5 of 6 prompts were")
    assert [r["prompt"] for r in run.records] == lines[::-1]
    assert server.accepted == 7
    assert "an owl" in prompts_of(server)


def test_a_prompt_that_is_there_twice_is_made_twice_and_no_more(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox()
    for _ in range(2):
        run = flux(*GENERATE, "a fox", "a fox", "a cat").expect(ExitCode.OK)
        assert len(set(run.states)) == 3
    assert prompts_of(server) == ["a cat", "a fox", "a fox"]


def test_again_and_a_name_of_its_own_begin_anew(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    flux(*GENERATE, "a fox").expect(ExitCode.OK)
    flux(*GENERATE, "a fox", "--again").expect(ExitCode.OK, stderr="run a-fox-2: 1 accepted")
    flux(*GENERATE, "a fox").expect(ExitCode.OK, stderr="run a-fox-2")
    flux(*GENERATE, "a fox", "--run", "monday").expect(ExitCode.OK, stderr="run monday: 1")
    flux(*GENERATE, "a fox", "--run", "monday").expect(ExitCode.OK, stderr="submitted before")
    flux(*GENERATE, "a fox", "--run", "monday", "--again").expect(
        ExitCode.USAGE, stderr="there is a run monday already"
    )
    assert server.accepted == 3


def test_a_table_of_prompts_sets_fields_and_keeps_labels(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox()
    (flux.folder / "p.csv").write_text(
        "Prompt,size,scene,count\na fox,9:16,forest,2\na cat,,home,\n"
    )
    run = flux(*GENERATE, "-f", "p.csv", "--size", "3:2").expect(ExitCode.OK)
    requests = {task.request["prompt"]: task.request for task in server.store.newest()}
    assert (requests["a fox"]["size"], requests["a fox"]["count"]) == ("9:16", 2)
    assert requests["a cat"]["size"] == "3:2"
    assert all("scene" not in request for request in requests.values())
    assert [r["prompt"] for r in run.records] == ["a fox", "a cat"]
    assert "kept as labels, not sent: " in run.stderr
    assert "scene" in run.stderr
    (flux.folder / "p.csv").write_text("prompt,modle\na fox,flux-pro\n")
    flux(*GENERATE, "-f", "p.csv").expect(ExitCode.USAGE, stderr='perhaps "model" is meant')


def test_what_is_refused_concerns_one_prompt(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    words = ("a fox", "a forbidden fox", "a cat")
    for _ in range(2):
        run = flux(*GENERATE, *words)
        run.expect(ExitCode.TASK_FAILED, stderr="2 accepted, 1 refused")
        assert [r["state"] for r in run.records] == ["pending", "failed", "pending"]
        assert run.records[1]["error"] == {
            "code": "forbidden",
            "message": "The prompt was rejected by the content filter.",
        }
    assert server.accepted == 2
    server.store.newest()
    run = flux(*GENERATE, *words, "--retry-refused").expect(ExitCode.TASK_FAILED)
    assert server.accepted == 2


def test_an_empty_balance_stops_and_a_full_one_goes_on(
    flux: Program, sandbox: StartSandbox
) -> None:
    server, file = sandbox(faults=Faults(balance=5)), write_prompts(flux, 12)
    run = flux(*GENERATE, "-f", file, "--concurrency", "2")
    run.expect(ExitCode.NO_ANSWER, stderr="Top up your balance")
    assert sum(r["state"] == "pending" for r in run.records) == 5
    assert {r["error"]["code"] for r in run.records if r["error"]} == {"not_sent"}
    server.faults = Faults()
    flux(*GENERATE, "-f", file).expect(ExitCode.OK, stderr="12 accepted")
    assert server.accepted == 12


def test_a_rejected_token_leaves_nothing_in_doubt(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 5)
    flux(*GENERATE, "-f", file, FLUX_API_TOKEN=OTHER).expect(ExitCode.TOKEN)
    flux(*GENERATE, "-f", file).expect(ExitCode.OK, stderr="5 accepted")
    assert server.accepted == 5
    flux(*GENERATE, "-f", file, FLUX_API_TOKEN=None).expect(ExitCode.TOKEN, stderr="no API token")


@pytest.mark.parametrize("seed", range(3))
def test_a_lost_reply_is_found_in_the_history(
    flux: Program, sandbox: StartSandbox, seed: int
) -> None:
    server = sandbox(faults=Faults(lose_replies=0.4, seed=seed))
    file = write_prompts(flux, 20)
    run = flux(*GENERATE, "-f", file).expect(ExitCode.OK, stderr="run prompts: 20 accepted")
    assert set(run.states) == {task.id for task in server.store.newest()}
    assert server.accepted == 20
    assert [r["prompt"] for r in run.records] == [f"a fox, number {n}" for n in range(20)]


def test_without_a_history_what_is_in_doubt_is_told_and_not_sent_again(
    flux: Program, sandbox: StartSandbox
) -> None:
    nothing = frozenset({Misbehaviour.NO_HISTORY})
    server = sandbox(faults=Faults(lose_replies=0.3, seed=1, misbehaviours=nothing))
    file = write_prompts(flux, 12)
    for _ in range(2):
        run = flux(*GENERATE, "-f", file)
        run.expect(ExitCode.NO_ANSWER, stderr="may have been accepted, but cannot be found")
        doubtful = [r for r in run.records if r["state"] == "unknown"]
        assert 0 < len(doubtful) < 12
        assert len(run.states) - 1 + len(doubtful) == server.accepted == 12  # "" is one key


def test_a_signal_ends_it_and_the_same_command_goes_on(
    flux: Program, sandbox: StartSandbox
) -> None:
    server, file = sandbox(), write_prompts(flux, 200)
    command = ("images", "generate", "-f", file, "--rate", "20")
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        with flux.start(*command, "-o", "ids") as run:
            if server.accepted == 0:
                assert run.line()
            else:
                before = server.accepted
                while server.accepted == before:
                    time.sleep(0.01)
            run.process.send_signal(number)
            run.process.wait(LONGEST)
            assert run.process.returncode == code
    assert server.accepted < 200
    flux(*GENERATE, "-f", file).expect(ExitCode.OK, stderr="run prompts: 200 accepted")
    assert server.accepted == 200
    assert len(set(prompts_of(server))) == 200


def test_two_at_once_submit_each_prompt_once(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(faults=Faults(latency=0.05)), write_prompts(flux, 15)
    with flux.start(*GENERATE, "-f", file) as one, flux.start(*GENERATE, "-f", file) as two:
        ends = [one.end(), two.end()]
    for end in ends:
        end.expect(ExitCode.OK, stderr="run prompts: 15 accepted")
    assert ends[0].states == ends[1].states
    assert server.accepted == 15


def test_a_reader_that_leaves_does_not_stop_it(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 30)
    shell = subprocess.run(
        ["sh", "-c", f"{FLUX} images generate -f {file} --rate 100 | head -1"],
        env=flux.variables({}),
        cwd=flux.folder,
        capture_output=True,
        timeout=LONGEST,
        check=True,
    )
    assert len(shell.stdout.splitlines()) == 1
    deadline = time.monotonic() + LONGEST
    while server.accepted < 30 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.accepted == 30


def test_a_dry_run_prints_bodies_and_sends_nothing(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    run = flux(*GENERATE, "a fox", "--dry-run", FLUX_JOURNAL="journal")
    run.expect(ExitCode.OK, stderr="would submit 1 image with flux-dev at 1:1. Nothing was sent")
    assert run.records == [
        {"action": "generate", "model": "flux-dev", "prompt": "a fox", "size": "1:1", "async": True}
    ]
    assert not (flux.folder / "journal").exists()
    flux(*GENERATE, "a fox", FLUX_JOURNAL="journal").expect(ExitCode.OK)
    run = flux(*GENERATE, "a fox", "a cat", "--dry-run", FLUX_JOURNAL="journal")
    assert [r["prompt"] for r in run.records] == ["a cat"]
    assert server.accepted == 1


def test_a_maximum_refuses_more(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 12)
    run = flux(*GENERATE, "-f", file, "--max", "11")
    run.expect(ExitCode.USAGE, stderr="this would submit 12 images with flux-dev at 1:1")
    assert server.accepted == 0
    flux(*GENERATE, "-f", file, "--max", "12").expect(ExitCode.OK)
    flux(*GENERATE, "-f", file, "--max", "0").expect(ExitCode.OK)  # nothing is left to submit


@pytest.mark.parametrize(("answer", "accepted"), [("y", 11), ("n", 0), ("", 0)])
def test_more_than_ten_are_asked_about_on_a_terminal(
    flux: Program, sandbox: StartSandbox, answer: str, accepted: int
) -> None:
    server, file = sandbox(), write_prompts(flux, 11)
    terminal = Terminal(flux, *GENERATE, "-f", file, columns=120)
    terminal.expect("Submit 11 images with flux-dev at 1:1?")
    terminal.type(f"{answer}\r")
    assert terminal.end().code == (ExitCode.OK if accepted else ExitCode.USAGE)
    assert server.accepted == accepted


def test_what_was_agreed_to_is_not_asked_again(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 12)
    Terminal(flux, *GENERATE, "-f", file, "--yes", columns=120).end()
    Terminal(flux, *GENERATE, "-f", file, columns=120).end()
    assert server.accepted == 12


def test_from_prompts_to_a_gallery_in_one_command(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 5)
    command = (*GENERATE, "-f", file, "--download", "pictures", "--contact-sheet")
    for _ in range(2):
        run = flux(*command, "--interval", "1").expect(ExitCode.OK, stderr="5 succeeded")
        assert {r["state"] for r in run.records} <= {"pending", "processing", "succeeded"}
    names = {path.suffix for path in (flux.folder / "pictures").iterdir()}
    assert names == {".png", ".html"}
    assert len(list((flux.folder / "pictures").glob("*.png"))) == 5
    assert "to see them, open pictures/index.html" in run.stderr
    assert server.accepted == 5


def test_what_failed_can_be_retried_as_it_is_printed(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    words = (*GENERATE, "an overloaded fox", "a fine fox", "--run", "mine")
    run = flux(*words, "--watch", "--interval", "1").expect(ExitCode.TASK_FAILED)
    (command,) = re.findall(r"^  \S*flux (tasks retry .*)$", run.stderr, re.MULTILINE)
    assert len(flux(*command.split()).expect(ExitCode.OK).records) == 1
    assert server.accepted == 3


def test_a_watch_after_refusals_exits_as_failed(flux: Program, sandbox: StartSandbox) -> None:
    sandbox()
    run = flux(*GENERATE, "a fox", "a forbidden fox", "--watch", "--interval", "1")
    run.expect(ExitCode.TASK_FAILED, stderr="1 task: 1 succeeded")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no prompts"),
        (("--interval", "5s", "a fox"), "--interval only applies when tasks are watched"),
        (("--exec", "true", "a fox"), "--exec only applies when tasks are watched"),
        (("--sidecar", "a fox", "--watch"), "--sidecar only applies when files are saved"),
        (("--rate", "fast", "a fox"), "'fast' is not a rate"),
        (("--rate", "0", "a fox"), "'0' is not a rate"),
        (("--run", "a/b", "a fox"), "cannot be the name of a run"),
        (("--size", "17:9", "a fox"), "--size"),
        (("--model", "flux-3", "a fox"), "flux videos generate"),
        (("-f", "missing.txt"), "missing.txt"),
        (("",), "argument 1"),
    ],
)
def test_wrong_usage_sends_nothing(
    flux: Program, sandbox: StartSandbox, words: Sequence[str], sentence: str
) -> None:
    server = sandbox()
    flux("images", "generate", *words).expect(ExitCode.USAGE, stderr=sentence)
    assert server.accepted == 0


def damage(path: Path, how: str) -> None:
    if how == "garbage":
        path.write_bytes(b"this is no journal" * 500)
    elif how == "folder":
        path.mkdir()
    elif how == "newer":
        subprocess.run(
            ["python3", "-c", _NEWER, str(path)], check=True, env={"PATH": os.environ["PATH"]}
        )
    else:
        path.symlink_to("/proc/none/journal")


_NEWER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
    "c.execute('CREATE TABLE runs (number)'); c.execute('PRAGMA user_version = 999');"
    "c.execute(f'PRAGMA application_id = {0x464C5558}'); c.commit()"
)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("garbage", "damaged"),
        ("folder", "cannot be used"),
        ("newer", "written by a newer flux"),
        ("nowhere", "cannot be used"),
    ],
)
def test_a_journal_that_cannot_be_used_sends_nothing(
    flux: Program, sandbox: StartSandbox, how: str, sentence: str
) -> None:
    server = sandbox()
    damage(flux.folder / "journal", how)
    run = flux(*GENERATE, "a fox", "--journal", "journal")
    run.expect(ExitCode.OUTPUT, stderr=sentence)
    assert len(run.stderr.splitlines()) == 1
    assert server.accepted == 0


@pytest.mark.parametrize("status", [500, 502, 504])
def test_what_may_have_been_taken_is_sent_once(flux: Program, service: Start, status: int) -> None:
    sent: list[Request] = []

    def script(request: Request) -> list[Step]:
        if request.path == "/flux/images":
            sent.append(request)
            return [reply(status, error_body("api_error", "It broke."))]
        return [reply(200, b'{"items": [], "count": 0}')]

    service(script)
    flux(*GENERATE, "a fox").expect(ExitCode.NO_ANSWER, stderr="may have been accepted")
    flux(*GENERATE, "a fox").expect(ExitCode.NO_ANSWER, stderr="may have been accepted")
    assert len(sent) == 1


def test_a_busy_service_is_asked_again(flux: Program, service: Start) -> None:
    answers = iter(
        [
            reply(429, error_body("too_many_requests", "Slow down.")),
            reply(503, error_body("service_unavailable", "Busy.")),
            reply(200, b'{"task_id": "11111111-2222-3333-4444-555555555555"}'),
        ]
    )
    service(lambda _: [next(answers)])
    run = flux(*GENERATE, "a fox").expect(ExitCode.OK)
    assert list(run.states) == ["11111111-2222-3333-4444-555555555555"]


def test_videos_and_edits(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    url = "https://example.com/a.png"
    flux("images", "edit", "make it night", "--image-url", url).expect(ExitCode.OK)
    flux("videos", "generate", "waves", "--duration", "8", "--keyframes", url).expect(ExitCode.OK)
    flux("videos", "generate", "--draft-task-id", "abc-1").expect(ExitCode.OK)
    bodies = [task.request for task in reversed(server.store.newest())]
    assert bodies[0]["action"] == "edit"
    assert bodies[0]["image_url"] == url
    assert (bodies[1]["mode"], bodies[1]["keyframes"], bodies[1]["duration"]) == ("i2v", [url], 8)
    assert bodies[2]["mode"] == "draft_enhance"
    assert "prompt" not in bodies[2]


def test_failed_tasks_are_retried_once(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    words = ("an overloaded fox", "a moderated fox", "a fine fox")
    ids = list(flux(*GENERATE, *words, "--watch", "--interval", "1", "--size", "3:2").states)
    (flux.folder / "ids.txt").write_text("\n".join(ids))
    retry = ("tasks", "retry", "-f", "ids.txt", "--rate", "500")
    for _ in range(2):
        run = flux(*retry).expect(ExitCode.OK, stderr="run retry: 1 accepted")
        assert "1 refused by content moderation (add --all)" in run.stderr
        assert not set(run.states) & set(ids)
    assert server.accepted == 4
    (task,) = (task for task in server.store.newest() if task.id in run.states)
    assert (task.request["prompt"], task.request["size"]) == ("an overloaded fox", "3:2")
    flux(*retry, "--all").expect(ExitCode.OK, stderr="2 accepted")
    assert server.accepted == 5
    flux("tasks", "retry", ids[2]).expect(ExitCode.OK, stderr="nothing to retry")


def test_the_history_is_looked_through_before_anything_is_sent_again(
    flux: Program, sandbox: StartSandbox
) -> None:
    nothing = frozenset({Misbehaviour.NO_HISTORY})
    server = sandbox(faults=Faults(lose_replies=1.0, misbehaviours=nothing))
    flux(*GENERATE, "a fox").expect(ExitCode.NO_ANSWER)
    server.faults = Faults()
    run = flux(*GENERATE, "a fox", "--resend-unconfirmed").expect(ExitCode.OK)
    assert server.accepted == 1
    assert list(run.states) == [server.store.newest()[0].id]


def test_records_are_whole_json(flux: Program, sandbox: StartSandbox) -> None:
    sandbox()
    run = flux(*GENERATE, "a fox", "a forbidden fox", "-o", "json")
    records = json.loads(run.out)
    assert [r["state"] for r in records] == ["pending", "failed"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--download", "taken"), ExitCode.OUTPUT, "taken: cannot be written"),
        (("--download", "pics", "--archive", "taken"), ExitCode.USAGE, "not a line of an archive"),
        (
            ("--download", "pics", "--name", "{label:scen}_{n}.{ext}"),
            ExitCode.USAGE,
            'no prompt has a label "scen"; there are: scene',
        ),
    ],
)
def test_what_cannot_be_saved_is_seen_before_anything_is_paid_for(
    flux: Program, sandbox: StartSandbox, words: Sequence[str], code: ExitCode, sentence: str
) -> None:
    server = sandbox()
    (flux.folder / "taken").write_text("a file, and no folder")
    (flux.folder / "p.csv").write_text("prompt,scene\na fox,forest\n")
    flux(*GENERATE, "-f", "p.csv", *words).expect(code, stderr=sentence)
    assert server.accepted == 0


def test_what_is_counted_are_images(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 3)
    run = flux(*GENERATE, "-f", file, "--count", "4", "--max", "11")
    run.expect(ExitCode.USAGE, stderr="this would submit 12 images")
    terminal = Terminal(flux, *GENERATE, "-f", file, "--count", "4", columns=120)
    terminal.expect("Submit 12 images")
    terminal.type("n\r")
    assert terminal.end().code == ExitCode.USAGE
    assert server.accepted == 0


def test_one_shared_prompt_does_not_join_two_runs(flux: Program, sandbox: StartSandbox) -> None:
    server, file = sandbox(), write_prompts(flux, 5, "book.txt")
    flux(*GENERATE, "a fox, number 0", "--run", "mine").expect(ExitCode.OK)
    run = flux(*GENERATE, "-f", file)
    run.expect(ExitCode.OK, stderr="1 of 5 prompts was submitted before (run book)")
    assert server.accepted == 5
    assert len(flux("tasks", "check", "--run", "mine").records) == 1
    assert len(flux("tasks", "check", "--run", "book").records) == 5


def test_a_journal_that_is_removed_meanwhile_ends_the_run(
    flux: Program, sandbox: StartSandbox
) -> None:
    server, file = sandbox(), write_prompts(flux, 200)
    command = ("images", "generate", "-f", file, "--rate", "20", "--journal", "journal")
    with flux.start(*command) as run:
        assert run.line()
        for path in flux.folder.glob("journal*"):
            path.unlink()
        run.end().expect(ExitCode.OUTPUT, stderr="it was removed or replaced meanwhile")
    assert server.accepted < 200


def test_a_damaged_index_is_noticed(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    flux(*GENERATE, "a fox", "--journal", "journal").expect(ExitCode.OK)
    path = flux.folder / "journal"
    data = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        (key,) = connection.execute("SELECT key FROM submissions").fetchone()
    place = max(m.start() for m in re.finditer(key.encode(), data))
    path.write_bytes(data[:place] + b"~" + data[place + 1 :])
    run = flux(*GENERATE, "a fox", "--journal", "journal")
    run.expect(ExitCode.OUTPUT, stderr="it is damaged")
    assert server.accepted == 1


def test_a_dry_run_needs_no_account(flux: Program) -> None:
    run = flux(*GENERATE, "a fox", "--dry-run", FLUX_API_TOKEN=None)
    run.expect(ExitCode.OK, stderr="would submit 1 image")
