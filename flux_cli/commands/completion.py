"""`--install-completion` and `--show-completion`, and the command tree that they are made of."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flux_cli.completion.shells import Shell, make_script
from flux_cli.errors import UsageError
from flux_cli.models.state import State
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.completion.tree import Command


_OPTIONS = ("--install-completion", "--show-completion")


def command_tree(root: Any) -> "Command":
    """Return the whole command line as data; `root` is the click command of the program."""
    from flux_cli.completion.tree import read_tree
    from flux_cli.output.records import KEYS, RAW

    lists = {"STATE[,STATE]": tuple(State), "FIELD[,FIELD]": (*KEYS, RAW)}
    return read_tree(root, "flux", lists=lists)


def with_shell(arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Add the name of the shell in use where it was left out at the end."""
    if arguments and arguments[-1] in _OPTIONS:
        return [*arguments, _shell_in_use(environment, arguments[-1])]
    return list(arguments)


def _shell_in_use(environment: Mapping[str, str], option: str) -> str:
    import shellingham

    try:
        name = _shell_named(str(shellingham.detect_shell()[0]))
    except shellingham.ShellDetectionFailure:
        name = ""
    if name not in set(Shell):  # none, or one that runs a script, as make and cron have it
        name = _shell_named(PurePath(environment.get("SHELL", "")).name)
    if name not in set(Shell):
        raise UsageError(
            f"{option}: cannot detect your shell", hint=f"Name one: {', '.join(Shell)}"
        )
    return name


def _shell_named(name: str) -> str:
    return {"pwsh": "powershell"}.get(name, name)


def _install(ctx: typer.Context, shell: Shell | None) -> None:
    if shell is None:
        return
    from flux_cli.completion.install import install

    runtime: Runtime = ctx.obj

    def may_write(question: str) -> bool:
        if not (runtime.stdin_is_terminal and runtime.stderr.is_terminal):
            return False
        lines = runtime.stderr.wrapped(runtime.stderr.sanitized(f"flux: {question}"))
        return typer.confirm("\n".join(lines), err=True)

    has_changed = False
    for change in install(
        shell, command_tree(ctx.command), runtime.environment, may_write=may_write
    ):
        has_changed = True
        runtime.stderr.line(f"flux: {change}")
    runtime.stderr.line(
        "flux: completion is active in new shells."
        if has_changed
        else "flux: already installed; nothing to change"
    )
    raise typer.Exit


def _show(ctx: typer.Context, shell: Shell | None) -> None:
    if shell is not None:
        runtime: Runtime = ctx.obj
        runtime.stdout.write(make_script(shell, command_tree(ctx.command)).encode())
        raise typer.Exit


Install = Annotated[
    Shell | None,
    typer.Option(
        "--install-completion",
        metavar="[SHELL]",
        callback=_install,
        is_eager=True,
        help="Install completion for SHELL (bash, zsh, fish, powershell), or for the current one.",
    ),
]
Show = Annotated[
    Shell | None,
    typer.Option(
        "--show-completion",
        metavar="[SHELL]",
        callback=_show,
        is_eager=True,
        help="Print the completion script.",
    ),
]
