"""`flux help` and `flux schema`: what there is to know beyond one command."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flux_cli.errors import UsageError
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.commands.topics import Topic


_EXAMPLES = re.compile(r"Examples?\b.*:\n(?:.+\n?)+")
_IN_EXAMPLES = re.compile(r"(^ *|\| )flux(?= )", re.MULTILINE)


def show_name_in_examples(command: Any, program: str) -> None:
    """Have the help of a click command, and of all below it, show the name it was called by."""
    if command.help:
        command.help = _EXAMPLES.sub(
            lambda block: _IN_EXAMPLES.sub(lambda word: word[1] + program, block[0]), command.help
        )
    for child in getattr(command, "commands", {}).values():
        show_name_in_examples(child, program)


def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC|COMMAND]..."),
        "A command or a topic: exit-codes, environment, formats, states, misbehaviours.",
    ] = None,
) -> None:
    """Explain a command or a topic: exit-codes, environment, formats, states, misbehaviours.

    \b
    Examples:
      flux help exit-codes
      flux help tasks watch
    """
    from flux_cli.commands.topics import TOPICS

    runtime: Runtime = ctx.obj
    words = words or []
    if len(words) == 1 and words[0] in TOPICS:
        runtime.stdout.write_text(as_text(TOPICS[words[0]], runtime.stdout.columns))
        return
    parent = ctx.parent
    while words and parent is not None:
        command = getattr(parent.command, "commands", {}).get(words[0])
        if command is None:
            raise UsageError(
                f"there is no help for {' '.join(words)!r}",
                hint=f"Topics: {', '.join(TOPICS)}. Commands: {runtime.program} --help",
            )
        parent = type(parent)(command, info_name=words.pop(0), parent=parent)
    if parent is not None:
        runtime.stdout.write_text(f"{parent.get_help()}\n")


def show_schema(ctx: typer.Context) -> None:
    """Print the JSON Schema of a record."""
    import json

    from flux_cli.output.schema import record_schema

    runtime: Runtime = ctx.obj
    runtime.stdout.write_text(f"{json.dumps(record_schema(), indent=2)}\n")


def as_text(topic: "Topic", columns: int) -> str:
    """Return a topic for a window of so many columns."""
    from flux_cli.commands.help_text import HelpText

    page = HelpText(columns)
    page.write_text(f"{topic.title}\n\n{topic.text}")
    page.write_paragraph()
    with page.indentation():
        page.write_dl(topic.rows)
    if topic.ending:
        page.write_paragraph()
        page.write_text(topic.ending)
    return page.getvalue()
