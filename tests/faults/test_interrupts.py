"""Nothing is cut in half: signals at any instant, readers that stall, streams that take half."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.support.fault_server import Request, Script, Step, Wait, answer, reply
from tests.support.instants import count_instants, run_until
from tests.support.needs import need
from tests.support.patience import AT_ONCE, LONGEST, until
from tests.support.pictures import leftovers, whole, with_files
from tests.support.processes import running_with
from tests.support.program import CANARY, FLUX, MEASURED_BY, Background, Program, Run
from tests.support.records import batch, error_body, failed, finished, make_ids, running
from tests.support.terminal import Terminal


SOON = AT_ONCE  # half a second is promised, and measured by `make soak`
SIGNALS = {
    signal.SIGHUP: ExitCode.HUNG_UP,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}
IDS = make_ids(6)
RUNS = {  # every kind of work that a signal could cut
    "check": ("tasks", "check", "--batch-size", "2", "-o", "jsonl", *IDS),
    "download": ("tasks", "download", "-d", "out", "--sidecar", "--contact-sheet", *IDS),
    "watch": ("tasks", "watch", "--download", "out", "--sidecar", "-o", "json", *IDS),
    "exec": ("tasks", "watch", "-o", "csv", "--exec", "cat > $FLUX_TASK_ID", *IDS),
}


def records_of(run: Run) -> list[dict[str, Any]]:
    """Return the records of a run, each of which must be whole."""
    if "json" in run.arguments:
        records: list[dict[str, Any]] = json.loads(run.stdout) if run.stdout else []
        return records
    assert run.stdout[-1:] in (b"\n", b"")
    if "csv" in run.arguments:
        return [{"id": line.partition(",")[0], "outputs": []} for line in run.lines[1:]]
    return run.records


def check_nothing_is_cut(flux: Program, run: Run, code: ExitCode) -> None:
    """Assert what holds wherever a signal came: the end of the run is the signal's, or its own."""
    assert run.code in (code, ExitCode.OK), run.stderr
    assert "Traceback" not in run.stderr
    records = records_of(run)
    ids = [record["id"] for record in records]
    assert ids == [task_id for task_id in IDS if task_id in ids]  # once each, in order
    assert leftovers(flux.folder) == []
    told = {o["path"] for record in records for o in record["outputs"] if o.get("path")}
    out = flux.folder / "out"
    there = {f"out/{path.name}" for path in out.glob("*.png")}
    assert there == told
    sidecars = {f"out/{path.stem}.png" for path in out.glob("*.json")}
    if "--sidecar" in run.arguments:
        assert sidecars == there
    for path in out.glob("*.json"):
        json.loads(path.read_bytes())


@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
@pytest.mark.parametrize("name", RUNS)
def test_a_signal_in_the_middle_of_any_call(
    flux: Program, service: Start, name: str, number: signal.Signals
) -> None:
    service(with_files(count=2))
    arguments = RUNS[name]
    count = count_instants(flux, *arguments)
    chance = random.Random(f"{name} {number}")
    work = max(1, count - 30_000)  # what comes before is importing, most of it
    for instant in (chance.randrange(1, work), *(chance.randrange(work, count) for _ in range(4))):
        shutil.rmtree(flux.folder / "out", ignore_errors=True)
        check_nothing_is_cut(flux, run_until(flux, instant, number, *arguments), SIGNALS[number])


@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
@pytest.mark.parametrize("form", ["jsonl", "csv", "ids"])
def test_a_reader_that_never_reads(
    flux: Program, service: Start, form: str, number: signal.Signals
) -> None:
    server = service(answer)
    ids = make_ids(4000)
    (flux.folder / "ids").write_text("\n".join(ids))
    with flux.start("tasks", "check", "-f", "ids", "-o", form) as background:
        while len(server.requests) < 5:
            time.sleep(0.01)
        wait_until_full(background.process)
        assert background.signal(number) < SOON
        run = background.end().expect(SIGNALS[number], stderr="interrupted with ")
    lines = run.out.splitlines()[form == "csv" :]
    assert run.out.endswith("\n")
    shown = [line[7:43] if form == "jsonl" else line[:36] for line in lines]
    assert shown == ids[: len(shown)]
    assert f"interrupted with {len(shown):,} of 4,000 tasks answered" in run.stderr


