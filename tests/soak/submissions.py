"""Whether each prompt is paid for once: bad services, and flux interrupted and killed meanwhile."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Faults, Misbehaviour
from flux_cli.sandbox.server import TOKEN, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.soak.service import SEEDS, Table, folder
from tests.support.program import FLUX, MEASURED_BY, Program


RATES = (0, 10, 30, 50)  # percent of faults: half of them before a request has an effect
PROMPTS = 500
CUTS = 8  # signals for each run of prompts, at most
AT_ONCE = 12  # runs, most of which wait
MOST_RUNS = 100
LONGEST = 600.0  # seconds of one run
COMMAND = (
    *("images", "generate", "-f", "prompts.txt", "--journal", "journal", "--yes", "-o", "jsonl"),
    *("--rate", "200/s", "--request-timeout", "1500ms"),
)


@dataclass
class Outcome:
    """What became of the prompts of one run, counted."""

    interrupted: int = 0
    killed: int = 0
    asked: int = 0
    accepted: int = 0
    twice: int = 0  # tasks that nobody asked for once more
    lost: int = 0  # prompts without a task, and not told to be in doubt
    doubtful: int = 0  # rows that are told to be in doubt
    untold: int = 0  # tasks that are neither known nor told to be in doubt
    wrong: int = 0  # ids that are not those of the prompt, or exit codes

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*map(sum, zip(self.numbers(), other.numbers(), strict=True)))

    def numbers(self) -> Sequence[int]:
        """Return all counts."""
        return [*vars(self).values()]


def submissions() -> Table:
    """Return, by rate of faults, with a history and without, what was paid for."""
    rows: Table = [
        (
            "faults",
            "history",
            "SIGINT / SIGKILL",
            "prompts",
            "tasks accepted",
            "paid twice",
            "lost",
            "in doubt at the end",
            "accepted, not reported",
        )
    ]
    for has_history in (True, False):
        for rate in RATES:

            def one(seed: int, rate: int = rate, has_history: bool = has_history) -> Outcome:
                return outcome(rate / 100, seed, has_history=has_history)

            with ThreadPoolExecutor(AT_ONCE) as pool:
                total = sum(pool.map(one, range(SEEDS)), start=Outcome())
            assert total.wrong == 0, total
            rows.append(
                (
                    f"{rate} %",
                    "yes" if has_history else "none",
                    f"{total.interrupted} / {total.killed}",
                    *(f"{total.asked:,}", f"{total.accepted:,}", f"{total.twice:,}"),
                    *(f"{total.lost:,}", f"{total.doubtful:,}", f"{total.untold:,}"),
                )
            )
    return rows


def outcome(
    rate: float,
    seed: int,
    *,
    has_history: bool,
    count: int = PROMPTS,
    cuts: int = CUTS,
    pause: Callable[[Program], object] = lambda _: None,
) -> Outcome:
    """Submit `count` prompts to a service with faults, cut off again and again, until all is done.

    With a history, until each has its task; without one, until nothing is left to be sent.
    `pause` is called before it is run once more.
    """
    chance = random.Random(f"{rate} {seed} {has_history}")
    prompts = [f"a fox, number {n}" for n in range(count - count // 10)]
    prompts += chance.choices(prompts, k=count // 10)  # some are there twice
    chance.shuffle(prompts)
    misbehaviours = frozenset() if has_history else frozenset({Misbehaviour.NO_HISTORY})
    faults = Faults(
        error_rate=rate / 2, lose_replies=rate / 2, seed=seed, misbehaviours=misbehaviours
    )
    store = TaskStore(seed=seed, speed=1000.0, failure_rate=0.0)
    found = Outcome(asked=count)
    with folder() as flux, Sandbox(store, faults=faults) as server:
        flux.environment |= {"FLUX_API_BASE_URL": server.base_url, "FLUX_API_TOKEN": TOKEN}
        (flux.folder / "prompts.txt").write_text("\n".join(prompts))
        for _ in range(cuts):
            number = chance.choice((signal.SIGINT, signal.SIGKILL))
            code = cut(flux, server, number, chance)
            found.interrupted += code == ExitCode.INTERRUPTED
            found.killed += code == -signal.SIGKILL
            ends = {ExitCode.OK, ExitCode.NO_ANSWER, ExitCode.INTERRUPTED, -signal.SIGKILL}
            found.wrong += code not in ends
        records = until_done(flux, has_history=has_history, pause=pause)
        judge(found, prompts, records, store)
    return found


def until_done(
    flux: Program, *, has_history: bool, pause: Callable[[Program], object]
) -> list[dict[str, Any]]:
    """Repeat the command until it has nothing to send, and return what it has said."""
    options = ("--resend-unconfirmed",) if has_history else ()
    for _ in range(MOST_RUNS):
        pause(flux)
        with started(flux, *options) as process:
            code = process.wait(timeout=LONGEST)
        records = [json.loads(line) for line in (flux.folder / "output").read_bytes().splitlines()]
        unsent = [r for r in records if (r["error"] or {}).get("code") == "not_sent"]
        if code == ExitCode.OK or (not has_history and not unsent):
            return records
        assert code == ExitCode.NO_ANSWER, code
    raise AssertionError(f"not done after {MOST_RUNS} runs")


def cut(flux: Program, server: Sandbox, number: signal.Signals, chance: random.Random) -> int:
    """Run the command, send it a signal at a random instant, and return the exit code.

    One that can be caught comes once it has asked something: before, Python itself would be cut.
    """

    def requests() -> int:
        return server.accepted + server.batch_queries

    before = requests()
    with started(flux) as process:
        while number is signal.SIGINT and process.poll() is None and requests() == before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 2.5))
        process.send_signal(number)
        return process.wait(timeout=LONGEST)


@contextmanager
def started(flux: Program, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the command, with its output in a file."""
    output, errors = flux.folder / "output", flux.folder / "errors"
    with (
        output.open("wb") as out,
        errors.open("wb") as err,
        subprocess.Popen(
            [FLUX, *COMMAND, *options],
            cwd=flux.folder,
            env=flux.variables(dict.fromkeys(MEASURED_BY)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        ) as process,
    ):
        yield process
    assert "Traceback" not in errors.read_text(), errors.read_text()


def judge(
    found: Outcome, prompts: Sequence[str], records: Sequence[dict[str, Any]], store: TaskStore
) -> None:
    """Compare what was asked for, what the service has taken, and what flux says."""
    asked = Counter(prompts)
    made = {task.id: str(task.request["prompt"]) for task in store.newest()}
    taken = Counter(made.values())
    found.accepted = len(made)
    found.twice = (taken - asked).total()
    found.wrong += [record["prompt"] for record in records] != list(prompts)
    known = [record for record in records if record["id"]]
    found.wrong += len({record["id"] for record in known}) != len(known)
    found.wrong += any(made.get(record["id"]) != record["prompt"] for record in known)
    doubtful = Counter(record["prompt"] for record in records if not record["id"])
    found.doubtful = doubtful.total()
    found.lost = (asked - taken - doubtful).total()
    found.untold = (taken - Counter(record["prompt"] for record in known) - doubtful).total()
