"""`flux tasks`: how the tasks stand."""

import typer

from flux_cli.commands.groups import load_group


_VERBS = ("check", "watch", "download", "list", "show", "retry")  # in the order of the help


def make_group(verb: str = "", *, is_outline: bool = False) -> typer.Typer:
    """Return the group with `verb` alone, or with all where it is none; an outline has none."""
    return load_group(
        __name__,
        _VERBS,
        "Check, watch, list, show, download and retry generation tasks.",
        verb,
        is_outline=is_outline,
    )
