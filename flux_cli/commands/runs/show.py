"""`flux runs show`: the prompts of a run, and what became of each."""

from collections import Counter
from itertools import islice
from typing import Annotated

import typer

from flux_cli.commands.options import OutputOptions
from flux_cli.commands.run_lookup import opened_run, refuse_raw
from flux_cli.commands.run_options import JournalFile, in_journal
from flux_cli.runtime import Runtime


_WRITTEN_AT_ONCE = 50  # rows


def show(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME"), "The run; see flux runs list."],
    output: OutputOptions,
    journal: JournalFile = None,
) -> None:
    """Show the prompts of a run, and what became of each when it was submitted.

    \b
    Examples:
      flux runs show prompts
      flux runs show prompts --state failed,unknown -o csv
      flux runs show prompts -o ids | flux tasks watch

    Reads the journal on this machine and asks the service nothing: a task that
    was accepted is pending here, whatever it has become; `flux tasks check
    --run NAME` asks. A prompt that was refused shows as failed; one that is in
    doubt, or was not submitted, as unknown. Those have no id.
    """
    from flux_cli.engine.run_rows import RunRows
    from flux_cli.models.reasons import Reasons
    from flux_cli.models.submission import SubmissionState, counts_in_words
    from flux_cli.output.reasons import summary_lines
    from flux_cli.output.times import format_age

    runtime: Runtime = ctx.obj
    refuse_raw(output, "flux runs show")
    output.apply(runtime)
    with opened_run(runtime, journal, name) as (opened, run):
        submissions = opened.submissions(run)
    rows, reasons = RunRows(), Reasons()
    rows.add_run(submissions)
    now = runtime.now()
    writer = output.make_writer(runtime, rows.labels)
    tasks = (submission.as_task(now) for submission in submissions)
    while batch := list(islice(tasks, _WRITTEN_AT_ONCE)):
        reasons.add(batch)
        writer.write(filter(output.shows, batch))
    writer.close()
    counts = Counter(submission.state for submission in submissions)
    note = runtime.stderr.note
    age = format_age(run.created_at, now)
    note(f"run {name}, submitted {age} to {run.base_url}: {counts_in_words(counts)}")
    for line in summary_lines(reasons, runtime.stderr):
        note(line)
    if counts[SubmissionState.PLANNED] or any(state.is_in_doubt for state in counts):
        note("To continue, repeat the command that submitted it: nothing is submitted twice.")
    if counts[SubmissionState.ACCEPTED]:
        words = f"tasks check --run {name}{in_journal(journal)}"
        note(f"To see how its tasks stand, run: {runtime.program} {words}")
