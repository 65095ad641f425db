"""`flux tasks check`: one poll of a set of tasks."""

import typer

from flux_cli.commands.inputs import read_ids
from flux_cli.commands.options import ExitStatus, InputOptions, OutputOptions, ServiceOptions
from flux_cli.runtime import Runtime


def check(
    ctx: typer.Context,
    *,
    inputs: InputOptions,
    output: OutputOptions,
    exit_status: ExitStatus = False,
    service: ServiceOptions,
) -> None:
    """Check every task once and show its state.

    \b
    Examples:
      flux tasks check ID ID
      flux tasks check -f ids.txt -o csv > tasks.csv
      flux tasks check -f ids.txt --state failed -o ids
      some-script | flux tasks check --exit-status

    Ids are read from the arguments and from files, or from stdin if there are
    neither. A file may be plain text, JSON, JSON lines or CSV.

    Exits with 0 if every task was answered for, whatever its state; 5 if one
    was not; 4 if the token is missing or rejected; 2 for wrong usage.
    """
    from flux_cli.commands.check_run import run_check

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    with runtime.session(service) as session:
        ids = read_ids(ctx, inputs, session)
        counts = run_check(runtime, session, ids, output)
    if exit_status:
        raise typer.Exit(counts.exit_code())
