"""Puts a completion script where its shell finds it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flux_cli.completion.shells import Shell, make_script
from flux_cli.completion.tree import Command
from flux_cli.errors import OutputError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a script goes, and the start-up file with the line that loads it, if one is needed."""

    script: Path
    startup: Path | None = None
    line: str = ""


def install(shell: Shell, root: Command, environment: Mapping[str, str]) -> list[str]:
    """Write the script, and the line that loads it; return what was changed, a sentence each.

    Doing it twice changes nothing more. Raises OutputError.
    """
    place = find_place(shell, environment)
    done = []
    try:
        if not place.script.exists() or place.script.read_text() != make_script(shell, root):
            place.script.parent.mkdir(parents=True, exist_ok=True)
            place.script.write_text(make_script(shell, root))
            done.append(f"wrote {place.script}")
        if place.startup is not None:
            before = place.startup.read_text() if place.startup.exists() else ""
            if place.line not in before:
                place.startup.parent.mkdir(parents=True, exist_ok=True)
                gap = "" if not before or before.endswith("\n") else "\n"
                with place.startup.open("a") as file:
                    file.write(f"{gap}{place.line}\n")
                done.append(f"added a line to {place.startup}: {place.line}")
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None
    return done


def find_place(shell: Shell, environment: Mapping[str, str]) -> Place:
    """Return where the script of `shell` goes for this user."""
    home = Path(environment.get("HOME") or Path.home())
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    match shell:
        case Shell.FISH:
            return Place(config / "fish" / "completions" / "flux.fish")
        case Shell.ZSH:
            script = data / "flux-tasks" / "_flux"
            startup = Path(environment.get("ZDOTDIR") or home) / ".zshrc"
            load = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }"
            return Place(script, startup, f"{load}; source {_quoted(script)}")
        case Shell.POWERSHELL:
            script = data / "flux-tasks" / "flux.ps1"
            windows = Path(home / "Documents" / "PowerShell")
            folder = windows if os.name == "nt" else config / "powershell"
            return Place(script, folder / "profile.ps1", f". {_quoted(script)}")
    script = data / "bash-completion" / "completions" / "flux"
    return Place(script, home / ".bashrc", f"source {_quoted(script)}")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
