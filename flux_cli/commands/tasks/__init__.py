"""`flux tasks`: how the tasks stand."""

import importlib

import typer

from flux_cli.commands.help_panels import GroupedCommand
from flux_cli.commands.option_groups import option_groups


_VERBS = ("check", "watch", "download", "list", "show")  # in the order of the help


def make_group(verb: str = "", *, is_outline: bool = False) -> typer.Typer:
    """Return the group with `verb` alone, or with all where it is none; an outline has none."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Check, show, watch, list and download generation tasks.",
    )
    if is_outline:
        return group
    for name in [verb] if verb in _VERBS else _VERBS:
        command = getattr(importlib.import_module(f"flux_cli.commands.tasks.{name}"), name)
        group.command(cls=GroupedCommand)(option_groups(command))
    return group
