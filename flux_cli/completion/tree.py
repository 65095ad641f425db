"""The command line as data: what the completion scripts and the reference are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Value(Enum):
    """What follows an option, or stands where an argument is."""

    NONE = "nothing: a flag"
    TEXT = "anything"
    FILE = "a file"
    FOLDER = "a folder"
    WORD = "one of the words"
    WORDS = "some of the words, with commas between them"


@dataclass(frozen=True, slots=True)
class Option:
    """An option: every spelling of it, and what it takes."""

    names: tuple[str, ...]
    help: str
    value: Value
    metavar: str
    words: tuple[str, ...] = ()
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group; `path` begins with the program's name."""

    path: str
    help: str
    options: tuple[Option, ...]
    commands: tuple["Command", ...] = ()
    arguments: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition(" ")[2]

    def walk(self) -> Iterator["Command"]:
        """Yield this command and all below it, parents first."""
        yield self
        for command in self.commands:
            yield from command.walk()


_HELP = Option(("--help", "-h"), "Show this message and exit.", Value.NONE, "")
_BY_METAVAR = {"FILE": Value.FILE, "DIR": Value.FOLDER}


def read_tree(command: Any, path: str, *, lists: dict[str, tuple[str, ...]]) -> Command:
    """Return the data of a click command, which typer makes of functions.

    `lists` gives, by metavar, the words of options that take several.
    """
    parameters = [
        parameter for parameter in command.params if not getattr(parameter, "hidden", False)
    ]
    ctx = command.context_class(command, info_name=path)
    options = [_option(p, ctx, lists) for p in parameters if p.param_type_name == "option"]
    arguments = [p.metavar or p.name.upper() for p in parameters if p.param_type_name == "argument"]
    names = command.list_commands(None) if hasattr(command, "commands") else ()
    children = (command.commands[name] for name in names if not command.commands[name].hidden)
    return Command(
        path,
        first_sentence(command.help),
        (*options, _HELP),
        tuple(read_tree(child, f"{path} {child.name}", lists=lists) for child in children),
        " ".join(arguments),
    )


def first_sentence(text: str | None) -> str:
    """Return the first paragraph of a help text, on one line."""
    return " ".join((text or "").partition("\n\n")[0].split())


def _option(parameter: Any, ctx: Any, lists: dict[str, tuple[str, ...]]) -> Option:
    metavar = parameter.metavar or ""
    words = lists.get(metavar, ())
    if parameter.is_flag:
        value = Value.NONE
    elif words:
        value = Value.WORDS
    elif choices := getattr(parameter.type, "choices", None):
        value, words = Value.WORD, tuple(map(str, choices))
    else:
        value = _BY_METAVAR.get(metavar, Value.TEXT)
    names = (*parameter.opts, *parameter.secondary_opts)
    help_text = " ".join(parameter.get_help_record(ctx)[1].split())  # with default and range
    return Option(
        names, help_text, value, metavar or parameter.type.name.upper(), words, parameter.multiple
    )
