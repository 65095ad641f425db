"""Ctrl-C and SIGTERM at any moment, clocks that jump, networks that vanish."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.faults.rows import CHECK, IDS, WATCH
from tests.support.fault_server import End, Request, Script, Step, Wait, answer, reply
from tests.support.needs import need
from tests.support.patience import until
from tests.support.program import FLUX, MEASURED_BY, Program
from tests.support.records import batch, finished, running
from tests.support.terminal import Terminal


MOST = 0.5  # seconds; 0.2 are promised, and a busy machine that runs four tests needs some
SIGNALS = [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)]


def still(request: Request) -> list[Step]:
    return [reply(200, batch(running(task_id) for task_id in request.ids))]


MOMENTS: dict[str, tuple[tuple[str, ...], Script]] = {
    "a request": (CHECK, lambda _: [Wait(30)]),
    "a reply": (CHECK, lambda _: [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", Wait(30)]),
    "a backoff": (CHECK, lambda _: [reply(503, b"", retry_after="50")]),
    "a pause": (CHECK, lambda _: [reply(429, b"", retry_after="50")]),
    "a request of a watch": (WATCH, lambda _: [Wait(30)]),
    "a poll's sleep": ((*WATCH[:2], "--interval", "1h"), still),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=["SIGINT", "SIGTERM"])
def test_a_signal_during(
    flux: Program, service: Start, moment: str, number: signal.Signals, code: ExitCode
) -> None:
    command, script = MOMENTS[moment]
    server = service(script)
    with flux.start(*command, *IDS) as background:
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.3)
        assert background.signal(number) < MOST
        run = background.end().expect(code, stderr="interrupted")
    if command is CHECK:
        assert "interrupted with 0 of 3 tasks answered" in run.stderr
        assert run.out == ""
    else:
        assert "3 tasks are still open and keep running" in run.stderr
        assert run.stderr.splitlines()[-1].startswith("  flux tasks watch ")
        assert run.stderr.endswith(f" {IDS[0]} {IDS[1]} {IDS[2]}\n")
        assert sorted(run.states) == IDS


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_on_a_terminal_during(flux: Program, service: Start, moment: str) -> None:
    command, script = MOMENTS[moment]
    server = service(script)
    terminal = Terminal(flux, *command, *IDS, gets_signals=True)
    while not server.requests:
        time.sleep(0.01)
    assert terminal.interrupt_after(0.3) < MOST
    screen = terminal.end()
    assert screen.code == ExitCode.INTERRUPTED
    assert not screen.cursor_hidden
    assert "interrupted" in " ".join(screen.lines)
    assert "Traceback" not in screen.sent


def stall(request: Request) -> list[Step]:
    return [Wait(30)] if "slow" in request.ids[0] else answer(request)


@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("form", ["jsonl", "json", "table", "ids"])
def test_what_is_known_is_printed(
    flux: Program, service: Start, number: signal.Signals, code: ExitCode, form: str
) -> None:
    server = service(stall)
    ids = ["quick-1", "slow-2", "quick-3"]
    with flux.start(*CHECK, "--batch-size", "1", "-o", form, *ids) as background:
        while len(server.requests) < 3:
            time.sleep(0.01)
        time.sleep(0.3)
        assert background.signal(number) < MOST
        run = background.end().expect(code, stderr="interrupted with 2 of 3 tasks answered")
    assert "quick-1" in run.out
    assert "quick-3" in run.out
    assert "slow-2" not in run.out


@pytest.mark.parametrize(("number", "code"), SIGNALS, ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_stdin_is_read(
    flux: Program, number: signal.Signals, code: ExitCode
) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"an-id-1\n")
    with flux.start(*CHECK, stdin=reader) as background:
        until(lambda: not bytes_in(reader))
        assert background.signal(number) < MOST
        assert background.end().expect(code).out == ""
    os.close(writer)
    os.close(reader)


def bytes_in(pipe: int) -> int:
    """Return how many bytes are in a pipe: written, and not yet read."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_two_signals_at_once(flux: Program, service: Start) -> None:
    server = service(lambda _: [Wait(30)])
    with flux.start(*WATCH, *IDS) as background:
        while not server.requests:
            time.sleep(0.01)
        background.process.send_signal(signal.SIGINT)
        background.process.send_signal(signal.SIGINT)
        background.signal(signal.SIGTERM)
        run = background.end()
    assert run.code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


def test_network_gone_for_minutes_during_a_watch(flux: Program, service: Start) -> None:
    down = threading.Event()
    looks: list[Request] = []

    def script(request: Request) -> list[Step]:
        if down.is_set():
            return [End.RESET]
        looks.append(request)
        make: Callable[[str], object] = finished if len(looks) > 2 else running
        return [reply(200, batch(make(task_id) for task_id in request.ids))]

    service(script)
    options = ("--interval", "1s", "--max-interval", "1s", "--retries", "0")
    terminal = Terminal(flux, *WATCH[:2], *options, *IDS, columns=110)
    terminal.expect("processing")
    down.set()
    terminal.expect("old: ")
    terminal.expect("the connection was lost")
    assert IDS[0] in terminal.sent[terminal.sent.rindex("old: ") - 4000 :]  # the table is kept
    time.sleep(2)
    down.clear()
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    assert "3 tasks: 3 succeeded" in screen.lines
    assert "old: " not in " ".join(screen.lines)


@pytest.mark.parametrize("delay", [0.01, 0.02, 0.04, 0.06, 0.08])
def test_ctrl_c_while_it_starts(flux: Program, service: Start, delay: float) -> None:
    """From where the program begins: what Python does of itself before that is Python's."""
    service(lambda _: [Wait(30)])
    code = (
        "from flux_cli import interrupts; from flux_cli.__main__ import main;"
        " interrupts.install(); print('begun', flush=True); main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *WATCH, *IDS],
        env=flux.variables(dict.fromkeys(MEASURED_BY)),
        cwd=flux.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"Traceback" not in err


@pytest.mark.parametrize(("redirect", "code"), [("> /dev/full", 7), ("| true", 0), (">&-", 0)])
@pytest.mark.parametrize("words", ["--version", "--help", "help states", "schema"])
def test_a_text_that_cannot_be_written(flux: Program, words: str, redirect: str, code: int) -> None:
    need("bash")
    command = f"set -o pipefail; {FLUX} {words} {redirect}"
    run = subprocess.run(
        ["bash", "-c", command], env=flux.variables({}), capture_output=True, text=True, check=False
    )
    assert run.returncode == code
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr
