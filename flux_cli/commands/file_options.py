"""Options of the commands that save files, each with its range and its sentence of help."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from flux_cli.commands.options import duration
from flux_cli.engine.policies import DownloadPolicy
from flux_cli.errors import UsageError


def _size(text: str | int) -> int:
    if isinstance(text, int):
        return text
    from flux_cli.config.sizes import parse_size

    try:
        return parse_size(text)
    except UsageError as error:
        raise typer.BadParameter(error.message) from None


def _name(text: str) -> str:
    if text != DownloadPolicy.name:
        from flux_cli.models.file_names import NameTemplate

        try:
            NameTemplate(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} {error}") from None
    return text


FILES = "Files"

Folder = Annotated[
    Path,
    typer.Option(
        "--dir",
        "-d",
        metavar="DIR",
        rich_help_panel=FILES,
        help="Where to save; made if it is not there.",
    ),
]
DownloadFolder = Annotated[
    Path | None,
    typer.Option(
        "--download",
        metavar="DIR",
        show_default=False,
        rich_help_panel=FILES,
        help="Save the outputs of each task in DIR as it succeeds.",
    ),
]


@dataclass(frozen=True, eq=False, repr=False)
class FileOptions(DownloadPolicy):
    """How outputs are saved, and what is written beside them."""

    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="TEMPLATE",
            parser=_name,
            rich_help_panel=FILES,
            help="How files are called: text with {id} {n} {ext} {created:%Y-%m-%d} {model}"
            " {prompt} {seed} {state}, and / between folders.",
        ),
    ] = DownloadPolicy.name
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            rich_help_panel=FILES,
            help="Replace files that exist; else they are kept.",
        ),
    ] = DownloadPolicy.overwrite
    max_size: Annotated[
        int,
        typer.Option(
            "--max-size",
            metavar="SIZE",
            parser=_size,
            show_default=False,
            rich_help_panel=FILES,
            help="Most bytes of one file, as 500kB, 200MB or 1GiB. [default: 200MB]",
        ),
    ] = DownloadPolicy.max_size
    file_timeout: Annotated[
        float,
        typer.Option(
            "--file-timeout",
            metavar="DURATION",
            parser=duration(least=1, most=86400),
            show_default=False,
            rich_help_panel=FILES,
            help="Most time for one file; and 64 KiB of it must arrive in each --request-timeout."
            " [default: 30m]",
        ),
    ] = DownloadPolicy.file_timeout
    sidecar: Annotated[
        bool,
        typer.Option(
            "--sidecar",
            rich_help_panel=FILES,
            help="Write the task's record beside each file: NAME.json for NAME.png.",
        ),
    ] = False
    contact_sheet: Annotated[
        bool,
        typer.Option(
            "--contact-sheet",
            rich_help_panel=FILES,
            help="Write index.html: a gallery of what was saved, to be opened in a browser.",
        ),
    ] = False


def check_use(ctx: typer.Context, *, saves: bool) -> None:
    """Raise UsageError for an option about files where none are saved."""
    for field in fields(FileOptions):
        source = ctx.get_parameter_source(field.name)
        if not saves and source is not None and source.name == "COMMANDLINE":
            option = field.name.replace("_", "-")
            raise UsageError(f"--{option} is about files to save", hint="Add --download DIR")
