"""What somebody meant who typed no command: `flux check ID` for `flux tasks check ID`."""

import difflib
from collections.abc import Sequence
from typing import Any

import typer

from flux_cli.models.ids import flaw_in_text
from flux_cli.output.shell_words import quote
from flux_cli.runtime import Runtime


_GUESSES = {  # what other programs call it, and the command that is meant
    "task": ("tasks",),
    "check": ("tasks", "check"),
    "status": ("tasks", "check"),
    "get": ("tasks", "check"),
    "show": ("tasks", "show"),
    "info": ("tasks", "show"),
    "describe": ("tasks", "show"),
    "list": ("tasks", "list"),
    "ls": ("tasks", "list"),
    "history": ("tasks", "list"),
    "watch": ("tasks", "watch"),
    "wait": ("tasks", "watch"),
    "follow": ("tasks", "watch"),
    "poll": ("tasks", "watch"),
    "download": ("tasks", "download"),
    "save": ("tasks", "download"),
    "fetch": ("tasks", "download"),
    "retry": ("tasks", "retry"),
    "resubmit": ("tasks", "retry"),
    "generate": ("images", "generate"),
    "create": ("images", "generate"),
    "make": ("images", "generate"),
    "submit": ("images", "generate"),
    "edit": ("images", "edit"),
    "login": ("auth", "login"),
    "logout": ("auth", "logout"),
    "token": ("auth", "token"),
    "whoami": ("auth", "status"),
    "serve": ("mcp",),
    "completion": ("--show-completion",),
    "version": ("--version",),
}
_CLOSE = 0.7  # share of the letters that a slip leaves as they are
_LONGEST = 1000  # characters of a command that is shown with its arguments


def no_command(ctx: typer.Context, words: Sequence[str]) -> str:
    """Return the line about `words`, of which the first that is no command of `ctx` is known."""
    runtime: Runtime = ctx.obj
    path = ctx.command_path.removeprefix(runtime.program).split()
    rest = list(words[len(path) :])
    typed = " ".join(map(quote, [*path, *rest[:1]]))
    meant, arguments = _meant(tuple(path), rest, ctx.find_root().command)
    if not meant:
        return f"there is no command {typed}. Try: {ctx.command_path} --help"
    line = _line(runtime.program, meant, arguments)
    command = _find(ctx.find_root().command, meant)
    shown = arguments if _works(ctx, command, meant, arguments) and len(line) <= _LONGEST else []
    line = _line(runtime.program, meant, shown)
    takes_ids = any(parameter.name == "ids" for parameter in getattr(command, "params", ()))
    if takes_ids and not shown and (arguments or runtime.stdin_is_terminal):
        line += " ID"
    return f"there is no command {typed}; did you mean: {line}?"


def _meant(
    path: tuple[str, ...], rest: Sequence[str], root: Any
) -> tuple[tuple[str, ...], list[str]]:
    """Return the command that `rest` means after `path`, none if unknown, and its arguments."""
    word, *arguments = rest or [""]
    if path in ((), ("tasks",)) and any(map(str.isdigit, word)) and flaw_in_text(word) is None:
        return ("tasks", "check"), [word, *arguments]
    names = {name: (*path, name) for name in getattr(_find(root, path), "commands", {})}
    names |= {
        word: meant
        for word, meant in _GUESSES.items()
        if meant[: len(path)] == path and len(meant) > len(path) and word not in names
    }
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=_CLOSE)
    if not close:
        return (), []
    meant = names[close[0]]
    command = _find(root, meant)
    if command is None and not meant[0].startswith("-"):
        meant = ("tasks", "check")  # what this version has
    commands = getattr(command, "commands", {})
    if commands and arguments and arguments[0] not in commands:
        return _meant(meant, arguments, root)
    return meant, arguments


def _find(command: Any, path: Sequence[str]) -> Any:
    """Return the click command at `path`, or None."""
    for name in path:
        command = getattr(command, "commands", {}).get(name)
    return command


def _works(ctx: typer.Context, command: Any, meant: Sequence[str], arguments: list[str]) -> bool:
    """Tell whether `command` takes such arguments. What `auth` is given may be a secret."""
    if command is None or meant[0] == "auth":
        return False
    try:
        inner = type(ctx)(command, info_name=meant[-1], parent=ctx)
        command.make_parser(inner).parse_args(args=[*arguments])
    except typer.TyperException:
        return False
    return True


def _line(program: str, meant: Sequence[str], arguments: Sequence[str]) -> str:
    return " ".join([program, *meant, *map(quote, arguments)])
