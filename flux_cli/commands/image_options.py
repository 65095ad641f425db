"""The fields of an image, as options for all prompts; a prompt's own in a file come first."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer


_IMAGE = "Image"
CallbackUrl = Annotated[
    str | None,
    typer.Option(metavar="URL"),
    "Have the service also POST the result to URL.",
]


@dataclass(eq=False, repr=False)
class ImageOptions:
    """What is made of each prompt."""

    panel: ClassVar = _IMAGE
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="MODEL"),
        "Model, such as flux-dev, flux-pro, flux-2-pro, flux-kontext-max. [default: flux-dev]",
    ] = None
    size: Annotated[
        str | None,
        typer.Option("--size", "-s", metavar="SIZE"),
        "Ratio, such as 16:9, 1:1, 9:16; flux-dev and flux-pro also take 1024x1024,"
        " 1024x1792 and 1792x1024. [default: 1:1]",
    ] = None
    callback_url: CallbackUrl = None


@dataclass(eq=False, repr=False)
class GenerateOptions(ImageOptions):
    """The same, for new images."""

    count: Annotated[
        str | None, typer.Option(metavar="N"), "Images for each prompt, 1 to 4. [default: 1]"
    ] = None


@dataclass(eq=False, repr=False)
class EditOptions(ImageOptions):
    """The same, for images that are there."""

    image_url: Annotated[
        str | None,
        typer.Option(metavar="URL"),
        "The image to edit, for all prompts that have none of their own.",
    ] = None
