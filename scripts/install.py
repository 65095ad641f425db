"""Puts flux on the PATH of this user, and takes it away again with --undo.

Through pipx or uv where they are there, else in an environment of its own. An environment that
was made here holds a file that says so: no other is ever changed or removed, and nothing that
others have put in ~/.local/bin. What is there works until the new one does.
"""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType


PACKAGE = "flux-tasks"
NAMES = ("flux", "flux-tasks")
PAGE = "share/man/man1/flux.1"  # in an environment, and in ~/.local, where man looks for it
MARKER = "installed-by-make"  # in an environment: how it was made, and its path
PREFIX = "made-by-make-"  # what a private environment's folder is called
UPGRADE = {"pipx": f"pipx upgrade {PACKAGE}", "uv": f"uv tool upgrade {PACKAGE}"}
REMOVE = {"pipx": ("pipx", "uninstall", PACKAGE), "uv": ("uv", "tool", "uninstall", PACKAGE)}


class Failed(Exception):
    """Nothing was installed, for the reason given."""


class Stopped(Exception):
    """A signal came, whose number is the argument."""


@dataclass(frozen=True)
class Places:
    """Where things are put."""

    home: Path
    links: Path
    folder: Path  # of private environments

    def show(self, path: Path) -> str:
        """Return `path` as people write it."""
        inside = path.is_relative_to(self.home)
        return f"~/{path.relative_to(self.home)}" if inside else str(path)


@dataclass(frozen=True)
class Environment:
    """An environment, whoever made it."""

    path: Path

    @property
    def kind(self) -> str:
        """How it was made here: with pipx, uv, or privately; empty if it was not made here."""
        try:
            kind, path = (self.path / MARKER).read_text().splitlines()
        except (OSError, ValueError):
            return ""
        return kind if _resolve(Path(path)) == _resolve(self.path) else ""

    def mark(self, kind: str) -> None:
        """Write down that it was made here."""
        (self.path / MARKER).write_text(f"{kind}\n{self.path}\n")


class Commands:
    """Runs other programs in silence; a signal ends them, and all that they have begun."""

    def __init__(self, work: Path, places: Places) -> None:
        self._signal = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._log = work / "log"
        self._environment = os.environ | {
            "TMPDIR": str(work),
            "PIPX_BIN_DIR": str(places.links),
            "UV_TOOL_BIN_DIR": str(places.links),
        }
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def run(self, *command: str, **changes: str) -> None:
        """Run a command; raise `Failed` after showing what it said, unless it succeeds."""
        if self._run(command, changes, subprocess.STDOUT) != 0:
            said = self._log.read_text(errors="replace")
            raise Failed(f"{said}{Path(command[0]).name} failed")

    def ask(self, *command: str) -> str:
        """Return what a command prints; nothing if it fails."""
        code = self._run(command, {}, subprocess.DEVNULL)
        return self._log.read_text(errors="replace").strip() if code == 0 else ""

    def check(self) -> None:
        """Raise `Stopped` if a signal came."""
        if self._signal:
            raise Stopped(self._signal)

    def forget_signal(self) -> None:
        """Go on, as what is run from now on cleans up."""
        self._signal = 0

    def _run(self, command: Sequence[str], changes: dict[str, str], stderr: int) -> int:
        self.check()
        with self._log.open("wb") as log:
            try:
                self._child = subprocess.Popen(
                    command,
                    env=self._environment | changes,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=stderr,
                    process_group=0,
                )
            except OSError as error:
                log.write(f"{command[0]}: {error.strerror}\n".encode())
                return 127
            if self._signal:  # between the check and now
                self._end()
            code = self._child.wait()
            self._child = None
        self.check()
        return code

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._signal = number
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGTERM)


