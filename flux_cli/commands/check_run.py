"""One poll of a set of tasks: from ids to what stands on stdout."""

from flux_cli import interrupts
from flux_cli.commands.account_note import note_other_account
from flux_cli.commands.options import OutputOptions
from flux_cli.engine.check import no_answer_for
from flux_cli.engine.session import Session
from flux_cli.errors import Interrupted, OutputError
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.formats import make_writer
from flux_cli.runtime import Runtime


def run_check(
    runtime: Runtime, session: Session, ids: TaskIds, output: OutputOptions
) -> TaskCounts:
    """Ask for `ids`, write the tasks that are to be shown, and return the counts of all.

    Raises ServiceError when there is an id without an answer, after writing
    what was answered; Interrupted likewise.
    """
    counts = TaskCounts()
    poll = session.check(ids, keep_raw=output.raw)
    writer = make_writer(
        output.format,
        runtime.stdout,
        raw=output.raw,
        now=runtime.now(),
        note=runtime.stderr.note,
    )

    def show(batch: list[Task]) -> None:
        chosen = [task for task in batch if output.shows(task)]
        written = writer.write(chosen)
        if written == len(chosen):
            counts.add(batch)
        else:  # nobody takes the rest: it does not count
            counts.add(chosen[:written])

    try:
        for batch in poll.results():
            show(batch)
            interrupts.check()  # a signal that came while it was written
        writer.close()
    except OutputError as error:  # what the service did counts before it
        if poll.stopped_by is None:
            raise
        runtime.stderr.line(f"flux: {error.message}.")
        raise poll.stopped_by from None
    except Interrupted:
        for batch in poll.interrupt():
            show(batch)
        writer.close()
        runtime.stderr.line(
            f"flux: interrupted with {counts.total:,} of {len(ids):,} tasks answered."
            " The tasks go on by themselves; run the same command again to look."
        )
        raise
    runtime.stderr.note(counts.summary())
    note_other_account(runtime, session, counts)
    if poll.stopped_by is not None:
        raise poll.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), poll.failure)
    return counts
