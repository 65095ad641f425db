"""`flux runs rm`: removes a run from the journal."""

from collections import Counter
from typing import Annotated

import typer

from flux_cli.commands.run_lookup import opened_run
from flux_cli.commands.run_options import JournalFile
from flux_cli.errors import ExitCode, UsageError
from flux_cli.runtime import Runtime


def rm(
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME"), "The run; see flux runs list."],
    yes: Annotated[
        bool, typer.Option("-y"), "Do not ask, even if prompts are in doubt or not submitted."
    ] = False,
    journal: JournalFile = None,
) -> None:
    """Remove a run from the journal. Nothing on the service is deleted.

    \b
    Example:
      flux runs rm prompts

    Its tasks stay on the service, but their ids are forgotten here. Submitting
    the same prompts afterwards is a new run, and is paid for again.
    """
    from flux_cli.models.submission import SubmissionState, counts_in_words

    runtime: Runtime = ctx.obj

    def refuse(seconds: float) -> None:
        del seconds
        raise UsageError(
            f"another flux is working on run {name}", hint="Wait until it is done, or end it"
        )

    with (
        opened_run(runtime, journal, name) as (opened, run),
        opened.locked(run, wait=refuse),
    ):
        counts = Counter(submission.state for submission in opened.submissions(run))
        total = counts.total()
        open_counts = {
            state: count
            for state, count in counts.items()
            if state is SubmissionState.PLANNED or state.is_in_doubt
        }
        if open_counts and not yes:
            _ask(runtime, f"run {name} is not finished: {counts_in_words(open_counts)}")
        opened.remove(run)
    noun = "prompt" if total == 1 else "prompts"
    runtime.stderr.line(
        f"flux: removed run {name} ({total:,} {noun}) from the journal. Nothing on the service was"
        " deleted; submitting the same prompts again is paid for again."
    )


def _ask(runtime: Runtime, why: str) -> None:
    """Have the user confirm; exit where they do not. Raises UsageError without a terminal."""
    if not runtime.stderr.is_terminal:
        raise UsageError(why, hint="To remove it all the same, add --yes")
    from flux_cli.output.prompt import confirm

    try:
        agrees = confirm(f"The {why}. Remove it?")
    except OSError:
        raise UsageError(why, hint="To remove it all the same, add --yes") from None
    if not agrees:
        runtime.stderr.line("flux: nothing was removed.")
        raise typer.Exit(ExitCode.USAGE)
