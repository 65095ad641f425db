"""A day of watching, in virtual time, over real sockets."""

import gc
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from flux_cli.api.client import Client
from flux_cli.api.connection import Connection
from flux_cli.api.throttle import Throttle
from flux_cli.engine.check import Check
from flux_cli.engine.policies import WatchPolicy
from flux_cli.engine.watch import Polled, Watch
from flux_cli.models.ids import TaskIds
from flux_cli.token import Token
from tests.soak.service import Table
from tests.support.fault_server import FaultServer, Request, Step, reply
from tests.support.program import CANARY
from tests.support.records import batch, finished, make_ids, running


HOUR = 3600.0
TASKS = 500


class Clock:
    """Virtual seconds: nothing waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def day() -> Table:
    """Watch 500 tasks for 24 hours of virtual time; the last finish in the last hour."""
    clock = Clock()
    ends = {task_id: n * 24 * HOUR / TASKS for n, task_id in enumerate(make_ids(TASKS))}

    def script(request: Request) -> list[Step]:
        def record(task_id: str) -> object:
            return (finished if clock.now >= ends[task_id] else running)(task_id)

        del server.requests[:]  # what the measuring itself keeps would grow
        return [reply(200, batch(map(record, request.ids)))]

    ids = TaskIds()
    for task_id in ends:
        ids.add(task_id)
    rows: Table = [("virtual time", "memory", "threads", "file descriptors", "polls")]
    with FaultServer(script) as server:
        connection = Connection(
            base_url=server.url, token=Token(CANARY), request_timeout=30.0, concurrency=8
        )
        throttle = Throttle(concurrency=8, retries=3)
        with Client(connection) as client:

            def poll(open_ids: Iterator[str]) -> Check:
                return Check(
                    open_ids,
                    client.retrieve_batch,
                    client.retrieve,
                    throttle=throttle,
                    batch_size=50,
                    workers=8,
                )

            watch = Watch(
                ids,
                poll,
                policy=WatchPolicy(),
                clock=clock,
                wait=clock.wait,
                uniform=random.Random(0).uniform,
            )
            polls, marks = 0, iter((HOUR, 6 * HOUR, 12 * HOUR, 23 * HOUR))
            mark = next(marks)
            for event in watch.events():
                polls += isinstance(event, Polled)
                if clock.now >= mark:
                    rows.append(
                        (f"{mark / HOUR:.0f} h", *state(threading.active_count), f"{polls:,}")
                    )
                    mark = next(marks, float("inf"))
    return rows


def state(threads: Callable[[], int]) -> tuple[str, str, str]:
    """Return memory, threads and file descriptors of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return f"{memory:.0f} MB", f"{threads()}", f"{len(list(Path('/proc/self/fd').iterdir()))}"
