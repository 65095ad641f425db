"""Everything about some tasks: from ids to cards, or to records that people can read."""

from flux_cli import interrupts
from flux_cli.commands.summary import print_absence
from flux_cli.engine.check import no_answer_for
from flux_cli.engine.session import Session
from flux_cli.errors import Interrupted
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.output.formats import Writer
from flux_cli.runtime import Runtime


def run_show(
    runtime: Runtime, session: Session, ids: TaskIds, writer: Writer, *, keep_raw: bool
) -> TaskCounts:
    """Ask for `ids`, write what is known of each, and return the counts.

    Raises ServiceError when there is an id without an answer, after writing
    what was answered; Interrupted likewise.
    """
    counts = TaskCounts()
    poll = session.check(ids, keep_raw=keep_raw)
    try:
        for batch in poll.results():
            for task in batch:
                if writer.write([task]):
                    counts.add([task])
                interrupts.check()
        writer.close()
    except Interrupted:
        runtime.stderr.line(
            f"flux: interrupted with {counts.total:,} of {len(ids):,} tasks shown."
            " The tasks go on by themselves; run the same command again to look."
        )
        raise
    print_absence(runtime, session, counts)
    if poll.stopped_by is not None:
        raise poll.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), poll.failure)
    return counts
