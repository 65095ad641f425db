"""Options of the commands that save files, each with its range and its sentence of help."""

from pathlib import Path
from typing import Annotated

import typer

from flux_cli.commands.options import duration
from flux_cli.errors import UsageError


def _size(text: str | int) -> int:

    if isinstance(text, int):
        return text
    from flux_cli.config.sizes import parse_size

    try:
        return parse_size(text)
    except UsageError as error:
        raise typer.BadParameter(error.message) from None


FILES = "Files"
DEFAULT_NAME = "{id}_{n}.{ext}"
DEFAULT_MAX_SIZE = 200_000_000  # bytes
DEFAULT_FILE_TIMEOUT = 1800.0  # seconds

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
Name = Annotated[
    str,
    typer.Option(
        "--name",
        metavar="TEMPLATE",
        rich_help_panel=FILES,
        help="How files are called: text with {id} {n} {ext} {created:%Y-%m-%d} {model} {prompt}"
        " {seed} {state}, and / between folders.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite", rich_help_panel=FILES, help="Replace files that exist; else they are kept."
    ),
]
MaxSize = Annotated[
    int,
    typer.Option(
        "--max-size",
        metavar="SIZE",
        parser=_size,
        show_default=False,
        rich_help_panel=FILES,
        help="Most bytes of one file, as 500kB, 200MB or 1GiB. [default: 200MB]",
    ),
]
FileTimeout = Annotated[
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
]
Sidecar = Annotated[
    bool,
    typer.Option(
        "--sidecar",
        rich_help_panel=FILES,
        help="Write the task's record beside each file: NAME.json for NAME.png.",
    ),
]
Sheet = Annotated[
    bool,
    typer.Option(
        "--contact-sheet",
        rich_help_panel=FILES,
        help="Write index.html: a gallery of what was saved, to be opened in a browser.",
    ),
]


def check_use(ctx: typer.Context, *, saves: bool) -> None:
    """Raise UsageError for an option about files where none are saved."""
    for name in ("name", "overwrite", "max_size", "file_timeout", "sidecar", "contact_sheet"):
        source = ctx.get_parameter_source(name)
        if not saves and source is not None and source.name == "COMMANDLINE":
            option = name.replace("_", "-")
            raise UsageError(f"--{option} is about files to save", hint="Add --download DIR")