def wait_until_full(process: "subprocess.Popen[bytes]") -> None:
    """Wait until flux has filled the pipe that nobody reads from."""
    assert process.stdout is not None
    before = -1
    while (now := unread(process.stdout.fileno())) != before or now < 50_000:
        before = now
        time.sleep(0.2)


def unread(descriptor: int) -> int:
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), "little")


def test_a_slow_reader_gets_whole_records_once(flux: Program, service: Start) -> None:
    service(answer)
    ids = make_ids(3000)
    (flux.folder / "ids").write_text("\n".join(ids))
    with flux.start("tasks", "check", "-f", "ids") as background:
        data = b""
        while len(data) < 100_000:
            data += take(background, 3000)
        background.process.send_signal(signal.SIGINT)
        while part := take(background, 3000):
            data += part
            time.sleep(0.01)
        background.end().expect(ExitCode.INTERRUPTED, stderr="interrupted with ")
    shown = [json.loads(line)["id"] for line in data.splitlines()]
    assert data.endswith(b"\n")
    # Each at most once, and in order; what was still on its way then is left out.
    assert shown == [task_id for task_id in ids if task_id in set(shown)]


def take(background: Background, size: int) -> bytes:
    assert background.process.stdout is not None
    return os.read(background.process.stdout.fileno(), size)


def test_a_record_larger_than_a_pipe_is_whole_or_absent(flux: Program, service: Start) -> None:
    prompt = "x" * 30_000
    service(lambda r: [reply(200, batch(finished(i, request={"prompt": prompt}) for i in r.ids))])
    with flux.start("tasks", "check", *make_ids(10), "--batch-size", "1") as background:
        data = take(background, 1000)
        background.process.send_signal(signal.SIGINT)
        data += background.end().stdout
    assert data.endswith(b"\n")
    for line in data.splitlines():
        assert len(json.loads(line)["prompt"]) == len(prompt)


def test_timeout_does_not_wait_for_a_reader_that_stalls(flux: Program, service: Start) -> None:
    service(answer)
    (flux.folder / "ids").write_text("\n".join(make_ids(2000)))
    with flux.start("tasks", "watch", "-f", "ids", "--timeout", "2s") as background:
        background.process.wait(timeout=30)
        run = background.end()
    assert run.code == ExitCode.TIMED_OUT
    assert run.out.endswith("\n")


def test_a_reader_that_is_slow_at_the_end_of_the_time_loses_nothing(
    flux: Program, service: Start
) -> None:
    service(lambda r: [reply(200, batch(running(i) for i in r.ids))])
    ids = make_ids(500)
    (flux.folder / "ids").write_text("\n".join(ids))
    command = f"{FLUX} tasks watch -f ids -o csv --timeout 1s | (sleep 1.3; cat)"
    run = in_bash(flux, command)
    assert [line.partition(",")[0] for line in run.stdout.splitlines()[1:]] == ids
    assert run.returncode == ExitCode.TIMED_OUT


