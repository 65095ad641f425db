"""What is left after flux was interrupted or killed at any instant."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flux_cli.errors import ExitCode
from flux_cli.storage.credentials import DEFAULT_PROFILE, CredentialStore
from tests.soak.service import Table, folder, served
from tests.support.fault_server import FaultServer, Request, Step, answer, reply
from tests.support.pictures import with_files
from tests.support.program import Background, Program
from tests.support.records import batch, make_ids, running
from tests.support.terminal import Terminal


INTERRUPTS = 200
CUTS = 300
STALLS = 100
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KILLS = 500
PROCESSES = 8
ROUNDS = 1000  # for each of them
TOKEN = "soak-token-not-a-secret"  # noqa: S105 - says so itself


def still(request: Request) -> list[Step]:
    return [reply(200, batch(running(task_id) for task_id in request.ids))]


def interrupts() -> Table:
    """Press Ctrl-C at random instants of a watch on a terminal."""

    def one(seed: int) -> tuple[float, bool]:
        with served(still) as (flux, _):
            (flux.folder / "ids").write_text("\n".join(make_ids(100)))
            options = ("--interval", "1s", "--max-interval", "1s", "-f", "ids")
            terminal = Terminal(flux, "tasks", "watch", *options, gets_signals=True)
            terminal.expect("\x1b[?25l")
            seconds = terminal.interrupt_after(random.Random(seed).uniform(0, 1.5))
            end = terminal.end()
            clean = end.code == ExitCode.INTERRUPTED and not end.cursor_hidden
            clean = clean and "Traceback" not in end.sent and "\x1b[?1049" not in end.sent
            return seconds, not clean

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(one, range(INTERRUPTS)))
    times = sorted(seconds for seconds, _ in ends)
    return [
        ("Ctrl-C at random instants", "median time to exit", "longest", "screens left dirty"),
        (
            f"{INTERRUPTS}",
            f"{times[len(times) // 2]:.3f} s",
            f"{times[-1]:.3f} s",
            f"{sum(dirty for _, dirty in ends)}",
        ),
    ]


def cuts() -> Table:
    """Interrupt what writes, at random instants, and look at everything it leaves."""
    return [
        (
            f"{CUTS} interrupts of",
            "broken lines",
            "ids twice",
            "files without a record",
            "temporary files left",
            "wrong exit codes",
        ),
        *(cut(name) for name in CUT),
    ]


IDS = make_ids(60)
CUT = {
    "`check` into a slow reader": ("check", "--batch-size", "5", "-o", "jsonl"),
    "`download --sidecar`": ("download", "-d", "out", "--sidecar", "-o", "jsonl"),
    "`watch --download -o json`": ("watch", "--download", "out", "-o", "json"),
}


def cut(name: str) -> tuple[str, ...]:
    """Return the row of one command: what was wrong after CUTS interrupts."""
    is_slow = "slow" in name
    chance = random.Random(name)
    wrong: Counter[str] = Counter()
    with served(with_files(count=2)) as (flux, server):
        command = ("tasks", *CUT[name], *IDS)
        usual = timed_end(flux, server, command, is_slow=is_slow)
        for _ in range(CUTS):
            shutil.rmtree(flux.folder / "out", ignore_errors=True)
            number = chance.choice(ENDS)
            delay = chance.uniform(0, 1.05) * usual
            server.requests.clear()
            with flux.start(*command) as background:
                while not server.requests:  # before its first line, Python itself would be cut
                    time.sleep(0.005)
                data = read_from(background, is_slow=is_slow, after=delay, number=number)
                code = background.process.wait(timeout=30)
            wrong += flaws(flux, data, is_array="json" in command)
            wrong["code"] += code not in (0, 128 + number)
    return (name, *(str(wrong[key]) for key in ("line", "twice", "record", "part", "code")))


def timed_end(
    flux: Program, server: FaultServer, command: tuple[str, ...], *, is_slow: bool
) -> float:
    """Return the seconds that an undisturbed run takes from its first request on."""
    server.requests.clear()
    with flux.start(*command) as background:
        while not server.requests:
            time.sleep(0.005)
        started = time.monotonic()
        read_from(background, is_slow=is_slow)
        background.process.wait(timeout=60)
    shutil.rmtree(flux.folder / "out", ignore_errors=True)
    return time.monotonic() - started


def read_from(
    background: Background,
    *,
    is_slow: bool,
    after: float | None = None,
    number: signal.Signals = signal.SIGINT,
) -> bytes:
    """Read stdout to its end, 2,000 bytes at a time when slow; send a signal `after` seconds."""
    assert background.process.stdout is not None
    if after is not None:
        timer = threading.Timer(after, background.process.send_signal, [number])
        timer.daemon = True
        timer.start()
    data = b""
    while part := os.read(background.process.stdout.fileno(), 2000 if is_slow else 65536):
        data += part
        if is_slow:
            time.sleep(0.02)
    return data


def flaws(flux: Program, data: bytes, *, is_array: bool) -> Counter[str]:
    """Count what is not as it should be in an output and in the folder of files."""
    found: Counter[str] = Counter()
    records: list[dict[str, Any]] = []
    lines = [data] if is_array and data else data.splitlines(keepends=True)
    for line in lines:
        try:
            records += json.loads(line) if is_array else [json.loads(line)]
            found["line"] += not line.endswith(b"\n")
        except ValueError:
            found["line"] += 1
    ids = [record["id"] for record in records]
    found["twice"] += len(ids) - len(set(ids))
    told = {output.get("path") for record in records for output in record["outputs"]}
    there = {f"out/{path.name}" for path in (flux.folder / "out").glob("*.png")}
    found["record"] += len(there ^ (told - {None}))
    found["part"] += len([*flux.folder.rglob("*.part")]) + len([*flux.temporary.iterdir()])
    return found


def stalled() -> Table:
    """Interrupt a check whose reader never reads."""
    times = []
    with served(answer) as (flux, server):
        (flux.folder / "ids").write_text("\n".join(make_ids(2000)))
        chance = random.Random(0)
        for _ in range(STALLS):
            server.requests.clear()
            with flux.start("tasks", "check", "-f", "ids") as background:
                while len(server.requests) < 5:
                    time.sleep(0.01)
                time.sleep(chance.uniform(0, 0.3))
                times.append(background.signal(chance.choice(ENDS)))
    times.sort()
    return [
        ("signals, with a reader that never reads", "median time to exit", "longest"),
        (f"{STALLS}", f"{times[len(times) // 2]:.3f} s", f"{times[-1]:.3f} s"),
    ]


def kills() -> Table:
    """Kill `flux auth login` at random instants, over a credential that is there already."""
    with folder() as flux:
        login = ("auth", "login", "--with-token", "--no-verify")
        flux(*login, stdin=TOKEN, FLUX_API_TOKEN=None).expect(ExitCode.OK)
        started = time.monotonic()
        flux(*login, stdin=TOKEN, FLUX_API_TOKEN=None)
        usual = time.monotonic() - started
        broken = killed = 0
        chance = random.Random(0)
        for number in range(KILLS):
            token = f"{TOKEN}-{number}"
            path = flux.folder / "token"
            path.write_text(token)
            with (
                path.open("rb") as file,
                flux.start(*login, stdin=file.fileno(), FLUX_API_TOKEN=None) as background,
            ):
                time.sleep(chance.uniform(0.3, 1.1) * usual)
                background.process.send_signal(signal.SIGKILL)
                killed += background.process.wait() == -signal.SIGKILL
            broken += not is_whole(flux.config)
        leftovers = len(list(flux.config.glob("*.part")))
    return [
        ("SIGKILL during `auth login`", "killed in time", "files broken", "temporary files left"),
        (f"{KILLS}", f"{killed}", f"{broken}", f"{leftovers} (the next save removes it)"),
    ]


def is_whole(config: Path) -> bool:
    """Tell whether the store can be read and holds what was saved."""
    warnings: list[str] = []
    loaded = CredentialStore(config, warn=warnings.append).load().of(DEFAULT_PROFILE)
    return not warnings and all(c.token.reveal().startswith(TOKEN) for c in loaded.values())


_WORKER = """
import sys
from pathlib import Path
from typing import Any
from flux_cli.token import Token
from flux_cli.storage.credentials import Credential, CredentialStore

