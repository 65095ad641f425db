"""`flux tasks watch`: live on a terminal, a stream in a pipe, a verdict at the end."""

import json
import random
import shlex
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyte
import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Faults, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.end_to_end.test_check import Start
from tests.support.fault_server import End, Request, Step, answer, reply
from tests.support.patience import AT_ONCE
from tests.support.program import CANARY, FLUX, Program
from tests.support.records import batch, error_body, failed, finished, make_ids, running
from tests.support.terminal import Terminal


WATCH = ("tasks", "watch", "--interval", "1s")


class Tasks:
    """A service whose tasks end after so many looks at each, counted for each id."""

    def __init__(self, looks: dict[str, int], fails: tuple[str, ...] = ()) -> None:
        self.looks = looks
        self.fails = fails
        self.seen: dict[str, int] = {}

    def __call__(self, request: Request) -> list[Step]:
        return [reply(200, batch(self.record(i) for i in request.ids if i in self.looks))]

    def record(self, task_id: str) -> dict[str, Any]:
        self.seen[task_id] = self.seen.get(task_id, 0) + 1
        if self.seen[task_id] < self.looks[task_id]:
            return running(task_id)
        return failed(task_id) if task_id in self.fails else finished(task_id)


def story(run_records: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    return [(r["id"], r["previous_state"], r["state"]) for r in run_records]


def test_a_record_for_each_change(flux: Program, service: Start) -> None:
    server = service(Tasks({"a": 1, "b": 2, "c": 3}, fails=("c",)))
    run = flux(*WATCH, "a", "b", "c").expect(ExitCode.TASK_FAILED)
    assert story(run.records) == [
        ("a", None, "succeeded"),
        ("b", None, "processing"),
        ("c", None, "processing"),
        ("b", "processing", "succeeded"),
        ("c", "processing", "failed"),
    ]
    assert [request.ids for request in server.requests] == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert run.stderr.splitlines()[0] == "3 tasks: 2 succeeded, 1 failed"


def test_the_interval_is_kept(flux: Program, service: Start) -> None:
    server = service(Tasks({"a": 3}))
    flux(*WATCH, "a").expect(ExitCode.OK)
    first, second, third = (request.at for request in server.requests)
    assert second - first >= 1.0
    assert third - second >= 1.5  # grown by half, as nothing had changed


def test_records_leave_at_once(flux: Program, service: Start) -> None:
    service(Tasks({"a": 1, "b": 100}))
    with flux.start(*WATCH, "a", "b") as running_flux:
        assert json.loads(running_flux.line())["state"] == "succeeded"
        running_flux.signal(signal.SIGTERM)
        running_flux.end().expect(
            ExitCode.TERMINATED, stderr="1 task is still open and keeps running"
        )


@pytest.mark.parametrize("form", ["json", "csv", "ids", "table"])
def test_other_formats_are_printed_once_at_the_end(
    flux: Program, service: Start, form: str
) -> None:
    service(Tasks({"b": 2, "a": 1}, fails=("a",)))
    run = flux(*WATCH, "b", "a", "n", "-o", form, "--not-found-grace", "0s")
    run.expect(ExitCode.TASK_FAILED)
    if form == "json":
        assert story(json.loads(run.out)) == [
            ("b", "processing", "succeeded"),
            ("a", None, "failed"),
            ("n", None, "not_found"),
        ]
    else:
        positions = [run.out.index(f"{task_id}") for task_id in ("b", "a", "n")]
        assert len(positions) == 3
    assert run.out.count("\n") == {"json": 5, "csv": 4, "ids": 3, "table": 4}[form]


@pytest.mark.parametrize(
    ("options", "code", "seen"),
    [
        (("--timeout", "0"), ExitCode.TIMED_OUT, {1}),
        (("--timeout", "1500ms"), ExitCode.TIMED_OUT, {1, 2}),  # 1 where the first one takes long
        (("--until", "any"), ExitCode.OK, {1}),
        (("--fail-fast",), ExitCode.TASK_FAILED, {1}),
        (("--timeout", "0", "--fail-fast"), ExitCode.TASK_FAILED, {1}),
    ],
)
def test_ends_early(
    flux: Program, service: Start, options: tuple[str, ...], code: ExitCode, seen: set[int]
) -> None:
    fails = ("a",) if "--fail-fast" in options else ()
    ids = ("slow",) if code is ExitCode.TIMED_OUT else ("a", "slow")
    server = service(Tasks({"a": 1, "slow": 100}, fails=fails))
    run = flux(*WATCH, *ids, *options).expect(code)
    assert len(server.requests) in seen
    assert ("To keep watching, run" in run.stderr) == (code is ExitCode.TIMED_OUT)


def test_an_id_that_is_not_found_is_terminal_after_its_grace(flux: Program, service: Start) -> None:
    service(Tasks({"a": 1}))
    run = flux(*WATCH, "a", "n", "--not-found-grace", "2s").expect(ExitCode.NOT_FOUND)
    assert story(run.records) == [("a", None, "succeeded"), ("n", None, "not_found")]


def test_a_blip_does_not_end_it(flux: Program, service: Start) -> None:
    tasks = Tasks({"a": 3})
    looks: list[Request] = []

    def script(request: Request) -> list[Step]:
        looks.append(request)
        return [End.RESET] if len(looks) in (3, 4) else tasks(request)

    service(script)
    run = flux(*WATCH, "a", "--retries", "0", "--max-interval", "1s").expect(ExitCode.OK)
    assert story(run.records) == [("a", None, "processing"), ("a", "processing", "succeeded")]
    assert "the connection was lost before the reply was complete. Retrying in" in run.stderr


def test_a_service_that_is_gone_is_given_up(flux: Program, service: Start) -> None:
    service(lambda _: [reply(503, b"")])
    run = flux(*WATCH, "a", "--give-up-after", "2s", "--retries", "0")
    run.expect(ExitCode.NO_ANSWER, stderr="HTTP 503")
    assert story(run.records) == [("a", None, "unknown")]


def test_a_rejected_token_ends_it(flux: Program, service: Start) -> None:
    server = service(lambda _: [reply(401, error_body("token_expired"))])
    run = flux(*WATCH, "a").expect(ExitCode.TOKEN, stderr="token_expired")
    assert len(server.requests) == 1
    assert story(run.records) == [("a", None, "unknown")]


def test_a_retry_after_is_not_undercut(flux: Program, service: Start) -> None:
    tasks = Tasks({"a": 1})
    throttled: list[float] = []

    def script(request: Request) -> list[Step]:
        if not throttled:
            throttled.append(request.at)
            return [reply(429, error_body("too_many_requests"), retry_after="3")]
        return tasks(request)

    server = service(script)
    flux(*WATCH, "a").expect(ExitCode.OK)
    assert server.requests[1].at - throttled[0] >= 2.9


@pytest.mark.parametrize("pause", ["50", "4000", "604800", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_pause_beyond_give_up_after_ends_it_and_says_when_to_come_back(
    flux: Program, service: Start, pause: str
) -> None:
    server = service(lambda _: [reply(429, error_body("too_many_requests"), retry_after=pause)])
    run = flux("tasks", "watch", "--give-up-after", "45s", "a", "b")
    run.expect(ExitCode.NO_ANSWER, stderr="it asks to retry in ")
    assert {"50": "50 seconds", "4000": "67 minutes"}.get(pause, "168 hours") in run.stderr
    assert "To keep watching, run:" in run.stderr
    assert set(run.states.values()) == {"unknown"}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("pause", "code"), [("50", ExitCode.TIMED_OUT), ("600", ExitCode.NO_ANSWER)]
)
def test_the_timeout_ends_a_watch_inside_a_pause(
    flux: Program, service: Start, pause: str, code: ExitCode
) -> None:
    server = service(lambda _: [reply(429, error_body("too_many_requests"), retry_after=pause)])
    run = flux("tasks", "watch", "--give-up-after", "1h", "--timeout", "1s", "a")
    run.expect(code, stderr="the timeout ran out")
    assert len(server.requests) == 1


@pytest.mark.parametrize("count", [2, 40])
def test_the_command_to_go_on_with_works_as_printed(
    flux: Program, service: Start, count: int
) -> None:
    server = service(lambda r: [reply(200, batch(map(running, r.ids)))])
    ids = ["-a1", "--h1", *make_ids(count - 2)]
    command = 'echo "one\ttwo!"\ncat > /dev/null'
    (flux.folder / "ids.txt").write_text("\n".join(ids))
    (flux.folder / "bin").mkdir()
    (flux.folder / "bin" / "flux").symlink_to(FLUX)
    source = ("--file", "ids.txt") if count > 2 else ("--", *ids)
    options = ("--timeout", "0", "--give-up-after", "12h", "--max-interval", "90.5s", "-q")
    run = flux("tasks", "watch", *options, "--exec", command, *source)
    run.expect(ExitCode.TIMED_OUT, stderr="To keep watching, run:\n")
    line = run.stderr.splitlines()[-1]
    for shell in ("sh", "bash"):
        path = f"{flux.folder / 'bin'}:{flux.environment['PATH']}"
        again = subprocess.run(
            [shell, "-c", line],
            env={**flux.environment, "PATH": path},
            cwd=flux.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == ExitCode.TIMED_OUT, again.stderr
        assert again.stderr.splitlines()[-1].split(" --file ")[0] == line.split(" --file ")[0]
    assert [request.ids for request in server.requests] == [ids] * 3
    files = [*flux.folder.glob("flux-open-*.txt")]
    assert len(files) == (3 if count > 2 else 0)  # commands are not run twice for what has ended
    if count > 2:
        assert f"the ids of the 40 open tasks are in {shlex.split(line)[-1]}\n" in run.stderr


def test_a_slow_reader_loses_nothing_and_costs_no_memory(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        sent = {"request": {"prompt": "x" * 2000}}
        return [reply(200, batch(finished(i) | sent for i in request.ids))]

    service(script)
    ids = make_ids(10_000)  # some 27 million bytes of output
    (flux.folder / "ids").write_text("\n".join(ids))
    with flux.start(*WATCH, "-q", "-f", "ids") as slow:
        time.sleep(2)
        status = Path(f"/proc/{slow.process.pid}/status").read_text().splitlines()
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        assert [record["id"] for record in slow.end().records] == ids
    assert peak < 60_000  # kB; 32 batches ahead of the reader, and never all 200


@pytest.mark.parametrize("count", [3, 30])
def test_the_command_that_goes_on_does(flux: Program, service: Start, count: int) -> None:
    ids = make_ids(count)
    tasks = Tasks({task_id: 2 if number % 2 else 1 for number, task_id in enumerate(ids)})
    if count == 30:
        tasks.looks = dict.fromkeys(ids, 2)
    service(tasks)
    (flux.folder / "ids").write_text("\n".join(ids))
    run = flux(*WATCH, "-f", "ids", "--timeout", "0", "--retries", "1", "-q")
    run.expect(ExitCode.TIMED_OUT, stderr="no need to resubmit")
    command = shlex.split(run.stderr.splitlines()[-1])
    assert command[:3] == ["flux", "tasks", "watch"]
    assert ("--file" in command) == (count == 30)
    words = [word for word in command[1:] if word not in ("--timeout", "0s")]
    again = flux(*words).expect(ExitCode.OK)
    assert [r["id"] for r in again.records] == [i for i in ids if tasks.looks[i] == 2]
    assert again.stderr == ""


def test_exec_runs_once_for_each_task_that_ends(flux: Program, service: Start) -> None:
    evil = "$(touch pwned) `touch pwned`; touch pwned #\n\0'\""

    def script(request: Request) -> list[Step]:
        records = [finished("a"), failed("b")]
        sent = {"request": {"prompt": evil, "model": evil}}
        return [reply(200, batch(record | sent for record in records))] if request.ids else []

    service(script)
    command = (
        'cat > "$FLUX_TASK_ID.json"; test "$FLUX_TASK_STATE" = succeeded; code=$?;'
        ' echo "ran $FLUX_TASK_ID $FLUX_TASK_STATE $FLUX_TASK_ERROR_CODE"; exit $code'
    )
    run = flux(*WATCH, "a", "b", "--exec", command).expect(ExitCode.OUTPUT)
    assert "ran a succeeded \n" in run.stderr
    assert "ran b failed api_error\n" in run.stderr
    assert "flux: --exec: b: the command exited with 1\n" in run.stderr
    assert json.loads((flux.folder / "a.json").read_text())["prompt"] == evil
    assert not (flux.folder / "pwned").exists()


def test_exec_runs_four_at_a_time(flux: Program, service: Start) -> None:
    service(answer)
    command = (
        'mkdir "run-$FLUX_TASK_ID"; ls -d run-* | wc -l >> counts;'
        ' sleep 0.3; rmdir "run-$FLUX_TASK_ID"'
    )
    flux(*WATCH, *(f"id{n}" for n in range(12)), "--exec", command).expect(ExitCode.OK)
    counts = [int(line) for line in (flux.folder / "counts").read_text().split()]
    assert len(counts) == 12
    assert 2 <= max(counts) <= 4


def test_the_right_verdict_in_ten_runs_with_errors_and_latency(flux: Program) -> None:
    store = TaskStore(speed=2.0, failure_rate=0.0)
    ids = [store.submit({"prompt": "fail" if n % 100 == 0 else "x"}).id for n in range(500)]
    (flux.folder / "ids").write_text("\n".join(ids))
    with Sandbox(store, faults=Faults(error_rate=0.2, latency=0.02)) as server:
        flux.environment |= {
            "FLUX_API_BASE_URL": server.base_url,
            "FLUX_API_TOKEN": "sandbox-token-not-a-secret",
        }
        with ThreadPoolExecutor(5) as pool:
            runs = list(pool.map(lambda _: flux(*WATCH, "-f", "ids", "-q"), range(10)))
    for run in runs:
        run.expect(ExitCode.TASK_FAILED)
        final = {r["id"]: r["state"] for r in run.records if r["state"] in ("succeeded", "failed")}
        assert list(final.values()).count("failed") == 5
        assert set(final) == set(ids)


# On a terminal.


def screens(sent: str, columns: int, rows: int) -> Any:
    """Return the screen after all of `sent`, on a terminal of that size."""
    screen = pyte.HistoryScreen(columns, rows, history=5000)
    pyte.Stream(screen).feed(sent)
    return screen


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 12)])
@pytest.mark.parametrize("count", [12, 2000])
def test_the_live_view_and_the_final_table(
    flux: Program, service: Start, columns: int, rows: int, count: int
) -> None:
    ids = make_ids(count)
    looks = {task_id: 1 + number % 3 for number, task_id in enumerate(ids)}
    service(Tasks(looks, fails=(ids[5],)))
    (flux.folder / "ids").write_text("\n".join(ids))
    terminal = Terminal(flux, *WATCH, "-f", "ids", columns=columns, rows=rows)
    terminal.expect(" done")
    terminal.expect("next poll in")
    live = screens(terminal.sent, columns, rows)
    assert all(len(line.rstrip()) <= columns for line in live.display)
    assert not live.history.top  # nothing has scrolled away
    end = terminal.end()
    assert end.code == ExitCode.TASK_FAILED
    assert not end.cursor_hidden
    assert "\x1b[?1049" not in end.sent
    assert any(line.startswith(f"{count:,} tasks: ") for line in end.lines)
    text = "".join("".join(end.lines).split())
    assert "next poll" not in " ".join(end.lines)
    for task_id in ids if count == 12 else [ids[5]]:
        assert task_id in text
    if count == 2000:
        assert ids[4] not in text


def test_durations_tick_without_requests(flux: Program, service: Start) -> None:
    server = service(Tasks({"a": 2}))
    terminal = Terminal(flux, "tasks", "watch", "a", "--interval", "1h", gets_signals=True)
    for second in ("1s", "2s", "3s"):
        terminal.expect(f"{second}")
    assert len(server.requests) == 1
    terminal.type("\x03")
    assert terminal.end().code == ExitCode.INTERRUPTED


def test_a_banner_tells_of_trouble_and_goes_away(flux: Program, service: Start) -> None:
    tasks = Tasks({"a": 4})
    down = threading.Event()
    service(lambda request: [reply(502, b"")] if down.is_set() else tasks(request))
    terminal = Terminal(flux, *WATCH, "a", "--retries", "0", "--max-interval", "1s", columns=100)
    terminal.expect("processing")
    down.set()
    terminal.expect("old: the service answered HTTP 502")
    down.clear()
    end = terminal.end()
    assert end.code == ExitCode.OK
    assert "old:" not in " ".join(end.lines)


def test_resizing_in_the_middle(flux: Program, service: Start) -> None:
    service(Tasks(dict.fromkeys(make_ids(20), 3)))
    (flux.folder / "ids").write_text("\n".join(make_ids(20)))
    terminal = Terminal(flux, *WATCH, "-f", "ids", columns=120, rows=30)
    terminal.expect("20 processing")
    terminal.process.setwinsize(15, 50)
    time.sleep(1.2)
    end = terminal.end()
    assert end.code == ExitCode.OK
    assert not end.cursor_hidden
    tail = end.sent[end.sent.rindex("20 tasks: 20 succeeded") - 3000 :]
    assert all(task_id in tail for task_id in make_ids(20)[-5:])


@pytest.mark.parametrize("seed", range(6))
def test_ctrl_c_at_any_moment_leaves_a_clean_screen(
    flux: Program, service: Start, seed: int
) -> None:
    service(Tasks(dict.fromkeys(make_ids(100), 100)))
    (flux.folder / "ids").write_text("\n".join(make_ids(100)))
    terminal = Terminal(flux, *WATCH, "-f", "ids", gets_signals=True)
    terminal.expect("\x1b[?25l")
    assert terminal.interrupt_after(random.Random(seed).uniform(0, 2.5)) < AT_ONCE
    end = terminal.end()
    assert end.code == ExitCode.INTERRUPTED
    assert not end.cursor_hidden
    assert "Traceback" not in end.sent
    assert "flux tasks watch" in " ".join(end.lines)
    assert CANARY not in end.sent


def test_the_bell_rings_once(flux: Program, service: Start) -> None:
    service(answer)
    assert Terminal(flux, *WATCH, "a", "--bell").end().sent.count("\x07") == 1
    assert "\x07" not in Terminal(flux, *WATCH, "a").end().sent


def test_hostile_text_in_the_live_view(flux: Program, service: Start) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\n✓ succeeded\x9b5A"

    def script(request: Request) -> list[Step]:
        record = running(request.ids[0]) | {"request": {"prompt": evil, "model": evil}}
        return [reply(200, batch([record]))]

    service(script)
    terminal = Terminal(flux, *WATCH, "a", "--timeout", "2s", columns=140)
    end = terminal.end()
    assert end.code == ExitCode.TIMED_OUT
    for piece in ("\x1b[2J", "\x1b]0;", "\x07", "\x9b"):
        assert piece not in end.sent
