"""`flux tasks show`: everything about a task."""

import typer

from flux_cli.commands.inputs import read_ids
from flux_cli.commands.options import ExitStatus, InputOptions, ServiceOptions
from flux_cli.commands.show_options import ShowOutputOptions
from flux_cli.runtime import Runtime


def show(
    ctx: typer.Context,
    *,
    inputs: InputOptions,
    output: ShowOutputOptions,
    exit_status: ExitStatus = False,
    service: ServiceOptions,
) -> None:
    """Show everything about a task, its pictures too, and what to do next.

    \b
    Examples:
      flux tasks show ID
      flux tasks show ID -o json
      flux tasks show --raw ID
      flux tasks show ID --open
      flux tasks check -f ids.txt --state failed -o ids | flux tasks show -o card

    Shows a card for each task on a terminal, with its pictures if the terminal
    can show them; elsewhere its record, which json indents. --raw prints the
    service's own record, or null. Ids are read as for check.

    Exits with 0 if every task was answered for, whatever its state; 5 if one
    was not; 4 if the token is missing or rejected; 2 for wrong usage.
    """
    from flux_cli.commands.show_run import run_show

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    with runtime.session(service) as session:
        ids = read_ids(ctx, inputs, session)
        counts = run_show(runtime, session, ids, output)
    if exit_status:
        raise typer.Exit(counts.exit_code())
