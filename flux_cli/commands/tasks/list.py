"""`flux tasks list`: the account's own recent tasks."""

import typer

from flux_cli.commands.list_options import ListOptions, ListServiceOptions
from flux_cli.commands.options import OutputOptions
from flux_cli.errors import UsageError
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

    --local lists what was submitted from this machine, also what the service no
    longer lists. The journal has no later states: every task is pending there.

    Exits with 0 if the service answered, even if there are no tasks; 5 if it
    refused or did not answer; 4 if the token is missing or rejected.
    """
    from flux_cli.commands.list_run import run_list

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    bounds = selection.bounds(runtime.now())
    limit = None if selection.all else selection.limit
    if selection.local:
        from flux_cli.commands.local_list import check_local_use, list_local

        check_local_use(ctx, output)
        base_url = runtime.account(service.base_url, service.profile).base_url.text
        list_local(runtime, selection.journal, base_url, bounds, output, limit=limit)
        return
    if selection.journal is not None:
        raise UsageError("--journal only applies with --local")
    with runtime.session(service) as session:
        run_list(runtime, session, bounds, output, limit=limit)
