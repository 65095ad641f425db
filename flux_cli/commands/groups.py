"""Groups of commands, of which only those are loaded that are needed."""

import importlib
from collections.abc import Sequence

import typer

from flux_cli.commands.help_panels import GroupedCommand
from flux_cli.commands.option_groups import option_groups


def load_group(
    package: str, verbs: Sequence[str], help_text: str, verb: str, *, is_outline: bool
) -> typer.Typer:
    """Return the group whose commands are the modules of `package` that are called as `verbs`.

    It has `verb` alone where that is one of them; an outline has none.
    """
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=help_text)
    if is_outline:
        return group
    for name in [verb] if verb in verbs else verbs:
        command = getattr(importlib.import_module(f"{package}.{name}"), name)
        group.command(cls=GroupedCommand)(option_groups(command))
    return group
