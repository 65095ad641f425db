"""The shells that there are completion scripts for."""

import importlib
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from flux_cli.completion.tree import Command


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
