"""`flux tasks list`, and `--since` in place of ids: the account's own tasks, found again."""

import json
import os
import signal
import time

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Faults, Misbehaviour
from tests.end_to_end.test_check import Start, StartSandbox
from tests.support.fault_server import Request, Step, reply
from tests.support.program import Program
from tests.support.records import batch, error_body, finished, make_ids
from tests.support.terminal import Terminal


HOUR = 3600.0
LIST = ("tasks", "list")


def plant(sandbox: StartSandbox, count: int, faults: Faults | None = None) -> list[str]:
    """Have tasks in the account, one an hour, newest first; some fail, some are videos."""
    server = sandbox(faults=faults)
    ids = []
    for number in range(count):
        prompt = "bound to fail" if number % 5 == 4 else f"fox {number}"
        task = server.store.submit(
            {"action": "generate", "prompt": prompt, "size": "1:1", "model": "flux-dev"},
            type="videos" if number % 3 == 2 else "images",
            created_at=time.time() - number * HOUR - 60,
        )
        ids.append(task.id)
    return ids


def test_the_newest_fifty_newest_first(flux: Program, sandbox: StartSandbox) -> None:
    ids = plant(sandbox, 60)
    run = flux(*LIST, "-o", "ids").expect(ExitCode.OK)
    assert run.lines == ids[:50]
    run = flux(*LIST, "--limit", "3").expect(ExitCode.OK, stderr="3 tasks: 3 succeeded")
    assert [record["id"] for record in run.records] == ids[:3]
    assert run.records[0]["prompt"] == "fox 0"


@pytest.mark.parametrize("way", [None, *Misbehaviour])
def test_every_task_is_listed_once_however_the_service_behaves(
    flux: Program, sandbox: StartSandbox, way: Misbehaviour | None
) -> None:
    ids = plant(sandbox, 45, Faults(misbehaviours=frozenset({way} if way else ())))
    run = flux(*LIST, "--all", "-o", "ids")
    if way is Misbehaviour.NO_HISTORY:
        run.expect(ExitCode.OK, stderr="the service lists no tasks since")
        assert "FLUX_API_TOKEN" in run.stderr
    elif way is Misbehaviour.NO_ITEMS:
        assert run.code in (ExitCode.OK, ExitCode.NO_ANSWER)
    else:
        run.expect(ExitCode.OK)
        assert sorted(run.lines) == sorted(ids)
        assert run.lines == ids or way in (Misbehaviour.UNDATED, Misbehaviour.ODD_RECORDS)


def test_since_until_type_and_state_choose(flux: Program, sandbox: StartSandbox) -> None:
    ids = plant(sandbox, 30)
    assert flux(*LIST, "--since", "10h", "-o", "ids").lines == ids[:10]
    assert flux(*LIST, "--since", "10h", "--until", "5h", "-o", "ids").lines == ids[5:10]
    assert flux(*LIST, "--type", "videos", "-o", "ids").lines == ids[2::3]
    failed = flux(*LIST, "--state", "failed", "--limit", "2", "-o", "ids")
    assert failed.lines == ids[4:10:5]


