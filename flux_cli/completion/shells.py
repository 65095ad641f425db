"""The shells that there are completion scripts for."""

import importlib
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from flux_cli.completion.tree import Command


MARK = b"completion for flux. Made by"  # in the first lines of each script


class Shell(StrEnum):
    """A shell; the script is made by the module of the same name."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def make_script(shell: Shell, root: "Command") -> str:
    """Return the script of a shell for the command line `root`."""
    module = importlib.import_module(f"flux_cli.completion.{shell.value}")
    script: str = module.script(root)
    return script


def make_scripts(shell: Shell, root: "Command") -> dict[str, str]:
    """Return all files of a shell that finds its scripts by the name of the command.

    They are by the name of the program that each is for.
    """
    module = importlib.import_module(f"flux_cli.completion.{shell.value}")
    second = getattr(module, "BY_SECOND_NAME", "")
    return {"flux": module.script(root)} | ({"flux-tasks": second} if second else {})
