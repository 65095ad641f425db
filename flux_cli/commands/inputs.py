"""Reads the ids that a command is given."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from flux_cli import interrupts
from flux_cli.commands.options import InputOptions
from flux_cli.engine.listing import Bounds
from flux_cli.errors import ExitCode, UsageError
from flux_cli.models.ids import TaskIds
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.engine.session import Session
    from flux_cli.models.task import Task


def read_ids(
    ctx: typer.Context,
    inputs: InputOptions,
    session: "Session",
    *,
    keep: "Callable[[Task | None], None] | None" = None,
    keep_raw: bool = False,
) -> TaskIds:
    """Return the ids of all sources, and say how many came more than once.

    For `keep` see `gather_ids`; with `keep_raw`, listed tasks have the service's own
    record. `session` is told what is known of rows and labels. Raises InputError, and
    what the service answers where its list of tasks stands in place of ids, or what
    is wrong with a run that does; without anything to read it shows short help and exits.
    """
    from flux_cli.input.task_ids import gather_ids

    runtime: Runtime = ctx.obj
    arguments, files = inputs.ids or [], inputs.files or []
    _check_sources(inputs)
    if inputs.run is not None:
        from flux_cli.commands.run_lookup import read_run_ids

        return read_run_ids(runtime, session, inputs.journal, inputs.run)
    if inputs.since is not None:
        bounds = Bounds(inputs.since.resolve(runtime.now()))
        return _listed(runtime, session, bounds, keep=keep, keep_raw=keep_raw)
    has_stdin = runtime.stdin is not None and not runtime.stdin_is_terminal
    if not (arguments or files or has_stdin):
        typer.echo(ctx.get_usage(), err=True)
        runtime.stderr.line("flux: no task ids. Give them as arguments, with --file, or on stdin.")
        raise typer.Exit(ExitCode.USAGE)
    task_ids = gather_ids(
        arguments,
        files,
        runtime.stdin,
        token=session.token,
        note=runtime.stderr.note,
        find=inputs.find_ids,
        keep=keep,
        keep_row=session.rows.add,
    )
    if task_ids.duplicates:
        noun = "duplicate id" if task_ids.duplicates == 1 else "duplicate ids"
        runtime.stderr.note(f"flux: skipped {task_ids.duplicates:,} {noun}.")
    return task_ids


def _check_sources(inputs: InputOptions) -> None:
    sources = {
        "--run": inputs.run is not None,
        "--since": inputs.since is not None,
        "task ids": bool(inputs.ids or inputs.files or inputs.find_ids),
    }
    given = [name for name, is_given in sources.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{given[0]} and {given[1]} cannot be combined")


def _listed(
    runtime: Runtime,
    session: "Session",
    bounds: Bounds,
    *,
    keep: "Callable[[Task | None], None] | None",
    keep_raw: bool,
) -> TaskIds:
    """Return the ids of the account's own tasks, newest first; exit where there are none."""
    from flux_cli.commands.list_run import Newest, nothing_listed

    task_ids = TaskIds()
    with Newest() as newest, interrupts.cuttable():
        for page in session.list(bounds, keep_raw=keep_raw):
            newest.add(page)
        for tasks in newest.batches(None):
            for task in tasks:
                task_ids.add(task.id)
                if keep is not None:
                    keep(task if task.state.is_final else None)
    if not task_ids:
        runtime.stderr.note(nothing_listed(runtime, session, bounds))
        raise typer.Exit
    return task_ids