folder, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(rounds):
    credential = Credential(Token("soak-token-not-a-secret"), 1.0)
    CredentialStore(folder, warn=print).save("default", f"{name}-{number}", credential)
    if number:
        assert CredentialStore(folder, warn=print).delete("default", f"{name}-{number - 1}")
"""


def processes_at_once() -> Table:
    """Save and remove credentials in eight processes at once, and read them all the while."""
    with folder() as flux:
        over = threading.Event()
        unreadable = reads = 0

        def read() -> None:
            nonlocal unreadable, reads
            path = flux.config / "credentials.json"
            while not over.is_set():
                if path.exists():
                    reads += 1
                    try:
                        json.loads(path.read_bytes())
                    except ValueError:
                        unreadable += 1

        reader = threading.Thread(target=read)
        reader.start()
        rounds = str(ROUNDS)
        workers = [
            subprocess.Popen([sys.executable, "-c", _WORKER, str(flux.config), f"w{n}", rounds])
            for n in range(PROCESSES)
        ]
        failed = sum(worker.wait() != 0 for worker in workers)
        over.set()
        reader.join()
        left = CredentialStore(flux.config, warn=print).load().of(DEFAULT_PROFILE)
        last = int(rounds) - 1
        lost = sum(f"w{n}-{last}" not in left for n in range(PROCESSES))
        lost += len(left) - PROCESSES + failed
    return [
        ("processes at once", "saves and removals", "reads", "unreadable", "lost updates"),
        (
            f"{PROCESSES}",
            f"{(2 * ROUNDS - 1) * PROCESSES:,}",
            f"{reads:,}",
            f"{unreadable}",
            f"{lost}",
        ),
    ]