class Installer:
    """Installs, upgrades and removes what was made here."""

    def __init__(self, places: Places, commands: Commands, work: Path) -> None:
        self._places = places
        self._commands = commands
        self._work = work
        self._links = [places.links / name for name in NAMES]
        self._page = places.home / ".local" / PAGE

    def install(self, extra: str) -> None:
        """Install this folder, or its newer state; say what was done.

        A name that another program has is left to it; with both names taken, nothing is done.
        """
        old = self._environments()
        self._refuse_strangers()
        taken = [link for link in self._links if not self._is_free(link)]
        self._links = [link for link in self._links if link not in taken]
        if not self._links:
            raise Failed(
                f"{self._shown(taken)} belong to other programs and were left alone: "
                "rename them, or use .venv/bin/flux (make demo makes it)"
            )
        source = f".[{extra}]" if extra else "."
        kinds = [*(environment.kind for environment in old), "pipx", "uv"]
        kind = next((kind for kind in kinds if kind == "private" or shutil.which(kind)), "private")
        if taken:  # which pipx and uv would replace, or fail because of
            kind = "private"
        new = self._installed(kind, source)
        for environment in old:
            if environment.path != new.path:
                self._remove(environment)
        for link in self._links:
            if new.kind == "private" and not _is_there(link):  # uv has taken it for its own
                link.symlink_to(new.path / "bin" / link.name)
        with contextlib.suppress(OSError):  # the program works without its page
            self._link_page(new)
        there = self._shown(link for link in self._links if _is_there(link))
        how = f"with {new.kind}" if new.kind != "private" else f"in {self._places.show(new.path)}"
        print(f"Installed {how}: {self._version(self._links[0])}, as {there}.")
        if taken:
            print(
                f"{self._shown(taken)} belongs to another program and was left alone: "
                f"use {self._links[0].name}."
            )
        self._explain_path()

    def _installed(self, kind: str, source: str) -> Environment:
        """Return the new environment: an own one where a manager fails."""
        if kind != "private":
            try:
                return self._manage(kind, source)
            except Failed as error:
                print(f"{error}: flux gets an environment of its own instead.", file=sys.stderr)
        return self._install_privately(source)

    def undo(self) -> None:
        """Remove what was installed, and nothing else; say what that was."""
        removed = []
        for environment in self._environments():
            kind = environment.kind
            removed += [self._places.show(link) for link in self._links_to(environment)]
            self._remove(environment)
            shown = self._places.show(environment.path)
            removed.append(shown if kind == "private" else f"{kind}'s environment")
        nothing = "There is nothing to remove: flux was not installed by make install."
        print(f"Removed: {', '.join(removed)}" if removed else nothing)

    def _environments(self) -> list[Environment]:
        """Return what was made here, as the links, the private folder and the managers show it.

        What a killed run has left half-made in the private folder is removed.
        """
        found = [path for link in self._links if (path := _environment_of(link))]
        for path in sorted(self._places.folder.glob(f"{PREFIX}*")):
            if path.is_dir() and not path.is_symlink() and not Environment(path).kind:
                shutil.rmtree(path)
            else:
                found.append(path)
        found += [environment.path for environment in map(self._managed, UPGRADE) if environment]
        unique = map(Environment, dict.fromkeys(map(_resolve, found)))
        return [environment for environment in unique if environment.kind]

    def _shown(self, links: Iterable[Path]) -> str:
        return " and ".join(map(self._places.show, links))

    def _links_to(self, environment: Environment) -> list[Path]:
        links = [*self._links, self._page]
        return [link for link in links if _environment_of(link) == environment.path]

    def _is_free(self, link: Path) -> bool:
        """Tell whether there is nothing, or what was put there before."""
        path = _environment_of(link)
        if path is None:
            return not _is_there(link)
        is_gone = path.name.startswith(PREFIX) and not path.exists()
        return is_gone or Environment(path).kind != ""

    def _managed(self, kind: str) -> Environment | None:
        """Return the environment that pipx or uv has for the package, whoever had it made."""
        if shutil.which(kind) is None:
            return None
        if kind == "uv":
            place = self._commands.ask("uv", "tool", "dir")
        else:
            place = self._commands.ask("pipx", "environment", "--value", "PIPX_LOCAL_VENVS")
            old = os.environ.get("PIPX_HOME") or self._places.home / ".local" / "pipx"
            place = place or f"{old}/venvs"  # one that is too old to tell
        path = Path(place.splitlines()[-1] if place else "/") / PACKAGE
        return Environment(_resolve(path)) if path.is_dir() else None

    def _refuse_strangers(self) -> None:
        for kind, upgrade in UPGRADE.items():
            environment = self._managed(kind)
            if environment and not environment.kind:
                raise Failed(
                    f"{PACKAGE} is there already, installed with {kind} and not by make install: "
                    f"{upgrade} upgrades it, {' '.join(REMOVE[kind])} removes it"
                )

    def _install_privately(self, source: str) -> Environment:
        """Make an environment beside the one that is there, and lead the links to it."""
        with _folders(self._places.folder, self._places.links):
            path = _resolve(self._places.folder) / f"{PREFIX}{secrets.token_hex(4)}"
            pip = ("-m", "pip", "--disable-pip-version-check", "install", source)
            staged: dict[Path, Path] = {}
            try:
                self._commands.run("scripts/make-venv", str(path))
                self._commands.run(str(path / "bin" / "python"), *pip)
                self._version(path / "bin" / NAMES[0])
                environment = Environment(path)
                environment.mark("private")
                for link in self._links:
                    staged[link] = link.with_name(f".{link.name}-{path.name}")
                    staged[link].symlink_to(path / "bin" / link.name)
                self._commands.check()
            except BaseException:
                for new in staged.values():
                    new.unlink(missing_ok=True)
                shutil.rmtree(path, ignore_errors=True)
                raise
        for link, new in staged.items():  # each at once, and there is nothing left that may fail
            new.replace(link)
        return environment

    def _link_page(self, environment: Environment) -> None:
        """Have `man flux` find the manual page, unless another program has one of that name."""
        page = environment.path / PAGE
        if page.exists() and self._is_free(self._page):
            self._page.parent.mkdir(parents=True, exist_ok=True)
            staged = self._page.with_name(f".{self._page.name}-{environment.path.name}")
            staged.symlink_to(page)
            staged.replace(self._page)

    def _manage(self, kind: str, source: str) -> Environment:
        """Have pipx or uv install, or upgrade what was made here."""
        before = self._managed(kind)
        python = str(Path.cwd() / (shutil.which(os.environ["PYTHON"]) or sys.executable))
        command = ["pipx", "install", "--python", python, source]
        changes = {}
        if kind == "uv":
            command = [
                "uv",
                "tool",
                "install",
                "--quiet",
                "--reinstall",
                "--compile-bytecode",  # as pip does; flux starts in half the time
                "--python",
                python,
                source,
            ]
        elif before:
            # Forced, pipx replaces manual pages and completion scripts, whoever has put them there.
            # Those that it has put there lead into the environment, and stay right.
            command.insert(2, "--force")
            changes = {"PIPX_MAN_DIR": str(self._work), "PIPX_COMPLETION_DIR": str(self._work)}
        with _folders(self._places.links), self._kept(kind, before):
            self._commands.run(*command, **changes)
            self._version(self._links[0])
            environment = self._managed(kind)
            if environment is None:
                raise Failed(f"{kind} does not tell where it put flux")
            environment.mark(kind)
        return environment

    @contextlib.contextmanager
    def _kept(self, kind: str, before: Environment | None) -> Iterator[None]:
        """Have things as they were if what is done fails: some pipx remove what they upgrade."""
        if before is None:
            try:
                yield
            except BaseException:
                self._commands.forget_signal()
                if made := self._managed(kind):
                    made.mark(kind)
                    self._remove(made)
                raise
            return
        copy = before.path.parent.parent / f".{PACKAGE}-kept"  # where it can be renamed from
        targets = {link: link.readlink() for link in self._links if link.is_symlink()}
        shutil.rmtree(copy, ignore_errors=True)
        try:
            shutil.copytree(before.path, copy, symlinks=True)
            try:
                yield
            except BaseException:
                shutil.rmtree(before.path, ignore_errors=True)
                copy.rename(before.path)
                for link, target in targets.items():
                    if not _is_there(link):
                        link.symlink_to(target)
                raise
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _remove(self, environment: Environment) -> None:
        kind = environment.kind
        if kind in REMOVE and shutil.which(kind):
            self._commands.ask(*REMOVE[kind])  # if it fails, what it has left goes all the same
        for link in self._links_to(environment):
            link.unlink()
        if environment.path.is_dir():
            shutil.rmtree(environment.path)
        if kind == "private":
            with contextlib.suppress(OSError):
                environment.path.parent.rmdir()

    def _version(self, program: Path) -> str:
        version = self._commands.ask(str(program), "--version")
        if not version:
            raise Failed(f"{self._places.show(program)} does not run")
        return version

    def _explain_path(self) -> None:
        """Say what is to be typed, where what is typed does not reach what was installed."""
        links = self._places.links
        if any(_resolve(Path(part)) == _resolve(links) for part in os.get_exec_path() if part):
            found = shutil.which(self._links[0].name)
            if found and _resolve(Path(found)) != _resolve(self._links[0]):
                also = ", or use flux-tasks" if self._links[1:] else ""
                print(f"{found} comes first on your PATH: put ~/.local/bin before it{also}.")
            return
        print(
            "~/.local/bin is not on your PATH. Run this line, and add it to your shell's start-up "
            "file to keep it:"
        )
        fish = os.environ.get("SHELL", "").endswith("fish")
        print("  fish_add_path ~/.local/bin" if fish else '  export PATH="$HOME/.local/bin:$PATH"')


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _environment_of(link: Path) -> Path | None:
    """Return the environment that has the file to which a link of that name leads."""
    if not link.is_symlink():
        return None
    target = str(link.parent / link.readlink())
    inside = f"/{PAGE}" if link.name == Path(PAGE).name else f"/bin/{link.name}"
    return _resolve(Path(target.removesuffix(inside))) if target.endswith(inside) else None


