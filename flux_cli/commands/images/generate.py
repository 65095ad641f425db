"""`flux images generate`: submits prompts for images."""

from dataclasses import asdict

import typer

from flux_cli.commands.image_options import GenerateOptions
from flux_cli.commands.options import ServiceOptions
from flux_cli.commands.submit_options import PromptOptions, PromptRunOptions
from flux_cli.commands.submit_prompts import Afterwards, submit_prompts
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.models.requests import RequestKind


def generate(
    ctx: typer.Context,
    *,
    prompts: PromptOptions,
    image: GenerateOptions,
    submit: PromptRunOptions,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    service: ServiceOptions,
) -> None:
    """Submit prompts for images: one, or ten thousand, each paid for once.

    \b
    Examples:
      flux images generate 'a red fox in the snow' --watch
      flux images generate -f prompts.txt --size 16:9
      flux images generate -f prompts.csv --download pictures --contact-sheet
      flux images generate -f prompts.jsonl --dry-run

    A text file has one prompt per line. CSV and JSON lines have a column or key
    prompt, and may set model, size, count and callback_url for each; other
    columns are kept as labels. All prompts are checked before the first is sent.

    A journal on disk records what was submitted. Whatever ends the command, run
    it again: it continues where it ended, and submits nothing twice. If a reply
    is lost, flux looks for the task in the account's history.

    Exits with 0 if all prompts are accepted; 3 if one was refused; 5 if one was
    not submitted, or may have been accepted but cannot be found; otherwise, with
    --watch or --download, as flux tasks watch.
    """
    submit_prompts(
        ctx,
        RequestKind.GENERATE_IMAGE,
        prompts,
        asdict(image),
        submit,
        output,
        afterwards,
        service,
    )
