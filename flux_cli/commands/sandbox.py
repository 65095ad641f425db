"""`flux sandbox`: a local endpoint that speaks the real contract."""

import json
from typing import Annotated

import typer

from flux_cli.commands import options
from flux_cli.commands.program_name import program_name
from flux_cli.errors import UsageError
from flux_cli.runtime import Runtime


def sandbox(
    ctx: typer.Context,
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="Port on loopback; 0 takes a free one."
        ),
    ] = 8765,
    latency: Annotated[
        float,
        typer.Option(
            "--latency",
            metavar="DURATION",
            parser=options.duration(most=60),
            show_default=False,
            help="Wait this long before each reply, as 100ms. [default: 0s]",
        ),
    ] = 0.0,
    error_rate: Annotated[
        float,
        typer.Option(
            "--error-rate",
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="Share of requests that go wrong.",
        ),
    ] = 0.0,
    failure_rate: Annotated[
        float,
        typer.Option(
            "--failure-rate", metavar="SHARE", min=0.0, max=1.0, help="Share of tasks that fail."
        ),
    ] = 0.15,
    rate_limit: Annotated[
        float | None,
        typer.Option(
            "--rate-limit",
            metavar="N",
            min=0.1,
            show_default=False,
            help="Most requests a second, then 429.",
        ),
    ] = None,
    page_limit: Annotated[
        int | None,
        typer.Option(
            "--page-limit",
            metavar="N",
            min=1,
            show_default=False,
            help="Most tasks in one batch reply, whatever limit a request sends.",
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            "--speed", metavar="FACTOR", min=0.01, help="How many times faster tasks run."
        ),
    ] = 1.0,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Decides ids, failures and images.")
    ] = 0,
) -> None:
    """Serve a local endpoint that speaks the service's contract, until Ctrl-C.

    Accepts tasks at POST /flux/images, runs them through their states in a few
    seconds, and serves real images. A prompt with the word "fail" in it fails.

    \b
    Example:
      flux sandbox --page-limit 12 --latency 100ms
    """
    from flux_cli.sandbox.server import Faults, Sandbox
    from flux_cli.sandbox.store import TaskStore

    runtime: Runtime = ctx.obj
    faults = Faults(
        latency=latency,
        error_rate=error_rate,
        rate_limit=rate_limit,
        page_limit=page_limit,
        seed=seed,
    )
    store = TaskStore(seed=seed, speed=speed, failure_rate=failure_rate, now=runtime.now)
    try:
        server = Sandbox(store, port=port, faults=faults)
    except OSError as error:
        raise UsageError(
            f"port {port}: {(error.strerror or 'cannot be used').lower()}",
            hint="Name another one with --port, or take a free one with --port 0",
        ) from None
    with server:
        runtime.stdout.write_text(_exports(server.base_url))
        runtime.stderr.line(
            "flux: sandbox is up; Ctrl-C ends it. In another shell, set these variables and submit:"
        )
        runtime.stderr.line(_submission(program_name(runtime, elsewhere=True)))
        while True:
            runtime.sleep(3600)


def _submission(program: str) -> str:
    """Return a command that submits a task. curl is told on its stdin where to and as whom."""
    task = {"action": "generate", "model": "flux-dev", "prompt": "a red fox", "size": "1:1"}
    body = json.dumps({**task, "async": True})
    return (
        f"{program} auth token --curl flux/images | curl -sS -K - -d '{body}' |"
        f" {program} tasks check"
    )


def _exports(base_url: str) -> str:
    from flux_cli.sandbox.server import TOKEN

    return f"export FLUX_API_BASE_URL={base_url}\nexport FLUX_API_TOKEN={TOKEN}\n"
