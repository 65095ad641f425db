"""One look at a set of tasks: from ids to what stands on stdout. `check` and `demo` share it."""

from flux_cli.api.connection import Connection
from flux_cli.errors import Interrupted, ServiceError, Unanswered
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.formats import Writer
from flux_cli.runtime import Runtime


def look(
    runtime: Runtime,
    ids: TaskIds,
    connection: Connection,
    writer: Writer,
    *,
    states: frozenset[State] | None = None,
    batch_size: int = 50,
    retries: int = 3,
    keep_raw: bool = False,
) -> TaskCounts:
    """Ask for `ids`, write the tasks in `states` (None: all), and return the counts of all.

    Raises ServiceError when there is an id without an answer, after writing
    what was answered; Interrupted likewise.
    """
    from flux_cli.api.throttle import Throttle
    from flux_cli.engine.check import Check

    counts = TaskCounts()

    def show(batch: list[Task]) -> None:
        chosen = [task for task in batch if states is None or task.state in states]
        written = writer.write(chosen)
        if written == len(chosen):
            counts.add(batch)
        else:  # nobody takes the rest: it does not count
            counts.add(chosen[:written])

    with runtime.client(connection) as client:
        engine = Check(
            ids,
            client.retrieve_batch,
            throttle=Throttle(concurrency=connection.concurrency, retries=retries),
            batch_size=batch_size,
            workers=min(connection.concurrency, -(-len(ids) // batch_size)),
            keep_raw=keep_raw,
            now=runtime.now,
        )
        try:
            for batch in engine.results():
                show(batch)
            writer.close()
        except Interrupted:
            for batch in engine.interrupt():
                show(batch)
            writer.close()
            runtime.stderr.line(
                f"flux: interrupted with {counts.total:,} of {len(ids):,} tasks answered."
                " The tasks go on by themselves; run the same command again to look."
            )
            raise
    runtime.stderr.note(counts.summary())
    if engine.stopped_by is not None:
        raise engine.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), engine.failure)
    return counts


def no_answer_for(unknown: int, total: int, failure: ServiceError | None) -> Unanswered:
    """Return the error for `unknown` of `total` tasks that `failure` left without an answer."""
    reason = failure.message if failure else "the service keeps sending incomplete replies"
    return Unanswered(
        f"no answer for {unknown:,} of {total:,} tasks: {reason}",
        code="no_answer",
        hint=(failure and failure.hint) or "Run the same command again later",
        trace_id=failure.trace_id if failure else None,
    )
