"""The fields of a video, as options for all prompts; a prompt's own in a file come first."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from flux_cli.commands.image_options import CallbackUrl


def _takes(metavar: str) -> Any:
    return typer.Option(metavar=metavar)


@dataclass(eq=False, repr=False)
class VideoOptions:
    """What is made of each prompt."""

    panel: ClassVar = "Video"
    mode: Annotated[
        str | None,
        _takes("MODE"),
        "t2v (from text), i2v (from images), v2v (from a video) or draft_enhance."
        " [default: follows from the other options]",
    ] = None
    duration: Annotated[
        str | None, _takes("SECONDS"), "Length: 5 to 20 (v2v: 5 to 15), or auto."
    ] = None
    resolution: Annotated[str | None, _takes("NAME"), "hd, fhd, qhd or uhd. [default: hd]"] = None
    aspect_ratio: Annotated[
        str | None, _takes("RATIO"), "Ratio, such as 16:9, 1:1, 9:16, or auto."
    ] = None
    keyframes: Annotated[
        str | None,
        _takes("URLS"),
        "i2v: 1 to 10 image URLs, separated by spaces; SECOND=URL says when each is shown.",
    ] = None
    start_video: Annotated[str | None, _takes("URL"), "v2v: the video to continue."] = None
    draft_task_id: Annotated[
        str | None, _takes("ID"), "draft_enhance: the id of the task that made the draft."
    ] = None
    draft: Annotated[
        bool | None,
        typer.Option("--draft/--no-draft"),
        "Make a draft, to be enhanced later (hd only).",
    ] = None
    generate_audio: Annotated[
        bool | None,
        typer.Option("--generate-audio/--no-generate-audio"),
        "Generate sound as well. [default: yes]",
    ] = None
    safety_tolerance: Annotated[
        str | None, _takes("N"), "How tolerant content moderation is, 0 to 4. [default: 2]"
    ] = None
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="MODEL"), "Model. [default: flux-3]"
    ] = None
    callback_url: CallbackUrl = None
