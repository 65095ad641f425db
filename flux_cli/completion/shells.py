"""The shells that there are completion scripts for."""

import importlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from flux_cli.completion.tree import Command


_MARK = re.compile(rb"(^# \w+ completion for flux\. Made [^\n]*)", re.MULTILINE)
_SEAL = re.compile(rb" \[sha256 ([0-9a-f]{64})\]$", re.MULTILINE)
_HEAD = 1000  # bytes; the mark, and the seal behind it, are in the first or second line


class Shell(StrEnum):
    """A shell; the script is made by the module of the same name."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def make_script(shell: Shell, root: "Command") -> str:
    """Return the script of a shell for the command line `root`."""
    module = importlib.import_module(f"flux_cli.completion.{shell.value}")
    return _sealed(module.script(root))


def make_scripts(shell: Shell, root: "Command") -> dict[str, str]:
    """Return all files of a shell that finds its scripts by the name of the command.

    They are by the name of the program that each is for.
    """
    module = importlib.import_module(f"flux_cli.completion.{shell.value}")
    second = getattr(module, "BY_SECOND_NAME", "")
    return {"flux": make_script(shell, root)} | ({"flux-tasks": second} if second else {})


def seal_holds(data: bytes) -> bool | None:
    """Tell whether a script, of any version of flux, is as it was written; None for no script."""
    seal = _SEAL.search(data[:_HEAD])
    if seal is None:
        return None
    import hashlib

    rest = data[: seal.start()] + data[seal.end() :]
    return hashlib.sha256(rest).hexdigest().encode() == seal[1]


def _sealed(script: str) -> str:
    """Return a script with a digest of all the rest of it behind its mark."""
    import hashlib

    data = script.encode()
    seal = f" [sha256 {hashlib.sha256(data).hexdigest()}]".encode()
    return _MARK.sub(lambda mark: mark[1] + seal, data, count=1).decode()
