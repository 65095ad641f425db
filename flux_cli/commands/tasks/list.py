"""`flux tasks list`: the account's own recent tasks."""

import typer

from flux_cli.commands.list_options import ListOptions, ListServiceOptions
from flux_cli.commands.options import OutputOptions
from flux_cli.runtime import Runtime


def list(  # noqa: A001 - the command's name
    ctx: typer.Context,
    *,
    selection: ListOptions,
    output: OutputOptions,
    service: ListServiceOptions,
) -> None:
    """List the account's own recent tasks, newest first.

    \b
    Examples:
      flux tasks list
      flux tasks list --since 1d --state failed -o ids
      flux tasks list --since 2h -o ids | flux tasks watch
      flux tasks list --all --type videos -o csv > videos.csv

    The service does not document this for Flux: it may keep tasks for only a
    few days, and may list a new one only after a moment.

    Exits with 0 if the service answered, even if there are no tasks; 5 if it
    refused or did not answer; 4 if the token is missing or rejected.
    """
    from flux_cli.commands.list_run import run_list

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    bounds = selection.bounds(runtime.now())
    with runtime.session(service) as session:
        run_list(runtime, session, bounds, output, limit=None if selection.all else selection.limit)
