"""`flux videos generate`: submits prompts for videos."""

from dataclasses import asdict

import typer

from flux_cli.commands.options import ServiceOptions
from flux_cli.commands.submit_options import PromptOptions, PromptRunOptions
from flux_cli.commands.submit_prompts import Afterwards, submit_prompts
from flux_cli.commands.video_options import VideoOptions
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.models.requests import RequestKind


def generate(
    ctx: typer.Context,
    *,
    prompts: PromptOptions,
    video: VideoOptions,
    submit: PromptRunOptions,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    service: ServiceOptions,
) -> None:
    """Submit prompts for videos.

    \b
    Examples:
      flux videos generate 'waves at dusk, slow pan' --duration 8 --watch
      flux videos generate 'it snows' --keyframes https://example.com/a.png
      flux videos generate --draft-task-id ID --resolution fhd --download films
      flux videos generate -f shots.csv --resolution fhd --dry-run

    The mode follows from what is given: keyframes (i2v), a start video (v2v), a
    draft to enhance, or a prompt alone (t2v). In a file, each field may have a
    column of its name. Everything else is as in flux images generate.
    """
    submit_prompts(
        ctx, RequestKind.GENERATE_VIDEO, prompts, asdict(video), submit, output, afterwards, service
    )
