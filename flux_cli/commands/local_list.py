"""The tasks that were submitted from this machine, as its journal has them."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flux_cli.commands.list_options import ListServiceOptions
from flux_cli.commands.list_run import Newest
from flux_cli.commands.option_groups import check_use
from flux_cli.commands.options import OutputOptions
from flux_cli.commands.run_lookup import existing_journal, nothing_submitted, refuse_raw
from flux_cli.commands.run_options import in_journal
from flux_cli.config.moments import format_moment
from flux_cli.engine.listing import Bounds
from flux_cli.engine.run_rows import RunRows
from flux_cli.models.submission import Submission, SubmissionState
from flux_cli.models.summary import TaskCounts
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.storage.journal import Journal


_CHOICE = ("format", "fields", "quiet", "raw")  # of what is shown; the states are all one


def check_local_use(ctx: typer.Context, output: OutputOptions) -> None:
    """Raise UsageError for an option that means nothing where the service is not asked."""
    refuse_raw(output, "flux tasks list --local")
    check_use(
        ctx,
        [ListServiceOptions, OutputOptions],
        "when the service is asked",
        hint="Leave it or --local out",
        but=("base_url", "profile", *_CHOICE),
    )


def list_local(
    runtime: Runtime,
    file: Path | None,
    base_url: str,
    bounds: Bounds,
    output: OutputOptions,
    *,
    limit: int | None,
) -> None:
    """Write the newest tasks within `bounds` that were submitted to `base_url`.

    Raises UsageError, JournalError and OutputError.
    """
    counts, rows, now = TaskCounts(), RunRows(), runtime.now()
    rows.add_run(())
    with existing_journal(runtime, file) as journal, Newest() as newest:
        if journal is not None:
            for submission in _accepted(journal, base_url):
                task = submission.as_task(now)
                is_recent = bounds.since <= (task.created_at or -math.inf) <= bounds.until
                if is_recent and bounds.type in (None, task.type):
                    rows.add_run([submission])
                    newest.add([task])
        writer = output.make_writer(runtime, rows.labels)
        for tasks in newest.batches(limit):
            counts.add(tasks[: writer.write(tasks)])
        writer.close()
    note = runtime.stderr.note
    if counts.total:
        program = runtime.program
        note(
            f"{counts.summary()} when submitted. To see how they stand now, run:"
            f" {program} tasks list --local{in_journal(file)} -o ids | {program} tasks check"
        )
    elif journal is None:
        note(f"flux: {nothing_submitted(runtime, file)}.")
    else:
        kind, since = bounds.type or "tasks", format_moment(bounds.since)
        note(f"flux: {journal.path} has no {kind} submitted to {base_url} since {since}.")


def _accepted(journal: "Journal", base_url: str) -> Iterator[Submission]:
    """Yield what was accepted, once each, however many runs it is in."""
    seen: set[int] = set()
    for run in journal.runs():
        if run.base_url != base_url:
            continue
        for submission in journal.submissions(run):
            if submission.state is SubmissionState.ACCEPTED and submission.number not in seen:
                seen.add(submission.number)
                yield submission
