"""Makes the references, the schema and the man page from the code: `make docs`."""

import asyncio
import inspect
import json
import re
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from flux_cli import __version__
from flux_cli.app import make_app
from flux_cli.commands.completion import command_tree
from flux_cli.commands.topics import TOPICS, Topic
from flux_cli.completion.tree import Command, Option, Value
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.server import FluxServer
from flux_cli.mcp.texts import INSTRUCTIONS
from flux_cli.mcp.tools import tools_for
from flux_cli.output.schema import record_schema


HERE = Path(__file__).parent
BEGIN, END = "<!-- make docs: begin -->", "<!-- make docs: end -->"
_MOST_WORDS = 12  # that are listed; those of longer options have a topic of their own
_HEADINGS = {"exit-codes": "EXIT STATUS"}  # as man(7) has them
_FILES = (
    (
        "~/.config/flux-tasks/credentials.json",
        (
            "The stored tokens, each with its service, on Linux. On macOS they are in"
            " ~/Library/Application Support/flux-tasks, on Windows in AppData\\Local\\flux-tasks."
        ),
    ),
    (
        "~/.local/share/flux-tasks/journal.sqlite3",
        (
            "What was submitted, run by run, so that nothing is paid for twice; keep it. On macOS"
            " and Windows it is in the folder of the tokens. FLUX_JOURNAL names another file."
        ),
    ),
    (
        "flux-open-DATE-TIME.txt",
        (
            "The ids of tasks still open when a watch ended, in the current folder or else in the"
            " home folder. Written only if the command to keep watching needs it; yours to delete."
        ),
    ),
)
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
    is_brief = option.value is Value.WORD and len(option.words) <= _MOST_WORDS
    return "|".join(option.words) if is_brief else option.metavar


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def man_page(root: Command) -> str:
    """Return the man page, in the macros of man(7)."""
    lines = [
        '.\\" Made by `make docs` from the code; do not edit.',
        f'.TH FLUX 1 "" "flux {__version__}" "User Commands"',
        ".SH NAME",
        "flux \\- submit, watch and download Flux image and video generation tasks",
        ".SH SYNOPSIS",
        ".B flux",
        '.RI [ OPTIONS ] " COMMAND " [ ARGS ]...',
        ".SH DESCRIPTION",
        _roff(
            "Submits prompts to the Flux API of Ace Data Cloud, each paid for once. Asks for up to"
            " 50 tasks in one request and tells which are done, which failed and why, which are"
            " still running, and where the pictures are."
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
        lines += [f".SH {_HEADINGS.get(topic.name, topic.title.upper())}", _roff(topic.text)]
        lines += _terms(topic.rows)
        if topic.ending:
            lines += [".PP", _roff(topic.ending)]
        if topic is TOPICS["environment"]:
            lines += [".SH FILES", *_terms(_FILES)]
    lines.append(".SH EXAMPLES")
    for help_text in _help_texts(get_command(make_app())):
        sentence, _, rest = inspect.cleandoc(help_text).partition("\n")
        if examples := re.search(r"Examples?:\n((?:  .+\n?)+)", rest):
            commands = map(_roff, textwrap.dedent(examples[1]).splitlines())
            lines += [".PP", _roff(sentence), ".PP", ".RS 4", ".nf", *commands, ".fi", ".RE"]
    return "\n".join(lines) + "\n"


def _terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in rows:
        yield from (".TP", f"\\fB{_roff(term)}\\fR", _roff(meaning))


def _help_texts(command: Any) -> Iterator[str]:
    """Yield the help of a click command and of all below it."""
    yield command.help
    for child in getattr(command, "commands", {}).values():
        yield from _help_texts(child)


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def mcp_page() -> str:
    """Return the page about the MCP server, with the reference of its tools made anew."""
    before, _, rest = (HERE / "mcp.md").read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{asyncio.run(_tools())}\n{END}{after}"


async def _tools() -> str:
    nothing: Any = None  # listing asks nobody
    queries = Queries(nothing, sanitized=str, now=time.time, clock=time.monotonic)
    server = FluxServer(queries, tools=tools_for(Path("DIR")))
    lines = ["## Instructions\n", f"```text\n{INSTRUCTIONS}\n```\n", "## Tools\n"]
    for tool in (await server.list_tools()).tools:
        lines += [f"### `{tool.name}`\n", f"```text\n{tool.description}\n```\n"]
        lines += _schema_table("takes", tool.input_schema)
        if tool.output_schema:
            lines += _schema_table("returns", tool.output_schema)
    for template in (await server.list_templates()).resource_templates:
        lines += ["## Resource\n", f"`{template.uri_template}`: {template.description}\n"]
    for prompt in (await server.list_prompts()).prompts:
        lines += ["## Prompt\n", f"`{prompt.name}`: {prompt.description}"]
    return "\n".join(lines)


def _schema_table(heading: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"| {heading} | | |\n|---|---|---|"
    required = schema.get("required", [])
    for name, about in schema.get("properties", {}).items():
        rules = [_type(about)]
        for key, word in (("minItems", "at least"), ("minimum", "from"), ("maximum", "to")):
            rules += [f"{word} {about[key]:g}"] if key in about else []
        if name not in required and "default" in about:
            rules.append(f"default {json.dumps(about['default'])}")
        text = about.get("description", "")
        if examples := about.get("examples"):
            text += f" Example: `{json.dumps(examples[0])}`"
        yield f"| `{name}` | {', '.join(rules)} | {_cell(text)} |"
    yield ""


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    return f"{kind} of {_type(schema['items'])}" if kind == "array" else str(kind)


def main(folder: Path) -> None:
    """Write the four files into `folder`."""
    (folder / "mcp.md").write_text(mcp_page())
    root = command_tree(get_command(make_app()))
    (folder / "reference.md").write_text(reference(root))
    (folder / "record.schema.json").write_text(f"{json.dumps(record_schema(), indent=2)}\n")
    (folder / "flux.1").write_text(man_page(root))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else HERE)
