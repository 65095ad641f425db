"""Puts a completion script where its shell finds it."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flux_cli.completion.shells import Shell, make_scripts, seal_holds
from flux_cli.completion.tree import Command
from flux_cli.errors import OutputError, UsageError
from flux_cli.storage.atomic import whole_file


_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_GOES_ON = (b"\\", b"`")  # at the end of a line: the next one belongs to it


@dataclass(frozen=True, slots=True)
class Place:
    """Where scripts go, and the start-up file with the line that loads them, if one is needed.

    `second` is for the second name, in a shell that looks by the command's name.
    """

    script: Path
    second: Path | None = None
    startup: Path | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """What was found at a path: the file that a link there leads to, and what is in it.

    `content` and `identity` are None where there is no file.
    """

    path: Path
    target: Path
    is_link: bool
    content: bytes | None
    identity: tuple[int, int] | None

    @property
    def name(self) -> str:
        """The path, and where a link there leads."""
        return f"{self.path}, which is a link to {self.target}," if self.is_link else f"{self.path}"


def install(
    shell: Shell,
    root: Command,
    environment: Mapping[str, str],
    *,
    may_write: Callable[[str], bool],
) -> Iterator[str]:
    """Write the scripts, and the line that loads them; yield what was changed, a sentence each.

    Doing it twice changes nothing more. `may_write` is asked, in a sentence, about a file
    that flux did not write, or that was edited since, and about a link to no file. Nothing
    is changed before every file has been looked at. Raises UsageError for a file that is to
    stay, OutputError.
    """
    place = find_place(shell, environment)
    texts = make_scripts(shell, root)
    scripts = {place.script: texts["flux"].encode()}
    if place.second is not None:
        scripts[place.second] = texts["flux-tasks"].encode()
    stale = [file for file in map(_look, scripts) if file.content != scripts[file.path]]
    startup = _look(place.startup) if place.startup is not None else None
    addition = _addition(startup, place.line) if startup is not None else b""
    changed = [*stale, *([startup] if startup is not None and addition else [])]
    for file in changed:
        _check_writable(file, is_script=file is not startup)
    for file in changed:
        _check_wanted(file, may_write, is_script=file is not startup)
    for file in stale:
        with _writing(file), whole_file(file.target) as stream:
            stream.write(scripts[file.path])
        yield f"wrote {file.path}"
    if addition and startup is not None:
        with _writing(startup):
            _append(startup, addition)
        yield f"added a line to {startup.path}: {place.line}"


def find_place(shell: Shell, environment: Mapping[str, str]) -> Place:
    """Return where the scripts of `shell` go for this user. Raises UsageError."""
    home = _home(environment)
    data = _absolute(environment, "XDG_DATA_HOME") or home / ".local" / "share"
    config = _absolute(environment, "XDG_CONFIG_HOME") or home / ".config"
    match shell:
        case Shell.FISH:
            folder = config / "fish" / "completions"
            return Place(folder / "flux.fish", folder / "flux-tasks.fish")
        case Shell.ZSH:
            script = data / "flux-tasks" / "_flux"
            zsh_home = environment.get("ZDOTDIR", "")
            if zsh_home and not Path(zsh_home).is_absolute():
                raise UsageError(
                    f"ZDOTDIR: {zsh_home} is not an absolute path",
                    hint="Set it to an absolute path",
                )
            startup = (Path(zsh_home) if zsh_home else home) / ".zshrc"
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


def _home(environment: Mapping[str, str]) -> Path:
    try:
        home = Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        raise UsageError("no home folder to install completion in", hint="Set HOME") from None
    if not home.is_absolute():
        raise UsageError(f"HOME: {home} is not an absolute path", hint="Set it to your home folder")
    if not home.is_dir():
        raise UsageError(f"HOME: {home} is not a folder", hint="Set it to your home folder")
    return home


def _absolute(environment: Mapping[str, str], name: str) -> Path | None:
    """Return the folder in a variable; a relative one counts as unset, as XDG wants it."""
    path = Path(environment.get(name, ""))
    return path if path.is_absolute() else None


def _look(path: Path) -> _File:
    """Look at what is at `path`; never wait for what is no file. Raises OutputError."""
    is_link = path.is_symlink()
    target = Path(os.path.realpath(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OutputError(f"{path}: is not a regular file; left unchanged")
        if is_link and hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise OutputError(
                f"{path}: is a link to {target}, which belongs to another user; left unchanged",
                hint="Have your shell load the output of --show-completion",
            )
        content = target.read_bytes()
    except FileNotFoundError:
        return _File(path, target, is_link, None, None)
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror}") from None
    return _File(path, target, is_link, content, (status.st_dev, status.st_ino))


def _check_writable(file: _File, *, is_script: bool) -> None:
    """Raise OutputError where a file cannot be written, before any other one is.

    A script is replaced, which its folder must allow; a start-up file is added to.
    """
    place = file.target.parent if is_script else file.target
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK):
        raise OutputError(f"{file.path}: cannot be written: Permission denied")


def _check_wanted(file: _File, may_write: Callable[[str], bool], *, is_script: bool) -> None:
    """Raise UsageError for a file that the user does not want to be written."""
    if file.content is None and file.is_link:
        question, reason = "does not exist. Create it?", "does not exist, and was not created"
    elif is_script and file.content and not (holds := seal_holds(file.content)):
        what = "was not written by flux" if holds is None else "was edited since flux wrote it"
        question, reason = f"{what}. Replace it?", f"{what}, and was not replaced"
    else:
        return
    if not may_write(f"{file.name} {question}"):
        raise UsageError(
            f"{file.name.removesuffix(',')}: {reason}",
            hint="Move it away, or have your shell load the output of --show-completion",
        )


@contextlib.contextmanager
def _writing(file: _File) -> Iterator[None]:
    """Make the folder of `file`, and an OutputError about it of what goes wrong.

    What is there by now must be what was looked at.
    """
    if _look(file.path) != file:
        raise OutputError(f"{file.path}: was just changed by another program; left unchanged")
    try:
        file.target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise OutputError(f"{file.path}: cannot be written: {error.strerror}") from None


def _addition(startup: _File, line: str) -> bytes:
    """Return what is to be added to the start-up file, which may be nothing."""
    before = startup.content or b""
    added = line.encode(errors="surrogateescape")
    if b"\n" in added or b"\r" in added:
        raise UsageError(
            "the path of the script contains a line break", hint="Set HOME to another folder"
        )
    if added in map(bytes.strip, before.splitlines()):
        return b""
    if b"\0" in before:  # UTF-16, as PowerShell of old writes it, or no text at all
        raise OutputError(
            f"{startup.path}: is not UTF-8; left unchanged",
            hint=f"Add this line to it: {line}",
        )
    gap = b"" if not before or before.endswith(b"\n") else b"\n"
    if before.rstrip(b"\r\n").endswith(_GOES_ON):
        gap += b"\n"
    return gap + added + b"\n"


def _append(file: _File, text: bytes) -> None:
    """Add `text` to a file, all of it or nothing; its owner, mode and links stay as they are."""
    flags = os.O_WRONLY | os.O_APPEND | _FLAGS
    if file.content is None:
        flags |= os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(file.target, flags, 0o666), "ab", buffering=0) as stream:
        status = os.fstat(stream.fileno())
        if file.identity not in {None, (status.st_dev, status.st_ino)}:
            raise OutputError(f"{file.path}: was just changed by another program; left unchanged")
        size = stream.seek(0, os.SEEK_END)
        try:
            while text:
                text = text[stream.write(text) :]
        except BaseException:
            stream.truncate(size)
            raise


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
