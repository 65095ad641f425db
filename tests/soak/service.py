"""What becomes of ids and requests while the service misbehaves."""

import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Faults, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.support.fault_server import End, FaultServer, Request, Script, Step, Wait, answer, reply
from tests.support.peak import peak_memory
from tests.support.program import FLUX, Program, Run
from tests.support.records import batch, error_body, finished, make_ids, running


RATES = (0, 1, 5, 10, 30, 50)  # percent
SEEDS = 20
BATCHES = 200
CHECK = ("tasks", "check", "-q")
Table = list[Sequence[str]]


class Chaos:
    """Answers well, or, at a rate, in one of twelve bad ways."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> list[Step]:
        with self._lock:
            if self._random.random() >= self._rate:
                return answer(request)
            fault = self._random.randrange(12)
            some = self._random.sample(request.ids, self._random.randint(0, len(request.ids)))
        [whole] = answer(request)
        assert isinstance(whole, bytes)
        page = b"<html><title>Bad gateway</title></html>"
        items = [finished(task_id) for task_id in some]
        faults: tuple[list[Step], ...] = (
            [End.RESET],
            [End.CLOSE],
            [whole[: len(whole) // 2], End.CLOSE],
            [whole[: len(whole) // 2], Wait(5)],
            [reply(500, error_body("api_error"))],
            [reply(502, page)],
            [reply(503, page, retry_after="0")],
            [reply(429, error_body("too_many_requests"))],
            [reply(200, whole[-40:])],
            [reply(200, batch(items))],
            [reply(200, batch([*items, *map(running, some), finished("foreign"), None, 7]))],
            [reply(200, batch(items[:12]))],
        )
        return faults[fault]


def conservation() -> Table:
    """Return, by rate of faults, what became of ids that have all succeeded, and at what cost."""
    ids = make_ids(50 * BATCHES)
    rows: Table = [
        ("faults", "ids accounted for", "answered", "answered wrongly", "requests sent / needed")
    ]
    for rate in RATES:

        def one(seed: int, rate: int = rate) -> tuple[int, int, int, int]:
            with served(Chaos(rate / 100, seed)) as (flux, server):
                run = flux(*CHECK, "--request-timeout", "1s", stdin="\n".join(ids))
                run.expect(ExitCode.OK if set(run.states.values()) <= ENDS else ExitCode.NO_ANSWER)
                whole = [record["id"] for record in run.records] == ids
                right = sum(state == "succeeded" for state in run.states.values())
                wrong = sum(state in ENDS - {"succeeded"} for state in run.states.values())
                return len(ids) * whole, right, wrong, len(server.requests)

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(one, range(SEEDS)))
        total = len(ids) * SEEDS
        kept, right, wrong, requests = (sum(column) for column in zip(*results, strict=True))
        rows.append(
            (
                f"{rate} %",
                f"{100 * kept / total:.0f} % of {total:,}",
                f"{100 * right / total:.2f} %",
                f"{100 * wrong / total:.2f} %",
                f"{requests / (BATCHES * SEEDS):.2f}",
            )
        )
    return rows


ENDS = {"succeeded", "not_found", "processing"}


def dead_service() -> Table:
    """Return what 1,000 batches cost a service that is dead in one of three ways."""
    ids = "\n".join(make_ids(50_000))
    faults: dict[str, Script] = {
        "answers 502": lambda _: [reply(502, b"")],
        "resets every connection": lambda _: [End.RESET],
        "answers 429 without a Retry-After": lambda _: [reply(429, b"")],
    }
    rows: Table = [("a service that", "requests sent", "seconds until flux gives up")]
    for name, script in faults.items():
        with served(script) as (flux, server):
            seconds, run = timed(flux, *CHECK, "-o", "ids", stdin=ids)
            run.expect(ExitCode.NO_ANSWER)
            rows.append((name, f"{len(server.requests)}", f"{seconds:.1f}"))
    return rows


def throttling() -> Table:
    """Return how well flux keeps to an allowed rate of requests, by rate."""
    rows: Table = [("allowed", "429s for each accepted request", "share of the rate used")]
    for rate, batches in ((2, 40), (5, 100), (20, 400)):
        store = TaskStore(speed=1000.0, failure_rate=0.0)
        ids = [store.submit({"prompt": "x"}).id for _ in range(50 * batches)]
        with folder() as flux, Sandbox(store, faults=Faults(rate_limit=rate)) as server:
            flux.environment |= {"FLUX_API_BASE_URL": server.base_url, "FLUX_API_TOKEN": TOKEN}
            seconds, run = timed(flux, *CHECK, "-o", "ids", stdin="\n".join(ids))
            run.expect(ExitCode.OK)
            refused = server.refused / server.batch_queries
            allowed = rate * (seconds + 1)  # the bucket starts full
        used = f"{100 * min(1.0, batches / allowed):.0f} %"
        rows.append((f"{rate} requests a second", f"{refused:.2f}", used))
    return rows


def page_limit() -> Table:
    """Return what 5,000 ids cost when a reply holds at most 12."""
    store = TaskStore(speed=1000.0, failure_rate=0.0)
    ids = [store.submit({"prompt": "x"}).id for _ in range(5000)]
    time.sleep(0.1)
    with folder() as flux, Sandbox(store, faults=Faults(page_limit=12)) as server:
        flux.environment |= {"FLUX_API_BASE_URL": server.base_url, "FLUX_API_TOKEN": TOKEN}
        run = flux(*CHECK, stdin="\n".join(ids)).expect(ExitCode.OK)
        found = sum(state == "succeeded" for state in run.states.values())
        return [
            ("ids", "found", "requests", "at best"),
            ("5,000", f"{found:,}", f"{server.batch_queries}", "417"),
        ]


def memory() -> Table:
    """Return the peak memory for 10,000 and for 1,000,000 ids on stdin."""

    def brief(request: Request) -> list[Step]:
        items = ",".join(f'{{"id":"{task_id}"}}' for task_id in request.ids)
        return [reply(200, f'{{"items":[{items}]}}'.encode())]

    peaks: dict[int, int] = {}
    with served(brief) as (flux, _):
        for count in (10_000, 1_000_000):
            code, output, peaks[count] = peak_memory(
                [FLUX, *CHECK], flux.environment, flux.folder, "\n".join(make_ids(count))
            )
            assert (code, output.count("\n")) == (0, count)
    each = (peaks[1_000_000] - peaks[10_000]) / 990_000
    return [
        ("ids on stdin", "peak memory"),
        *((f"{count:,}", f"{peak / 1e6:.0f} MB") for count, peak in peaks.items()),
        ("each further id", f"{each:.0f} bytes"),
    ]


@contextmanager
def folder() -> Iterator[Program]:
    """Give flux a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        yield Program(Path(name))


@contextmanager
def served(script: Script) -> Iterator[tuple[Program, FaultServer]]:
    """Give flux a folder of its own and a service that follows `script`."""
    with folder() as flux, FaultServer(script) as server:
        flux.environment["FLUX_API_BASE_URL"] = server.url
        yield flux, server


def timed(flux: Program, *arguments: str, stdin: str) -> tuple[float, Run]:
    """Run flux and return how many seconds it took, and the run."""
    started = time.monotonic()
    run = flux(*arguments, stdin=stdin)
    return time.monotonic() - started, run
