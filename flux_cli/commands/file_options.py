"""Options of the commands that save files, each with its range and its sentence of help."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from flux_cli.commands.options import duration, reads
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.errors import UsageError


def _size(text: str) -> int:
    from flux_cli.config.sizes import parse_size

    return parse_size(text)


def _name(text: str) -> str:
    if text != DownloadPolicy.name:
        from flux_cli.models.file_names import NameTemplate

        try:
            NameTemplate(text)
        except ValueError as error:
            raise UsageError(f"{text!r} {error}") from None
    return text


_FILES = "Files"
Folder = Annotated[
    Path,
    typer.Option("--dir", "-d", metavar="DIR", rich_help_panel=_FILES),
    "Destination folder; created if missing.",
]
DownloadFolder = Annotated[
    Path | None,
    typer.Option("--download", metavar="DIR", rich_help_panel=_FILES),
    "Save each task's outputs in DIR as soon as it succeeds.",
]


@dataclass(eq=False, repr=False)
class FileOptions(DownloadPolicy):
    """How outputs are saved, and what is written beside them."""

    panel: ClassVar = _FILES
    name: Annotated[
        str,
        typer.Option(metavar="TEMPLATE", parser=reads(_name)),
        "File name template: text with {id} {n} {ext} {created:%Y-%m-%d} {model} {prompt}"
        " {seed} {state}, of a run {row} {label:NAME}, and / for subfolders.",
    ] = DownloadPolicy.name
    overwrite: Annotated[bool, "Overwrite existing files, which are otherwise kept."] = (
        DownloadPolicy.overwrite
    )
    max_size: Annotated[
        int,
        typer.Option(metavar="SIZE", parser=reads(_size)),
        "Maximum file size, such as 500kB, 200MB or 1GiB. [default: 200MB]",
    ] = DownloadPolicy.max_size
    file_timeout: Annotated[
        float,
        duration(1),
        "Maximum time per file; at least 64 KiB must arrive in each --request-timeout."
        " [default: 30m]",
    ] = DownloadPolicy.file_timeout
    archive: Annotated[
        Path | None,
        typer.Option(metavar="FILE"),
        "Remember in FILE what was saved, and skip it from then on, even if it was moved or"
        " deleted.",
    ] = DownloadPolicy.archive
    sidecar: Annotated[
        bool, "Write the task's record next to each file: NAME.json for NAME.png."
    ] = False
    contact_sheet: Annotated[
        bool, "Write index.html, a gallery of the saved files to open in a browser."
    ] = False
