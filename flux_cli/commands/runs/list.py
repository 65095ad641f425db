"""`flux runs list`: the runs in the journal."""

from typing import Annotated

import typer

from flux_cli.commands.auth_profiles import ListFormat
from flux_cli.commands.run_lookup import existing_journal, nothing_submitted
from flux_cli.commands.run_options import JournalFile
from flux_cli.runtime import Runtime


def list(  # noqa: A001 - the command's name
    ctx: typer.Context,
    *,
    output: Annotated[
        ListFormat,
        typer.Option("--output", "-o"),
        "Output format. auto is a table on a terminal, JSON lines elsewhere.",
    ] = ListFormat.AUTO,
    journal: JournalFile = None,
) -> None:
    """List the runs, newest first, and how many of their prompts were accepted.

    \b
    Examples:
      flux runs list
      flux runs list -o jsonl | jq -r 'select(.in_doubt > 0).name'

    A run is what one command has submitted. Reads the journal on this machine
    and asks the service nothing. `flux tasks watch --run NAME` works on a run.
    """
    from flux_cli.output.run_list import RunListWriter

    runtime: Runtime = ctx.obj
    with existing_journal(runtime, journal) as opened:
        runs = opened.runs() if opened is not None else []
    RunListWriter(runtime.stdout, now=runtime.now()).write(runs, output.on(runtime.stdout).value)
    if opened is None:
        runtime.stderr.line(f"flux: {nothing_submitted(runtime, journal)}.")
    elif not runs:
        runtime.stderr.line(f"flux: there are no runs in {opened.path}.")
