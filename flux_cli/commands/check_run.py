"""One poll of a set of tasks: from ids to what stands on stdout."""

from flux_cli import interrupts
from flux_cli.commands.options import OutputOptions
from flux_cli.commands.summary import print_summary, raise_weightier
from flux_cli.engine.check import no_answer_for
from flux_cli.engine.session import Session
from flux_cli.errors import Interrupted, OutputError
from flux_cli.models.ids import TaskIds
from flux_cli.models.reasons import Reasons
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.runtime import Runtime


def run_check(
    runtime: Runtime, session: Session, ids: TaskIds, output: OutputOptions
) -> TaskCounts:
    """Ask for `ids`, write the tasks that are to be shown, and return the counts of all.

    Raises ServiceError when there is an id without an answer, after writing
    what was answered; Interrupted likewise.
    """
    counts, reasons = TaskCounts(), Reasons()
    poll = session.check(ids, keep_raw=output.keeps_raw)
    writer = output.make_writer(runtime, session.rows.labels)

    def show(batch: list[Task]) -> None:
        chosen = [task for task in batch if output.shows(task)]
        written = writer.write(chosen)
        # where nobody takes the rest, it does not count
        taken = batch if written == len(chosen) else chosen[:written]
        counts.add(taken)
        reasons.add(taken)

    try:
        for batch in poll.results():
            show(batch)
            interrupts.check()  # a signal that came while it was written
        writer.close()
    except OutputError as error:
        raise_weightier(runtime, error, poll.stopped_by or poll.failure)
    except Interrupted:
        for batch in poll.interrupt():
            show(batch)
        writer.close()
        runtime.stderr.line(
            f"flux: interrupted with {counts.total:,} of {len(ids):,} tasks answered. The tasks"
            " keep running on the service; run the same command again to see how they stand."
        )
        raise
    print_summary(runtime, session, output, counts, reasons)
    if poll.stopped_by is not None:
        raise poll.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), poll.failure)
    return counts
