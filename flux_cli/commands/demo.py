"""`flux demo`: the whole program in fifteen seconds, without an account or a network."""

from typing import Annotated

import typer

from flux_cli.commands.program_name import program_name
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.config.settings import FoundToken
from flux_cli.engine.policies import ServiceSettings, WatchPolicy
from flux_cli.models.ids import TaskIds
from flux_cli.output.formats import Format
from flux_cli.runtime import Runtime
from flux_cli.token import Token


_TASKS = (  # model, prompt
    ("flux-dev", "a white siamese cat on a window sill, morning light"),
    ("flux-pro", "a lighthouse in a storm, oil on canvas"),
    ("flux-2-pro", "street market in Lisbon, film grain, 35mm"),
    ("flux-kontext-max", "make the sky violet"),
    ("flux-2-max", "an astronaut reading in a library, volumetric light"),
    ("flux-dev", "isometric kitchen, soft shadows"),
    ("flux-pro", "a prompt that is bound to fail"),
    ("flux-2-flex", "poster for a jazz festival, two colours"),
    ("flux-2-klein", "macro photo of a dandelion 🌱"),
    ("flux-kontext-pro", "remove the car in the background"),
    ("flux-2-pro", "山水画, ink wash, a small boat in the mist"),
    ("flux-dev", "logo of a fox, flat, on white"),
)
_NEXT_STEPS = (  # a heading, then what for and what to type
    (
        "That was a sandbox. Make pictures of your own:",
        ("Log in:", "auth login"),
        ("Submit a prompt, and watch it:", "images generate 'a fox' --watch"),
    ),
    (
        "For tasks that you have already, put their ids in ids.txt:",
        ("Check them once:", "tasks check -f ids.txt"),
        ("Watch them, as in this demo:", "tasks watch -f ids.txt"),
        ("Download the results:", "tasks download -f ids.txt"),
    ),
    (
        "For your scripts:",
        ("Formats and exit codes:", "tasks check --help"),
        ("Try your scripts on a local service:", "sandbox"),
    ),
)
_INTERVAL = 1.0  # seconds between two looks
_SEED = 7  # some of everything


def demo(
    ctx: typer.Context,
    *,
    preview: Annotated[bool, "Show the pictures too, as tasks succeed."] = False,
) -> None:
    """Watch a dozen tasks run on a local sandbox: no account, no network."""
    from flux_cli.commands.watch_run import WatchRequest, run_watch
    from flux_cli.sandbox.server import TOKEN, Sandbox
    from flux_cli.sandbox.store import TaskStore

    runtime: Runtime = ctx.obj
    store = TaskStore(seed=_SEED, failure_rate=0.0, now=runtime.now)
    with Sandbox(store) as server:
        ids = TaskIds()
        for model, prompt in _TASKS:
            request = {"action": "generate", "model": model, "prompt": prompt, "size": "1024x1024"}
            ids.add(store.submit(request).id)
        runtime.stderr.line(f"Started a sandbox and submitted {len(ids)} tasks to it.")
        settings = ServiceSettings(base_url=server.base_url, concurrency=1, request_timeout=10.0)
        policy = WatchPolicy(interval=_INTERVAL, max_interval=_INTERVAL)
        with runtime.session(
            settings, found=FoundToken(Token(TOKEN), "the sandbox"), patience=policy.patience
        ) as session:
            output = WatchOutputOptions(format=Format.TABLE, preview=preview)
            run_watch(runtime, session, ids, WatchRequest(policy, output))
    _tell_next_steps(runtime)


def _tell_next_steps(runtime: Runtime) -> None:
    """Say what to type next: a command has its line for itself, as not every shell has comments."""
    program = program_name(runtime)
    for heading, *steps in _NEXT_STEPS:
        runtime.stderr.line("")
        runtime.stderr.line(heading)
        for purpose, command in steps:
            runtime.stderr.line(f"  {purpose}")
            runtime.stderr.line(f"    {program} {command}")
