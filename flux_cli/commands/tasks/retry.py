"""`flux tasks retry`: submits failed tasks again."""

import typer

from flux_cli.commands.inputs import read_ids
from flux_cli.commands.options import InputOptions, ServiceOptions
from flux_cli.commands.submit_options import RetryOptions
from flux_cli.commands.submit_prompts import Afterwards
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.runtime import Runtime


def retry(
    ctx: typer.Context,
    *,
    inputs: InputOptions,
    submit: RetryOptions,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    service: ServiceOptions,
) -> None:
    """Submit failed tasks again, with the same requests. Each is paid for again.

    \b
    Examples:
      flux tasks retry ID ID
      flux tasks retry -f ids.txt --watch
      flux tasks retry --run prompts --download pictures

    Checks every task, and submits those that have failed, with the requests that
    the service has on record. What content moderation rejected would be rejected
    again, and is left out unless --all is given. A task is retried once, however
    often you run the command; if the retry fails too, retry its own id.

    Exits like flux images generate, or with 0 if no task has failed.
    """
    from flux_cli.commands.retry_run import run_retry

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    afterwards.check(ctx)
    with runtime.session(service, patience=afterwards.policy.patience) as session:
        ids = read_ids(ctx, inputs, session)
        code = run_retry(runtime, session, ids, submit, inputs.journal, output, afterwards)
        raise typer.Exit(code)