def in_bash(flux: Program, command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=flux.folder,
        env=flux.variables({**changes, **dict.fromkeys(MEASURED_BY)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_two_signals_at_once(flux: Program, service: Start) -> None:
    """`timeout` sends two: they are one, and what is known is printed."""
    server = service(lambda r: [Wait(30)] if IDS[1] in r.ids else answer(r))
    for _ in range(5):
        server.requests.clear()
        with flux.start("tasks", "check", "--batch-size", "1", *IDS[:2]) as background:
            until(lambda: len(server.requests) == 2)
            time.sleep(0.3)
            background.process.send_signal(signal.SIGTERM)
            background.signal(signal.SIGTERM)
            run = background.end().expect(ExitCode.TERMINATED)
        assert list(run.states) in ([IDS[0]], [])


def test_a_second_signal_ends_it_at_once(flux: Program, service: Start) -> None:
    server = service(fail)
    hang = "trap '' TERM; touch started; while :; do sleep 0.1; done"
    with flux.start("tasks", "watch", IDS[0], "--exec", hang) as background:
        until((flux.folder / "started").exists)
        background.process.send_signal(signal.SIGINT)
        time.sleep(0.25)
        background.signal(signal.SIGTERM)
        assert background.end().code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
    assert server.requests
    until(lambda: not running_with("touch started"))


@pytest.mark.parametrize("number", SIGNALS, ids=lambda n: n.name)
def test_commands_end_with_flux(flux: Program, service: Start, number: signal.Signals) -> None:
    service(answer)
    command = "touch started; sleep 12345 & sleep 12345"
    with flux.start("tasks", "watch", IDS[0], "--exec", command) as background:
        until((flux.folder / "started").exists)
        assert background.signal(number) < SOON
        background.end().expect(SIGNALS[number], stderr="1 command was cut short")
    until(lambda: not running_with("sleep 12345"))


def test_timeout_bounds_commands(flux: Program, service: Start) -> None:
    service(answer)
    command = "echo $FLUX_TASK_ID; sleep 12346"
    run = flux("tasks", "watch", *IDS, "--timeout", "2s", "--exec", command)
    run.expect(ExitCode.TIMED_OUT, stderr="6 commands were cut short or not run")
    assert not running_with("sleep 12346")


def test_what_a_command_leaves_in_the_background_is_not_waited_for(
    flux: Program, service: Start
) -> None:
    service(answer)
    started = time.monotonic()
    command = "(sleep 30; echo late) & echo $FLUX_TASK_ID"
    run = flux("tasks", "watch", *IDS, "--exec", command).expect(ExitCode.OK, stderr=IDS[5])
    assert time.monotonic() - started < 25
    assert "late" not in run.stderr


def test_timeout_bounds_downloads(flux: Program, service: Start) -> None:
    def stalled(request: Request) -> list[Step]:
        return [Wait(60)] if IDS[0] in request.path else whole(request)

    service(with_files(stalled))
    run = flux("tasks", "watch", *IDS, "--download", "out", "--timeout", "2s")
    run.expect(ExitCode.TIMED_OUT, stderr="1 not saved")
    errors = {r["id"]: r["outputs"][0]["error"] for r in run.records}
    assert errors == dict.fromkeys(IDS) | {
        IDS[0]: {"code": "timed_out", "message": "--timeout ran out"}
    }
    assert leftovers(flux.folder) == []


def test_the_outputs_of_one_task_are_saved_side_by_side(flux: Program, service: Start) -> None:
    under_way: list[str] = []

    def file(request: Request) -> Iterator[Step]:
        under_way.append(request.path)
        until(lambda: len(under_way) >= 4)  # comes to pass only if four are asked for at once
        yield from whole(request)

    service(with_files(file, url="{base}/{id}-{n}.png", count=4))
    flux("tasks", "watch", IDS[0], "--download", "out", "--timeout", "30s").expect(ExitCode.OK)
    assert len(list((flux.folder / "out").iterdir())) == 4


def test_token_rejected_in_the_middle_of_a_download(flux: Program, service: Start) -> None:
    """What was known is saved; and a signal, then, is heard."""

    def script(request: Request) -> Sequence[Step]:
        if IDS[3] in request.ids:
            return [reply(401, error_body("invalid_token"))]
        return list(with_files(lambda _: [Wait(20)])(request))

    server = service(script)
    command = ("tasks", "download", "-d", "out", "--batch-size", "3", "--concurrency", "1", *IDS)
    with flux.start(*command) as background:
        until(lambda: any("png" in request.path for request in server.requests))
        assert background.signal(signal.SIGTERM) < SOON
        run = background.end().expect(ExitCode.TERMINATED)
    assert set(run.states) <= set(IDS)
    assert leftovers(flux.folder) == []


def test_what_is_worse_outranks_what_is_here(flux: Program, service: Start) -> None:
    """One file that cannot be written, and a token that is rejected."""
    (flux.folder / "out").mkdir()
    (flux.folder / "out" / f"{IDS[0]}_1.png").mkdir()

    def script(request: Request) -> Sequence[Step]:
        if IDS[3] in request.ids:
            return [reply(401, error_body("invalid_token"))]
        return list(with_files()(request))

    service(script)
    run = flux("tasks", "download", "-d", "out", "--batch-size", "3", *IDS)
    run.expect(ExitCode.TOKEN, stderr="invalid_token")
    assert [record["id"] for record in run.records] == IDS


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_full_disk_holds_whole_records(
    flux: Program, service: Start, tmp_path: Path, unbuffered: str
) -> None:
    service(answer)
    (flux.folder / "ids").write_text("\n".join(make_ids(300)))
    command = f"ulimit -f 40; PYTHONDONTWRITEBYTECODE=1 {FLUX} tasks check -f ids > result"
    run = in_bash(flux, command, PYTHONUNBUFFERED=unbuffered)
    assert run.returncode == ExitCode.OUTPUT, run.stderr
    assert "stdout: cannot be written: File too large" in run.stderr
    text = (tmp_path / "result").read_text()
    assert text.endswith("\n")
    assert [json.loads(line)["id"] for line in text.splitlines()] == make_ids(text.count("\n"))


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_stdout_that_does_not_block_loses_nothing(
    flux: Program, service: Start, unbuffered: str
) -> None:
    service(answer)
    ids = make_ids(1000)
    (flux.folder / "ids").write_text("\n".join(ids))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with subprocess.Popen(
        [FLUX, "tasks", "check", "-q", "-f", "ids"],
        cwd=flux.folder,
        env=flux.variables({"PYTHONUNBUFFERED": unbuffered}),
        stdout=writer,
    ) as process:
        os.close(writer)
        data = b""
        while part := os.read(reader, 2000):
            data += part
    os.close(reader)
    assert process.returncode == ExitCode.OK
    assert [json.loads(line)["id"] for line in data.splitlines()] == ids


def fail(request: Request) -> list[Step]:
    return [reply(200, batch(map(failed, request.ids)))]


CLOSED: dict[str, tuple[str, Script, ExitCode]] = {
    "watch": ("watch", fail, ExitCode.TASK_FAILED),
    "rejected": ("check", lambda _: [reply(401, error_body("invalid_token"))], ExitCode.TOKEN),
    "download": ("download -d out", with_files(), ExitCode.OK),
}


@pytest.mark.parametrize("redirect", [">&-", "| true"])
@pytest.mark.parametrize("name", CLOSED)
def test_a_stdout_that_nobody_has(flux: Program, service: Start, name: str, redirect: str) -> None:
    words, script, code = CLOSED[name]
    service(script)
    (flux.folder / "ids").write_text("\n".join(make_ids(20)))
    run = in_bash(flux, f"{FLUX} tasks {words} -f ids {redirect}")
    if redirect == "| true" and name == "watch":
        assert run.returncode in (ExitCode.OK, code)  # ends when it notices
    elif redirect == "| true" and name == "rejected":
        assert run.returncode in (ExitCode.OK, code)
    else:
        assert run.returncode == code, run.stderr
    if name == "download":
        assert len(list((flux.folder / "out").iterdir())) == 20


@pytest.mark.parametrize("form", ["csv", "json", "ids"])
def test_a_temporary_folder_without_room(flux: Program, service: Start, form: str) -> None:
    service(answer)
    (flux.folder / "ids").write_text("\n".join(make_ids(50)))
    run = flux("tasks", "watch", "-f", "ids", "-o", form, TMPDIR="/dev/full/nowhere")
    run.expect(ExitCode.OK)
    assert all(task_id in run.out for task_id in make_ids(50))


def test_a_reply_nested_deeply_is_an_answer(flux: Program, service: Start) -> None:
    def deep(request: Request) -> list[Step]:
        items = [finished(i) for i in request.ids]
        text = json.dumps({"items": items, "count": len(items)})
        nest = "[" * 700 + "]" * 700
        return [reply(200, text.replace('"trace_id"', f'"deep": {nest}, "trace_id"').encode())]

    service(deep)
    for command in ("check", "check --raw", "watch -o json", "watch -o json --raw", "watch --raw"):
        run = flux("tasks", *command.split(), IDS[0]).expect(ExitCode.OK)
        assert f'"id":"{IDS[0]}"' in run.out
        assert json.loads(run.out)


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
STOPPED = {
    "watch": ("tasks", "watch", "--interval", "1s", *IDS),
    "download": ("tasks", "download", "-d", "out", *IDS),
}


class Shell:
    """A shell with job control, on a terminal."""

    def __init__(self, flux: Program, **changes: str | None) -> None:
        need("bash")
        environment = flux.variables(
            {"TERM": "xterm-256color", "PS1": "READY> "} | changes | dict.fromkeys(MEASURED_BY)
        )
        self.terminal = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile", "-i"],
            env=environment,
            cwd=str(flux.folder),
            dimensions=(40, 100),
            encoding="utf-8",
            timeout=LONGEST,
        )
        self.terminal.expect_exact("READY> ")
        self.sent = ""

    def type(self, text: str, *, wait_for: str) -> None:
        """Type `text` and wait until something is shown."""
        self.terminal.send(text)
        self.terminal.expect_exact(wait_for)
        self.sent += self.terminal.before + self.terminal.after

    def end(self) -> str:
        """Let the shell say the last exit code, which is to be 0; return all that was shown."""
        self.terminal.send("echo code=$?=\n")
        self.terminal.expect("code=([0-9]+)=")
        assert self.terminal.match[1] == "0"
        self.terminal.close(force=True)
        return self.sent


@pytest.mark.parametrize("name", STOPPED)
def test_ctrl_z_gives_the_cursor_back_and_fg_goes_on(
    flux: Program, service: Start, name: str
) -> None:
    released: list[str] = []

    def file(request: Request) -> Iterator[Step]:
        until(lambda: released)
        yield from whole(request)

    def still(request: Request) -> list[Step]:
        make = finished if released else running
        return [reply(200, batch(make(task_id) for task_id in request.ids))]

    service(with_files(file) if name == "download" else still)
    shell = Shell(flux)
    shell.type(f"{FLUX} {' '.join(STOPPED[name])}\n", wait_for=HIDE)
    for _ in range(3):
        shell.type("\x1a", wait_for=SHOW)
        shell.type("", wait_for="READY> ")
        shell.type("fg\n", wait_for=HIDE)
    released.append("now")
    shell.type("", wait_for="READY> ")
    sent = shell.end()
    assert sent.rindex(SHOW) > sent.rindex(HIDE)


def test_ctrl_z_never_shows_the_token(flux: Program) -> None:
    shell = Shell(flux, FLUX_API_TOKEN=None)
    shell.type(f"{FLUX} auth login --no-verify\n", wait_for="acedata.cloud): ")
    for background in (False, True, False):
        shell.type("\x1a", wait_for="READY> ")
        if background:
            shell.type("bg\n", wait_for="READY> ")
        shell.type("fg\n", wait_for="acedata.cloud): ")
    shell.type(f"{CANARY}\n", wait_for="READY> ")
    sent = shell.end()
    assert CANARY not in sent
    assert CANARY in (flux.config / "credentials.json").read_text()


def test_ctrl_z_where_no_shell_could_let_it_go_on(flux: Program, service: Start) -> None:
    service(lambda r: [reply(200, batch(map(running, r.ids)))])
    terminal = Terminal(flux, *STOPPED["watch"], gets_signals=True)
    terminal.expect("processing")
    terminal.type("\x1a")
    terminal.expect(SHOW)
    terminal.expect(HIDE)
    terminal.interrupt_after(0.1)
    assert terminal.end().code == ExitCode.INTERRUPTED


def test_an_impossible_folder_leaves_the_cursor(flux: Program, service: Start) -> None:
    service(answer)
    (flux.folder / "taken").write_text("")
    screen = Terminal(flux, "tasks", "watch", IDS[0], "--download", "taken/below").end()
    assert screen.code == ExitCode.OUTPUT
    assert not screen.cursor_hidden


def test_closing_the_terminal_ends_it(flux: Program, service: Start) -> None:
    service(lambda r: [reply(200, batch(map(running, r.ids)))])
    terminal = Terminal(flux, *STOPPED["watch"], gets_signals=True)
    terminal.expect("processing")
    terminal.process.kill(signal.SIGHUP)
    assert terminal.end().code == ExitCode.HUNG_UP


@pytest.mark.parametrize("form", ["csv", "json", "ids", "table", "jsonl"])
@pytest.mark.parametrize("command", ["check", "watch"])
def test_a_signal_while_the_last_results_are_written(
    flux: Program, service: Start, command: str, form: str
) -> None:
    """The exit code is the signal's, though everything was known; and what is missing is said."""
    service(answer)
    (flux.folder / "ids").write_text("\n".join(make_ids(3000)))
    with flux.start("tasks", command, "-f", "ids", "-o", form) as background:
        assert background.process.stdout is not None
        descriptor = background.process.stdout.fileno()
        until(lambda: unread(descriptor) > 15_000)
        time.sleep(0.5)
        assert background.signal(signal.SIGTERM) < SOON
        run = background.end().expect(ExitCode.TERMINATED)
    assert "output is incomplete" in run.stderr or run.out.count("\n") >= 3000


def test_a_terminal_that_nobody_reads_ends_with_a_signal(flux: Program, service: Start) -> None:
    service(lambda r: [reply(200, batch(map(running, r.ids)))])
    (flux.folder / "ids").write_text("\n".join(make_ids(200)))
    terminal = Terminal(
        flux, *STOPPED["watch"][:4], "-f", "ids", gets_signals=True, columns=200, rows=100
    )
    terminal.expect("processing")
    time.sleep(5)  # nobody reads, until the terminal takes no more
    started = time.monotonic()
    terminal.process.kill(signal.SIGTERM)
    until(lambda: not terminal.process.isalive())
    assert time.monotonic() - started < SOON
    assert terminal.process.exitstatus == ExitCode.TERMINATED


def test_timeout_does_not_wait_for_stderr_either(flux: Program, service: Start) -> None:
    service(answer)
    command = ("tasks", "watch", *IDS, "--timeout", "3s", "--exec", "seq 1 5000")
    with flux.start(*command) as background:
        assert background.process.stdout is not None
        background.process.wait(timeout=LONGEST)
        # Whether the last command had ended by then is for the machine to say.
        assert background.end().code in (ExitCode.OK, ExitCode.TIMED_OUT)


@pytest.mark.parametrize("wrapper", ["timeout 600", "setsid -w", "bash -c"])
def test_commands_with_groups_of_their_own_end_with_flux(
    flux: Program, service: Start, wrapper: str
) -> None:
    service(answer)
    inner = "'set -m; sleep 12347; :'" if wrapper == "bash -c" else "sleep 12347"
    run = flux("tasks", "watch", IDS[0], "--timeout", "2s", "--exec", f"{wrapper} {inner}; :")
    run.expect(ExitCode.TIMED_OUT)
    until(lambda: not running_with("sleep 12347"))


@pytest.mark.parametrize("redirect", ["| true", "> /dev/full"])
def test_the_version_cannot_be_written(flux: Program, redirect: str) -> None:
    run = in_bash(flux, f"{FLUX} --version {redirect}")
    assert run.returncode == (ExitCode.OUTPUT if "full" in redirect else ExitCode.OK)
    assert run.stderr.count("\n") == ("full" in redirect)


def test_a_reader_that_leaves_a_full_pipe_of_large_records_ends_it(
    flux: Program, service: Start
) -> None:
    request = {"prompt": "x" * 20_000}
    service(lambda r: [reply(200, batch(finished(i, request=request) for i in r.ids))])
    (flux.folder / "ids").write_text("\n".join(make_ids(100)))
    run = in_bash(flux, f"{FLUX} tasks check -f ids | sleep 2")
    assert (run.returncode, run.stderr) == (ExitCode.OK, "")
