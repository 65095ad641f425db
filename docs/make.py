"""Makes the reference, the schema and the man page from the code: `make docs`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from flux_cli import __version__
from flux_cli.app import app
from flux_cli.commands.completion import command_tree
from flux_cli.commands.topics import TOPICS, Topic
from flux_cli.completion.tree import Command, Option, Value
from flux_cli.output.schema import record_schema


HERE = Path(__file__).parent
HEADING = "<!-- Made by `make docs` from the code; do not edit. -->\n\n# Command reference\n"


def reference(root: Command) -> str:
    """Return the reference of all commands and topics as Markdown."""
    commands = [line for command in root.walk() for line in _command(command)]
    topics = [line for topic in TOPICS.values() for line in _topic(topic)]
    return "\n".join([HEADING, *commands, *topics])


def _command(command: Command) -> Iterator[str]:
    yield f"## {command.path}\n"
    yield f"{command.help}\n"
    yield f"```text\n{_synopsis(command)}\n```\n"
    if command.commands:
        yield "| command | |\n|---|---|"
        yield from (
            f"| [{c.path}](#{c.path.replace(' ', '-')}) | {c.help} |" for c in command.commands
        )
        yield ""
    yield "| option | |\n|---|---|"
    yield from (f"| {_cell(_names(option))} | {_cell(option.help)} |" for option in command.options)
    yield ""


def _topic(topic: Topic) -> Iterator[str]:
    yield f"## {topic.title}\n"
    yield f"{topic.text}\n"
    yield "| | |\n|---|---|"
    yield from (f"| `{term}` | {_cell(meaning)} |" for term, meaning in topic.rows)
    yield f"\n{topic.ending}\n" if topic.ending else ""


def _synopsis(command: Command) -> str:
    what = "COMMAND ..." if command.commands else command.arguments
    return f"{command.path} [OPTIONS] {what}".rstrip()


def _names(option: Option) -> str:
    taken = "" if option.value is Value.NONE else f" {_taken(option)}"
    return ", ".join(f"`{name}{taken if name.startswith('--') else ''}`" for name in option.names)


def _taken(option: Option) -> str:
    return "|".join(option.words) if option.value is Value.WORD else option.metavar


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def man_page(root: Command) -> str:
    """Return the man page, in the macros of man(7)."""
    lines = [
        '.\\" Made by `make docs` from the code; do not edit.',
        f'.TH FLUX 1 "" "flux {__version__}" "User Commands"',
        ".SH NAME",
        "flux \\- where Flux image and video generation tasks stand",
        ".SH SYNOPSIS",
        ".B flux",
        '.RI [ OPTIONS ] " COMMAND " [ ARGS ]...',
        ".SH DESCRIPTION",
        _roff(
            "Asks the Flux API of Ace Data Cloud for up to 50 tasks in one request and tells which"
            " are done, which failed and why, which still run, and where the pictures are."
        ),
        ".SH COMMANDS",
    ]
    for command in root.walk():
        lines += [f".SS {_roff(_synopsis(command))}", _roff(command.help)]
        for option in command.options:
            taken = "" if option.value is Value.NONE else f" \\fI{_roff(_taken(option))}\\fR"
            names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in option.names)
            lines += [".TP", f"{names}{taken}", _roff(option.help)]
    for topic in TOPICS.values():
        lines += [f".SH {topic.title.upper()}", _roff(topic.text)]
        for term, meaning in topic.rows:
            lines += [".TP", f"\\fB{_roff(term)}\\fR", _roff(meaning)]
        if topic.ending:
            lines += [".PP", _roff(topic.ending)]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main(folder: Path) -> None:
    """Write the three files into `folder`."""
    root = command_tree(get_command(app))
    (folder / "reference.md").write_text(reference(root))
    (folder / "record.schema.json").write_text(f"{json.dumps(record_schema(), indent=2)}\n")
    (folder / "flux.1").write_text(man_page(root))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else HERE)
