"""What make calls: how it finds Python, installs what tests need, installs flux, and cleans up."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.support.needs import account, need


SCRIPTS = Path(__file__).parents[2] / "scripts"
BASICS = "cat chmod dirname env grep ln mkdir mktemp readlink rm rmdir sed sh tail true"
TOOLS = ["bash", "chromium", "curl", "fish", "git", "jq", "parallel", "zsh"]
NEW_PYTHON = """
case $* in
*%d.%d*version_info*) printf python3.11 ;;
--version) echo "Python 3.11.4" ;;
esac
"""
INSTALLER = """
printf '%s\\n' "$0 $*" | sed 's|.*/||' >> "$LOG"
for word; do
    case $word in
    zsh|fish|jq|parallel|chromium)
        [ "$word" != "$UNKNOWN" ] || exit 100
        printf '#!/bin/sh\\necho GNU parallel\\n' > "$BIN/$word"; chmod +x "$BIN/$word" ;;
    esac
done
"""


class Machine:
    """A machine with a few programs, whoever its user is."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        self.log = folder / "log"
        for made in (self.bin, self.home, self.temporary):
            made.mkdir()
        self.log.touch()
        for name in BASICS.split():
            self.bin.joinpath(name).symlink_to(shutil.which(name) or "/nowhere")
        self.has("python3", NEW_PYTHON)
        for name in ("bash", "curl", "git"):
            self.has(name, "")
        self.has("id", "echo 1000")
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LOG": str(self.log),
            "BIN": str(self.bin),
            "UNKNOWN": "",
        }

    def has(self, name: str, code: str) -> None:
        """Put a program there, in the language of the shell."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts; whatever happens it leaves no temporary file."""
        run = subprocess.run(
            [SCRIPTS / script, *arguments],
            env=self.environment | changes,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert list(self.temporary.iterdir()) == []
        return run


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


WANTED = "zsh fish jq parallel chromium"


@pytest.mark.parametrize(
    ("way", "how"),
    [("root", "apt-get"), ("sudo without a password", "sudo apt-get"), ("Homebrew", "brew")],
)
def test_what_the_tests_need_is_installed_where_it_may_be(
    machine: Machine, way: str, how: str
) -> None:
    machine.has(how.rsplit(maxsplit=1)[-1], INSTALLER)
    if way == "root":
        machine.has("id", "echo 0")
    elif "sudo" in way:
        machine.has("sudo", '[ "$1" != -n ] || shift; exec "$@"')
    run = machine.run("test-tools")
    assert (run.returncode, run.stderr) == (0, "")
    installed = WANTED if how != "brew" else WANTED.removesuffix(" chromium")
    said = [f"Installing with {how} what the tests need: {installed} ..."]
    if how == "brew":  # Chrome is a program for people, who install it themselves
        said.append("Not on this machine: chromium. The tests that need one of them are left out.")
    assert run.stdout.splitlines() == said
    assert f" {installed}\n" in machine.log.read_text()
    again = machine.run("test-tools")
    assert again.stdout.splitlines() == said[1:]


def test_one_package_that_cannot_be_had_keeps_no_other_away(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get", INSTALLER)
    run = machine.run("test-tools", UNKNOWN="fish")
    assert run.returncode == 0
    assert "Not on this machine: fish. The tests that need one of them are left out." in run.stdout


@pytest.mark.parametrize("has_sudo", [False, True])
def test_who_may_install_nothing_is_told_what_is_left_out(machine: Machine, has_sudo: bool) -> None:
    machine.has("apt-get", INSTALLER)
    if has_sudo:
        machine.has("sudo", 'echo "sudo: a password is required" >&2; exit 1')
    run = machine.run("test-tools")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == (
        f"Not on this machine: {WANTED}. The tests that need one of them are left out.\n"
    )
    assert machine.log.read_text() == ""


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_somebody_at_the_terminal_is_asked(machine: Machine, answer: str) -> None:
    machine.has("apt-get", INSTALLER)
    machine.has("sudo", '[ "$1" != -n ] || exit 1; exec "$@"')
    screen = pexpect.spawn(
        str(SCRIPTS / "test-tools"),
        env=machine.environment,
        encoding="utf-8",
        dimensions=(20, 200),
        timeout=20,
    )
    screen.expect_exact(f"The tests need: {WANTED}. Install with sudo apt-get? [y/N] ")
    screen.sendline(answer)
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == 0
    assert ("Installing with sudo apt-get" in screen.before) == (answer == "y")
    assert (machine.log.read_text() != "") == (answer == "y")


def test_another_parallel_is_not_taken_for_gnus(machine: Machine) -> None:
    for name in TOOLS:
        machine.has(name, "echo 'parallel: invalid option'")
    assert "Not on this machine: parallel." in machine.run("test-tools").stdout


def test_what_is_left_out_is_counted() -> None:
    assert account([]) == "No test was left out."
    assert account(["needs zsh"]) == "Left out 1 test: needs zsh (1)"
    line = account(["needs zsh", "needs fish", "needs zsh"])
    assert line == "Left out 3 tests: needs fish (1), needs zsh (2)"


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.has("python3", 'case $1 in --version) echo "Python 3.9.6" ;; *) exit 1 ;; esac')
    run = machine.run("make-venv", str(machine.home / "venv"))
    assert run.returncode == 1
    assert run.stderr.startswith(
        "flux needs Python 3.11 or later, and python3 is Python 3.9.6: install one, or name it, "
    )
    assert len(run.stderr.splitlines()) == 1
    machine.has("python3.13", "")
    assert machine.run("find-python").stdout == "python3.13\n"
    named = machine.run("find-python", PYTHON="/nowhere/python3")
    assert "and /nowhere/python3 is not there" in named.stderr


def test_a_python_that_makes_no_environment_is_named(machine: Machine) -> None:
    machine.has("python3", f"case $* in *ensurepip*) exit 1 ;; esac\n{NEW_PYTHON}")
    run = machine.run("make-venv", str(machine.home / "venv"))
    assert run.returncode == 1
    assert "apt-get install python3.11-venv" in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_others_put_in_the_place_of_flux_is_left_alone(machine: Machine, kind: str) -> None:
    theirs = machine.home / ".local" / "bin" / "flux"
    theirs.parent.mkdir(parents=True)
    before = "/opt/fluxcd/bin/flux"
    if kind == "file":
        theirs.write_text(before)
    else:
        theirs.symlink_to(before)
    machine.has("pipx", 'echo "$@" >> "$LOG"')
    for arguments, code in (((), 1), (("--undo",), 0)):
        run = machine.run("install", *arguments)
        assert run.returncode == code
        assert machine.log.read_text().replace("list --short\n", "") == ""
        assert theirs.is_symlink() == (kind == "link")
        assert str(theirs.readlink() if kind == "link" else theirs.read_text()) == before
    run = machine.run("install")
    assert run.stderr.startswith("~/.local/bin/flux is another program's, and is left as it is")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["pipx", "uv"])
def test_flux_is_installed_by_what_is_there(machine: Machine, name: str) -> None:
    code = """
    echo "$@" >> "$LOG"
    case $* in
    *list*) echo "flux-tasks 1.2.3" ;;
    *uninstall*) rm "$HOME/.local/bin/flux" ;;
    *install*)
        mkdir -p "$HOME/.local/bin" "$HOME/flux-tasks/bin"
        printf '#!/bin/sh\\necho flux 1.2.3\\n' > "$HOME/flux-tasks/bin/flux"
        chmod +x "$HOME/flux-tasks/bin/flux"
        ln -sf "$HOME/flux-tasks/bin/flux" "$HOME/.local/bin/flux" ;;
    esac"""
    machine.has(name, code)
    run = machine.run("install", EXTRA="mcp", SHELL="/bin/zsh")
    assert (run.returncode, run.stderr) == (0, "")
    path = "For this shell, and in its start-up file for later ones:"
    assert run.stdout.splitlines() == [
        f"Installed with {name}: flux 1.2.3, as ~/.local/bin/flux.",
        f"~/.local/bin is not on your PATH. {path}",
        '  export PATH="$HOME/.local/bin:$PATH"',
    ]
    assert " .[mcp]\n" in machine.log.read_text()
    machine.environment["PATH"] = f"{machine.home}/.local/bin:{machine.bin}"
    assert len(machine.run("install").stdout.splitlines()) == 1
    machine.has("flux", "another one")
    machine.environment["PATH"] = f"{machine.bin}:{machine.home}/.local/bin"
    assert f"On your PATH, {machine.bin}/flux comes before it" in machine.run("install").stdout
    undone = machine.run("install", "--undo")
    assert undone.stdout == f"Removed: {name}'s environment\n"
    assert not (machine.home / ".local" / "bin" / "flux").exists()


def test_an_installation_that_fails_leaves_nothing(machine: Machine) -> None:
    make = """
    case $* in
    *-m*venv*)
        mkdir -p "$3/bin"
        printf "#!/bin/sh\\nexit 1\\n" > "$3/bin/python"
        chmod +x "$3/bin/python" ;;
    esac"""
    machine.has("python3", f"{NEW_PYTHON}\n{make}")
    run = machine.run("install")
    assert run.returncode == 1
    assert "flux is not installed: " in run.stderr
    assert not any(path.is_file() for path in machine.home.rglob("*"))


def test_a_run_of_the_tests_leaves_no_files(machine: Machine) -> None:
    need("bash")
    top = machine.home / "clone"
    (top / ".venv" / "bin").mkdir(parents=True)
    (top / "scripts").mkdir()
    shutil.copy2(SCRIPTS / "run-tests", top / "scripts")
    coverage = top / ".venv" / "bin" / "coverage"
    coverage.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, sys, time\n"
        "pathlib.Path(os.environ['COVERAGE_FILE'] + '.1').touch()\n"
        "pathlib.Path(os.environ['TMPDIR'], 'x').touch()\n"
        "pathlib.Path(os.environ['LEFT_OUT_FILE']).write_text('Left out 1 test: ...\\n')\n"
        "pathlib.Path(os.environ['LOG']).write_text('begun')\n"
        "time.sleep(float(os.environ.get('LASTS', 0)))\n"
        "sys.exit(int(os.environ.get('CODE', 0)))\n"
    )
    coverage.chmod(0o755)
    before = sorted(top.rglob("*"))
    script = top / "scripts" / "run-tests"
    good = machine.run(str(script))
    assert (good.returncode, good.stdout) == (0, "Left out 1 test: ...\n")
    assert machine.run(str(script), CODE="3").returncode == 3
    machine.log.write_text("")
    with subprocess.Popen(
        [script], env=machine.environment | {"LASTS": "60"}, process_group=0
    ) as process:
        while not machine.log.read_text():
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode == 130
    assert list(machine.temporary.iterdir()) == []
    assert sorted(top.rglob("*")) == before
