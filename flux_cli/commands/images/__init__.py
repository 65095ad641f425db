"""`flux images`: makes pictures."""

import typer

from flux_cli.commands.groups import load_group


_VERBS = ("generate", "edit")


def make_group(verb: str = "", *, is_outline: bool = False) -> typer.Typer:
    """Return the group with `verb` alone, or with all where it is none; an outline has none."""
    return load_group(__name__, _VERBS, "Generate and edit images.", verb, is_outline=is_outline)
