"""Everything about some tasks: from ids to cards, or to records that people can read."""

import contextlib

from flux_cli import interrupts
from flux_cli.commands.browser import Browser
from flux_cli.commands.show_options import CardFormat, ShowOutputOptions
from flux_cli.commands.summary import print_absence
from flux_cli.engine.check import Check, no_answer_for
from flux_cli.engine.session import Session
from flux_cli.errors import Interrupted
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.output.formats import Writer
from flux_cli.output.preview.method import Method
from flux_cli.runtime import Runtime


def run_show(
    runtime: Runtime, session: Session, ids: TaskIds, output: ShowOutputOptions
) -> TaskCounts:
    """Ask for `ids`, write what is known of each, and return the counts.

    Raises ServiceError when there is an id without an answer, after writing
    what was answered; Interrupted likewise.
    """
    counts = TaskCounts()
    with contextlib.ExitStack() as stack:
        writer = _writer(stack, runtime, session, output)
        poll = session.check(ids, keep_raw=output.raw)
        browser = Browser(runtime) if output.opens else None
        try:
            _show(poll, writer, browser, counts)
        except Interrupted:
            runtime.stderr.line(
                f"flux: interrupted with {counts.total:,} of {len(ids):,} tasks shown. The tasks"
                " keep running on the service; run the same command again to see how they stand."
            )
            raise
    print_absence(runtime, session, counts)
    if poll.stopped_by is not None:
        raise poll.stopped_by
    if unknown := counts.by_state[State.UNKNOWN]:
        raise no_answer_for(unknown, len(ids), poll.failure)
    return counts


def _writer(
    stack: contextlib.ExitStack, runtime: Runtime, session: Session, output: ShowOutputOptions
) -> Writer:
    """Return what writes tasks, and draws pictures where that is wanted. Raises UsageError."""
    is_card = output.format.on(runtime.stdout, raw=output.raw) is CardFormat.CARD
    if not is_card or output.preview is Method.OFF:
        return output.make_writer(runtime, is_run=session.rows.labels is not None)
    from flux_cli.commands.previews import Previews

    previews = Previews(runtime, session, output.preview, say=runtime.stderr.note)
    return output.make_writer(runtime, stack.enter_context(previews).show)


def _show(poll: Check, writer: Writer, browser: Browser | None, counts: TaskCounts) -> None:
    for batch in poll.results():
        for task in batch:
            if writer.write([task]):
                counts.add([task])
            if browser is not None:
                browser.open(task)
            interrupts.check()
    writer.close()
