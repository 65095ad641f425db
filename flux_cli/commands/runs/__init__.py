"""`flux runs`: what was submitted, run by run, as the journal has it."""

import typer

from flux_cli.commands.groups import load_group


_VERBS = ("list", "show", "rm")  # in the order of the help


def make_group(verb: str = "", *, is_outline: bool = False) -> typer.Typer:
    """Return the group with `verb` alone, or with all where it is none; an outline has none."""
    return load_group(
        __name__,
        _VERBS,
        "List, show and remove runs, from the journal of what was submitted.",
        verb,
        is_outline=is_outline,
    )