def _resolve(path: Path) -> Path:
    return Path(os.path.realpath(path))


@contextlib.contextmanager
def _folders(*paths: Path) -> Iterator[None]:
    """Make folders; remove those that were made if what is done in them fails."""
    absent = [p for path in paths for p in (path, *path.parents) if not p.exists()]
    try:
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in sorted(set(absent), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def _places() -> Places:
    """Return where things are put, after a look whether they can be."""
    home = os.environ.get("HOME", "")
    data = os.environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    for name, value in (("HOME", home), ("XDG_DATA_HOME", data)):
        if not value.startswith("/"):
            what = f"{value!r}, which is no absolute path" if value else "not set"
            raise Failed(f"{name} is {what}")
        if re.search(r'[\x00-\x1f:"$`\\]', value):
            raise Failed(
                f"{name} is {value!r}, and no program can be started from there by its name, as a "
                f"shell or PATH reads one of its characters as something else"
            )
    if not Path(home).is_dir():
        raise Failed(f"HOME is {home!r}, which is no folder")
    return Places(Path(home), Path(home, ".local", "bin"), Path(data, PACKAGE))


def _check_writable(places: Places, *folders: Path) -> None:
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if _is_there(path))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise Failed(f"{places.show(there)} is not a folder that you can write to")


@contextlib.contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Keep other runs out for as long as this one lasts, however it ends."""
    number = os.open(places.home, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise Failed(
            "another make install or make uninstall is at work: wait until it has ended"
        ) from None
    try:
        yield
    finally:
        os.close(number)


def main() -> int:
    """Install, or remove with --undo; return the exit code."""
    is_undo = sys.argv[1:] == ["--undo"]
    undone = "removed" if is_undo else "installed"
    try:
        places = _places()
        with (
            _alone(places),
            tempfile.TemporaryDirectory(prefix="flux-install-", ignore_cleanup_errors=True) as work,
        ):
            installer = Installer(places, Commands(Path(work), places), Path(work))
            if is_undo:
                installer.undo()
            else:
                _check_writable(places, places.links, places.folder)
                installer.install(os.environ.get("EXTRA", ""))
    except (Failed, OSError) as error:
        print(f"flux is not {undone}: {error}.", file=sys.stderr)
        return 1
    except Stopped as stopped:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(f"Stopped: flux is not {undone}.", file=sys.stderr)
        return 128 + int(stopped.args[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
