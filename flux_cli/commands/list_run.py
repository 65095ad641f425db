"""One account's own tasks: from pages of its history to what stands on stdout."""

import math
from collections.abc import Iterable, Iterator
from typing import Self

from flux_cli import interrupts
from flux_cli.commands.options import OutputOptions
from flux_cli.commands.summary import print_summary, raise_weightier
from flux_cli.config.moments import format_moment
from flux_cli.engine.listing import Bounds
from flux_cli.engine.session import Session
from flux_cli.engine.task_store import TaskStore
from flux_cli.errors import Interrupted, OutputError, ServiceError
from flux_cli.models.reasons import Reasons
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.runtime import Runtime


_WRITTEN_AT_ONCE = 50  # tasks


def run_list(
    runtime: Runtime,
    session: Session,
    bounds: Bounds,
    output: OutputOptions,
    *,
    limit: int | None,
) -> None:
    """Write the newest tasks within `bounds` that are to be shown, `limit` at most.

    Raises ServiceError when the service refuses, after writing what it told
    before; Interrupted likewise.
    """
    counts, reasons = TaskCounts(), Reasons()
    ending: ServiceError | Interrupted | None = None
    with Newest() as newest:
        try:
            with interrupts.cuttable():  # what is written comes after
                for page in session.list(bounds, keep_raw=output.keeps_raw):
                    newest.add(filter(output.shows, page))
                    if limit is not None and len(newest) > limit:
                        break  # one more than are shown, so as to know that there is more
        except (ServiceError, Interrupted) as error:
            ending = error
        try:
            writer = output.make_writer(runtime, None, shows_age=True)
            for tasks in newest.batches(limit):
                taken = tasks[: writer.write(tasks)]
                counts.add(taken)
                reasons.add(taken)
            writer.close()
        except OutputError as error:
            raise_weightier(runtime, error, ending if isinstance(ending, ServiceError) else None)
    if limit is not None and len(newest) > limit:
        runtime.stderr.note(f"flux: only the newest {limit:,} are listed; --all lists every task.")
    if counts.total:
        print_summary(runtime, session, output, counts, reasons)
    elif ending is None:
        runtime.stderr.note(nothing_listed(runtime, session, bounds))
    if ending is not None:
        raise ending


class Newest:
    """Keeps tasks, without letting memory grow with them, and gives them back newest first."""

    def __init__(self) -> None:
        self._store = TaskStore()
        self._places: list[tuple[float, int | Task]] = []  # created at, and where it is kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            place = self._store.put(task)
            at = -math.inf if task.created_at is None else task.created_at
            self._places.append((at, task if place is None else place))

    def batches(self, limit: int | None) -> Iterator[list[Task]]:
        """Yield the newest tasks, `limit` at most; those without a time come last."""
        self._places.sort(key=lambda place: -place[0])  # stable: the service's order decides a tie
        chosen = self._places[:limit]
        for start in range(0, len(chosen), _WRITTEN_AT_ONCE):
            part = chosen[start : start + _WRITTEN_AT_ONCE]
            yield [p if isinstance(p, Task) else self._store.get(p) for _, p in part]


def nothing_listed(runtime: Runtime, session: Session, bounds: Bounds) -> str:
    """Say what it can mean that there is nothing, and what to do."""
    kind = bounds.type or "tasks"
    until = f" until {format_moment(bounds.until)}" if math.isfinite(bounds.until) else ""
    return (
        f"flux: the service lists no {kind} since {format_moment(bounds.since)}{until}. It may"
        f" have dropped older ones, or the token (from {session.token_source}) may belong to"
        f" another account. To check ids that you have, run: {runtime.program} tasks check ID"
    )
