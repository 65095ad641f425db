"""`flux demo`: the whole program in fifteen seconds, without an account or a network."""

import typer

from flux_cli.api.token import Token
from flux_cli.commands.look import look
from flux_cli.config.settings import BaseUrl, FoundToken
from flux_cli.output.formats import Format, make_writer
from flux_cli.runtime import Runtime
from flux_cli.tasks.ids import TaskIds


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
_NEXT_STEPS = (
    "That was a sandbox. For your own tasks:",
    "  flux auth login                save your token",
    "  flux tasks check ID ID         look at two tasks",
    "  flux tasks check -f ids.txt    look at a list of them",
    "  flux tasks check --help        formats and exit codes for scripts",
    "  flux sandbox                   a local service to try your scripts on",
)
_SECOND_LOOK = 4.0  # seconds after submitting
_SEED = 7  # some of everything


def demo(ctx: typer.Context) -> None:
    """Watch a dozen tasks run to their end on a local sandbox: no account, no network."""
    from flux_cli.sandbox.server import TOKEN, Sandbox
    from flux_cli.sandbox.store import TaskStore

    runtime: Runtime = ctx.obj
    say = runtime.stderr.line
    store = TaskStore(seed=_SEED, failure_rate=0.0, now=runtime.now)
    with Sandbox(store) as server:
        connection = runtime.connection(
            FoundToken(Token(TOKEN), "the sandbox"),
            BaseUrl(server.base_url, "the demo"),
            request_timeout=10.0,
        )
        ids = TaskIds()
        for model, prompt in _TASKS:
            request = {"action": "generate", "model": model, "prompt": prompt, "size": "1024x1024"}
            ids.add(store.submit(request).id)
        submitted_at = runtime.now()
        moments = (0.7, _SECOND_LOOK, store.last_finish() - submitted_at + 0.1)
        for moment, title in zip(
            moments, ("just submitted", "a few seconds later", "all done"), strict=True
        ):
            runtime.sleep(max(0.0, submitted_at + moment - runtime.now()))
            say(f"{len(ids)} tasks, {title}:")
            writer = make_writer(
                Format.TABLE, runtime.stdout, raw=False, now=runtime.now(), note=say
            )
            look(runtime, ids, connection, writer)
            runtime.stdout.write_text("\n")
    for line in _NEXT_STEPS:
        say(line)
