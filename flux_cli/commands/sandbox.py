"""`flux sandbox`: a local endpoint that speaks the real contract."""

from dataclasses import dataclass
from typing import Annotated

import typer

from flux_cli.commands.options import duration, number
from flux_cli.commands.program_name import program_name
from flux_cli.errors import UsageError
from flux_cli.runtime import Runtime
from flux_cli.sandbox.faults import Misbehaviour


_SHARE = number(0.0, 1.0, metavar="SHARE")


@dataclass(eq=False, repr=False)
class AccountOptions:
    """What the account holds, and what becomes of its tasks."""

    failure_rate: Annotated[float, _SHARE, "Fraction of tasks that fail."] = 0.15
    speed: Annotated[
        float, number(0.01, 10_000.0, metavar="FACTOR"), "Run tasks this many times faster."
    ] = 1.0
    history: Annotated[int, number(0, 100_000), "Start with N tasks from the past week."] = 0
    balance: Annotated[
        int | None, number(0), "Number of submissions the balance covers; then 403 used_up."
    ] = None
    seed: Annotated[int, number(), "Random seed for ids, failures and images."] = 0


@dataclass(eq=False, repr=False)
class FaultOptions:
    """How badly the service behaves."""

    latency: Annotated[
        float, duration(0, 60), "Delay before each reply, such as 100ms. [default: 0s]"
    ] = 0.0
    error_rate: Annotated[
        float, _SHARE, "Fraction of requests that fail before they take effect."
    ] = 0.0
    lose_replies: Annotated[
        float, _SHARE, "Fraction of submissions that are accepted but whose reply is lost."
    ] = 0.0
    rate_limit: Annotated[
        float | None, number(0.1, 10_000.0), "Maximum requests per second; beyond it, 429."
    ] = None
    page_limit: Annotated[
        int | None, number(1), "Maximum tasks per batch reply, whatever limit a request sets."
    ] = None
    ignore_ids: Annotated[
        bool, "Answer batch queries with the newest tasks, whatever ids they ask for."
    ] = False
    placeholder: Annotated[bool, "Put a placeholder in the response of running tasks."] = False
    misbehave: Annotated[
        list[Misbehaviour] | None,
        typer.Option(metavar="NAME"),
        "Misbehave in one more way (see `flux help misbehaviours`). Can be repeated.",
    ] = None

    def misbehaviours(self) -> frozenset[Misbehaviour]:
        """Return every way in which the service is to misbehave."""
        flags = {
            Misbehaviour.IGNORE_IDS: self.ignore_ids,
            Misbehaviour.PLACEHOLDER: self.placeholder,
        }
        return frozenset(name for name, is_on in flags.items() if is_on) | {*(self.misbehave or ())}


def sandbox(
    ctx: typer.Context,
    *,
    port: Annotated[
        int, number(0, 65535, metavar="PORT"), "Port to listen on, on loopback; 0 picks a free one."
    ] = 8765,
    account: AccountOptions,
    trouble: FaultOptions,
) -> None:
    """Run a local stand-in for the service, until Ctrl-C.

    Accepts tasks at POST /flux/images and /flux/videos, runs them through their
    states in a few seconds, answers queries, and serves real images and videos.
    Words in a prompt decide its fate: "fail" makes the task fail, "moderated"
    and "overloaded" make it fail that way, "forbidden" is refused.

    \b
    Examples:
      flux sandbox --history 200 --latency 100ms
      flux sandbox --lose-replies 0.1 --misbehave late-history
    """
    from flux_cli.sandbox.samples import add_history
    from flux_cli.sandbox.server import Faults, Sandbox
    from flux_cli.sandbox.store import TaskStore

    runtime: Runtime = ctx.obj
    faults = Faults(
        latency=trouble.latency,
        error_rate=trouble.error_rate,
        rate_limit=trouble.rate_limit,
        page_limit=trouble.page_limit,
        lose_replies=trouble.lose_replies,
        balance=account.balance,
        misbehaviours=trouble.misbehaviours(),
        seed=account.seed,
    )
    store = TaskStore(
        seed=account.seed,
        speed=account.speed,
        failure_rate=account.failure_rate,
        now=runtime.now,
    )
    add_history(store, account.history)
    try:
        server = Sandbox(store, port=port, faults=faults)
    except OSError as error:
        raise UsageError(
            f"port {port}: {(error.strerror or 'cannot be used').lower()}",
            hint="Choose another port with --port, or let --port 0 pick a free one",
        ) from None
    with server:
        runtime.stdout.write_text(_exports(server.base_url))
        runtime.stderr.line(
            "flux: sandbox is running; press Ctrl-C to stop. In another shell, set these"
            " variables and submit a prompt:"
        )
        program = program_name(runtime, elsewhere=True)
        runtime.stderr.line(f"  {program} images generate 'a red fox' --again --watch")
        while True:
            runtime.sleep(3600)


def _exports(base_url: str) -> str:
    from flux_cli.sandbox.server import TOKEN

    return f"export FLUX_API_BASE_URL={base_url}\nexport FLUX_API_TOKEN={TOKEN}\n"
