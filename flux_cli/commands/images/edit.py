"""`flux images edit`: submits images to be changed as prompts say."""

from dataclasses import asdict

import typer

from flux_cli.commands.image_options import EditOptions
from flux_cli.commands.options import ServiceOptions
from flux_cli.commands.submit_options import PromptOptions, PromptRunOptions
from flux_cli.commands.submit_prompts import Afterwards, submit_prompts
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.models.requests import RequestKind


def edit(
    ctx: typer.Context,
    *,
    prompts: PromptOptions,
    image: EditOptions,
    submit: PromptRunOptions,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    service: ServiceOptions,
) -> None:
    """Submit images to edit, each with a prompt.

    \b
    Examples:
      flux images edit 'make the sky violet' --image-url https://example.com/a.png
      flux images edit -f edits.csv -m flux-kontext-pro --download edited

    --image-url is the image for all prompts; a file may have a column image_url
    with one for each. Everything else is as in flux images generate.
    """
    submit_prompts(
        ctx, RequestKind.EDIT_IMAGE, prompts, asdict(image), submit, output, afterwards, service
    )
