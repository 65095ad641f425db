"""`flux tasks`: how the tasks stand."""

from typing import Annotated

import typer

from flux_cli.commands import options
from flux_cli.commands.intake import gather_ids, has_source
from flux_cli.commands.look import look
from flux_cli.errors import ExitCode
from flux_cli.output.formats import Format, make_writer
from flux_cli.runtime import Runtime


group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="How your generation tasks stand."
)


@group.command()
def check(
    ctx: typer.Context,
    ids: options.Ids = None,
    file: options.Files = None,
    output: options.Output = Format.AUTO,
    state: options.States = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
    exit_status: Annotated[
        bool,
        typer.Option(
            "--exit-status",
            help="Exit with 3 if a task failed, 6 if one was not found, 8 if one still runs.",
        ),
    ] = False,
    concurrency: options.Concurrency = 8,
    batch_size: options.BatchSize = 50,
    request_timeout: options.RequestTimeout = 30.0,
    retries: options.Retries = 3,
    base_url: options.BaseUrl = None,
    debug: options.Debug = False,
) -> None:
    """Look once at every task and show its state.

    Ids come from the arguments, from files, and from stdin when there are
    neither; a file may be plain text, JSON, JSON lines or CSV.

    \b
    Examples:
      flux tasks check ID ID
      flux tasks check -f ids.txt -o csv > tasks.csv
      flux tasks check -f ids.txt --state failed -o ids
      some-script | flux tasks check --exit-status

    Exits with 0 when every task was answered for, whatever its state; 5 when
    one was not; 4 when the token is missing or rejected; 2 for wrong usage.
    """
    runtime: Runtime = ctx.obj
    runtime.stderr.is_quiet = quiet
    arguments, files = ids or [], file or []
    if not has_source(runtime, arguments, files):
        typer.echo(ctx.get_usage(), err=True)
        runtime.stderr.line("flux: no task ids. Give them as arguments, with --file, or on stdin.")
        raise typer.Exit(ExitCode.USAGE)

    url = runtime.base_url(base_url)
    found = runtime.find_token(url)
    task_ids = gather_ids(runtime, arguments, files, token=found.token if found else None)
    if found is None:
        raise runtime.no_token(url)
    if task_ids.duplicates:
        noun = "duplicate id" if task_ids.duplicates == 1 else "duplicate ids"
        runtime.stderr.note(f"flux: left out {task_ids.duplicates:,} {noun}.")
    tally = look(
        runtime,
        task_ids,
        runtime.connection(
            found, url, request_timeout=request_timeout, concurrency=concurrency, debug=debug
        ),
        make_writer(output, runtime.stdout, raw=raw, now=runtime.now(), note=runtime.stderr.note),
        states=state,
        batch_size=batch_size,
        retries=retries,
        keep_raw=raw,
    )
    if exit_status:
        raise typer.Exit(tally.verdict())
