"""Reads the ids that a command is given."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from flux_cli.commands.options import InputOptions
from flux_cli.errors import ExitCode
from flux_cli.models.ids import TaskIds
from flux_cli.runtime import Runtime
from flux_cli.token import Token


if TYPE_CHECKING:
    from flux_cli.models.task import Task


def read_ids(
    ctx: typer.Context,
    inputs: InputOptions,
    *,
    token: Token | None,
    keep: "Callable[[Task | None], None] | None" = None,
) -> TaskIds:
    """Return the ids of all sources, and say how many came more than once.

    For `keep` see `gather_ids`. Raises InputError; without anything to read it
    shows short help and exits.
    """
    from flux_cli.input.task_ids import gather_ids

    runtime: Runtime = ctx.obj
    arguments, files = inputs.ids or [], inputs.files or []
    has_stdin = runtime.stdin is not None and not runtime.stdin_is_terminal
    if not (arguments or files or has_stdin):
        typer.echo(ctx.get_usage(), err=True)
        runtime.stderr.line("flux: no task ids. Give them as arguments, with --file, or on stdin.")
        raise typer.Exit(ExitCode.USAGE)
    task_ids = gather_ids(
        arguments, files, runtime.stdin, token=token, find=inputs.find_ids, keep=keep
    )
    if task_ids.duplicates:
        noun = "duplicate id" if task_ids.duplicates == 1 else "duplicate ids"
        runtime.stderr.note(f"flux: left out {task_ids.duplicates:,} {noun}.")
    return task_ids