def test_below_the_summary_stands_why_tasks_failed(flux: Program, sandbox: StartSandbox) -> None:
    ids = plant(sandbox, 12)
    run = flux(*LIST, "-o", "ids").expect(ExitCode.OK)
    checked = flux("tasks", "check", *ids, "-o", "ids").expect(ExitCode.OK)
    summary, *reasons = run.stderr.splitlines()
    assert summary.startswith("12 tasks: 10 succeeded, 2 failed")
    assert reasons[1] == f"    {ids[4]} {ids[9]}"
    assert run.stderr == checked.stderr  # as check says it
    assert "10 succeeded" not in flux(*LIST, "-q").stderr
    grouped = flux(*LIST, "-o", "reasons").expect(ExitCode.OK)
    assert [json.loads(line)["count"] for line in grouped.lines] == [2]
    assert len(grouped.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--batch-size", "--concurrency"])
def test_what_means_nothing_for_a_list_is_no_option_of_it(flux: Program, option: str) -> None:
    flux(*LIST, option, "5").expect(ExitCode.USAGE, stderr="No such option")
    assert option not in flux(*LIST, "--help").out


def test_a_list_that_is_cut_says_so(flux: Program, sandbox: StartSandbox) -> None:
    plant(sandbox, 4)
    note = "flux: only the newest 3 are listed; --all lists every task.\n"
    flux(*LIST, "--limit", "3").expect(ExitCode.OK, stderr=note)
    assert "only the newest" not in flux(*LIST, "--limit", "4").stderr
    plant(sandbox, 31)
    flux(*LIST, "--limit", "30").expect(ExitCode.OK, stderr=note.replace("3", "30"))
    assert flux(*LIST, "--limit", "3", "--quiet").stderr == ""


def test_a_table_with_ages_on_a_terminal(flux: Program, sandbox: StartSandbox) -> None:
    ids = plant(sandbox, 3)
    for columns in (40, 90, 120, 140):
        screen = Terminal(flux, *LIST, columns=columns).end()
        text = "\n".join(screen.lines)
        assert [text.index(task_id) for task_id in ids] == sorted(map(text.index, ids))
        assert text.index("1m ago") < text.index("1h ago") < text.index("2h ago")


@pytest.mark.parametrize("verb", ["check", "watch", "download"])
def test_since_stands_in_place_of_ids(flux: Program, sandbox: StartSandbox, verb: str) -> None:
    ids = plant(sandbox, 4)
    run = flux("tasks", verb, "--since", "3h", "-o", "ids").expect(ExitCode.OK)
    assert sorted(run.lines) == sorted(ids[:3])
    both = flux("tasks", verb, "--since", "3h", ids[0])
    both.expect(ExitCode.USAGE, stderr="--since and task ids cannot be combined")
    none = flux("tasks", verb, "--since", "10s")
    none.expect(ExitCode.OK, stderr="the service lists no tasks since")


def test_a_download_since_then_fetches_each_picture_once(
    flux: Program, sandbox: StartSandbox
) -> None:
    plant(sandbox, 4)
    first = flux("tasks", "download", "--since", "7d", "-d", "pictures").expect(ExitCode.OK)
    assert "saved 4 files" in first.stderr
    again = flux("tasks", "download", "--since", "7d", "-d", "pictures").expect(ExitCode.OK)
    assert "saved 0 files" in again.stderr
    assert "kept 4" in again.stderr


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--since", "soon"), "neither a duration"),
        (("--since", "1h", "--until", "2h"), "--until 2h is before --since 1h"),
        (("--limit", "0"), "0 is not in the range"),
    ],
)
def test_bad_bounds_are_named_and_nothing_is_sent(
    flux: Program, service: Start, options: tuple[str, ...], problem: str
) -> None:
    server = service(lambda _: [reply(200, batch([]))])
    flux(*LIST, *options).expect(ExitCode.USAGE, stderr=problem)
    assert not server.requests


def test_a_service_that_refuses_is_named(flux: Program, service: Start) -> None:
    service(lambda _: [reply(403, error_body("disabled", "not for you", "trace-9"))])
    flux(*LIST).expect(ExitCode.NO_ANSWER, stderr="not for you")


def test_what_was_told_before_a_failure_is_shown(flux: Program, service: Start) -> None:
    ids = make_ids(60)

    def script(request: Request) -> list[Step]:
        if "created_at_max" in request.body:
            return [reply(403, error_body("disabled", "no more"))]
        now = time.time()
        records = [finished(i, created_at=now - n) for n, i in enumerate(ids[:30])]
        return [reply(200, batch(records))]

    service(script)
    run = flux(*LIST, "--all", "-o", "ids").expect(ExitCode.NO_ANSWER, stderr="no more")
    assert run.lines == ids[:30]


def test_ids_that_cannot_be_are_left_out(flux: Program, service: Start) -> None:
    now = time.time()
    records = [
        finished(task_id, created_at=now)
        for task_id in ("good-1", "bad \x1b[31m", "", "a,b", "x" * 200)
    ]
    service(lambda _: [reply(200, batch(records))])
    assert flux(*LIST, "-o", "ids").expect(ExitCode.OK).lines == ["good-1"]


def test_a_signal_while_it_is_written_leaves_whole_json(flux: Program, service: Start) -> None:
    """What was told is written to the end for whoever reads it: nothing is cut off an array."""
    now = time.time()
    prompt = {"prompt": "x" * 2000}
    records = [finished(i, created_at=now - n, request=prompt) for n, i in enumerate(make_ids(400))]
    service(lambda _: [reply(200, batch(records))])
    with flux.start(*LIST, "--all", "-o", "json") as background:
        assert background.process.stdout is not None
        data = os.read(background.process.stdout.fileno(), 1)  # it has begun
        background.process.send_signal(signal.SIGTERM)
        run = background.end().expect(ExitCode.TERMINATED)
    assert len(json.loads(data + run.stdout)) == 400


@pytest.mark.parametrize("verb", ["check", "watch", "download"])
def test_the_services_own_records_are_kept_with_since_too(
    flux: Program, sandbox: StartSandbox, verb: str
) -> None:
    ids = plant(sandbox, 2)
    run = flux("tasks", verb, "--since", "3h", "--raw").expect(ExitCode.OK)
    assert {record["id"]: record["raw"]["id"] for record in run.records} == dict(
        zip(ids, ids, strict=True)
    )
