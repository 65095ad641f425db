"""Puts a completion script where its shell finds it."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flux_cli.completion.shells import MARK, Shell, make_scripts
from flux_cli.completion.tree import Command
from flux_cli.errors import OutputError, UsageError
from flux_cli.storage.atomic import whole_file


_HEAD = 1000  # bytes; the mark is in the first or second line


@dataclass(frozen=True, slots=True)
class Place:
    """Where scripts go, and the start-up file with the line that loads them, if one is needed.

    `second` is for the second name, in a shell that looks by the command's name.
    """

    script: Path
    second: Path | None = None
    startup: Path | None = None
    line: str = ""


def install(
    shell: Shell,
    root: Command,
    environment: Mapping[str, str],
    *,
    may_replace: Callable[[Path], bool],
) -> Iterator[str]:
    """Write the scripts, and the line that loads them; yield what was changed, a sentence each.

    Doing it twice changes nothing more. `may_replace` is asked about a file that
    flux did not write. Nothing is changed before every file has been looked at.
    Raises UsageError for a file that is to stay, OutputError.
    """
    place = find_place(shell, environment)
    texts = make_scripts(shell, root)
    scripts = {place.script: texts["flux"].encode()}
    if place.second is not None:
        scripts[place.second] = texts["flux-tasks"].encode()
    before = {path: _read(path) for path in scripts}
    stale = [path for path in scripts if before[path] != scripts[path]]
    addition = _addition(place)
    for path in stale:
        if _is_foreign(before[path]) and not may_replace(path):
            raise UsageError(
                f"{path}: was not written by flux, and is not replaced",
                hint="Move it away, or have your shell load what --show-completion prints",
            )
    for path in stale:
        with _writing(path), whole_file(_behind_links(path)) as file:
            file.write(scripts[path])
        yield f"wrote {path}"
    if addition and place.startup is not None:
        with _writing(place.startup):
            _append(place.startup, addition)
        yield f"added a line to {place.startup}: {place.line}"


def find_place(shell: Shell, environment: Mapping[str, str]) -> Place:
    """Return where the scripts of `shell` go for this user. Raises UsageError."""
    try:
        home = Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        raise UsageError("there is no home folder to install it in", hint="Set HOME") from None
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    match shell:
        case Shell.FISH:
            folder = config / "fish" / "completions"
            return Place(folder / "flux.fish", folder / "flux-tasks.fish")
        case Shell.ZSH:
            script = data / "flux-tasks" / "_flux"
            startup = Path(environment.get("ZDOTDIR") or home) / ".zshrc"
            load = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }"
            return Place(script, None, startup, f"{load}; source {_quoted(script)}")
        case Shell.POWERSHELL:
            script = data / "flux-tasks" / "flux.ps1"
            windows = Path(home / "Documents" / "PowerShell")
            folder = windows if os.name == "nt" else config / "powershell"
            return Place(script, None, folder / "profile.ps1", f". {_quoted(script)}")
    folder = data / "bash-completion" / "completions"
    script = folder / "flux"
    return Place(script, folder / "flux-tasks", home / ".bashrc", f"source {_quoted(script)}")


def _read(path: Path) -> bytes | None:
    """Return what is in a file, None when there is none; never wait for what is no file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OutputError(f"{path}: is not a regular file, and stays as it is")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None


def _is_foreign(before: bytes | None) -> bool:
    return bool(before) and MARK not in (before or b"")[:_HEAD]


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the folder of `path`, and an OutputError about `path` of what goes wrong."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from None


def _addition(place: Place) -> bytes:
    """Return what is to be added to the start-up file, which may be nothing."""
    if place.startup is None:
        return b""
    before = _read(place.startup) or b""
    line = place.line.encode(errors="surrogateescape")
    if line in map(bytes.strip, before.splitlines()):
        return b""
    if b"\0" in before:  # UTF-16, as PowerShell of old writes it, or no text at all
        raise OutputError(
            f"{place.startup}: is not UTF-8, and stays as it is",
            hint=f"Add this line to it: {place.line}",
        )
    gap = b"" if not before or before.endswith(b"\n") else b"\n"
    return gap + line + b"\n"


def _append(path: Path, text: bytes) -> None:
    """Add `text` to a file, all of it or nothing; its owner, mode and links stay as they are."""
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            while text:
                text = text[file.write(text) :]
        except BaseException:
            file.truncate(size)
            raise


def _behind_links(path: Path) -> Path:
    """Return the file that a link leads to, so that the link stays."""
    return Path(os.path.realpath(path))


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
