"""`flux videos`: makes films."""

import typer

from flux_cli.commands.groups import load_group


_VERBS = ("generate",)


def make_group(verb: str = "", *, is_outline: bool = False) -> typer.Typer:
    """Return the group with `verb` alone, or with all where it is none; an outline has none."""
    return load_group(__name__, _VERBS, "Generate videos.", verb, is_outline=is_outline)
