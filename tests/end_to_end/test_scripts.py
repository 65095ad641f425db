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
BASICS = "cat chmod dirname env grep ln mkdir mktemp readlink rm rmdir sed sh sleep tail true"
TOOLS = ["bash", "chromium", "curl", "fish", "git", "jq", "parallel", "zsh"]
NEW_PYTHON = """
case $* in
*%d.%d*version_info*) printf python3.11 ;;
--version) echo "Python 3.11.4" ;;
esac
"""
# A real one, but that makes environments without a look at any index.
INSTALLING_PYTHON = f"""
case $* in
*-m*venv*--clear*)
    mkdir -p "$4/bin"
    printf '#!/bin/sh\\neval "$PIP"\\n' > "$4/bin/python"
    chmod +x "$4/bin/python" ;;
*) exec {sys.executable} "$@" ;;
esac
"""
PIP = """
echo pip >> "$LOG"
for name in flux flux-tasks; do
    printf '#!/bin/sh\\necho flux 1.2.3\\n' > "${0%/*}/$name"; chmod +x "${0%/*}/$name"
done
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
            "PIP": PIP,
        }

    def has(self, name: str, code: str) -> None:
        """Put a program there, in the language of the shell."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts; whatever happens it leaves no temporary file."""
        run = self.run_beside(script, *arguments, **changes)
        assert list(self.temporary.iterdir()) == []
        return run

    def run_beside(
        self, script: str, *arguments: str, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts while another one runs."""
        return subprocess.run(
            [SCRIPTS / script, *arguments],
            env=self.environment | changes,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


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


@pytest.mark.parametrize("answer", ["y", "Yes", "n", "", "yikes no"])
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
    assert ("Installing with sudo apt-get" in screen.before) == (answer in {"y", "Yes"})
    assert (machine.log.read_text() != "") == (answer in {"y", "Yes"})


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
    named = machine.run("find-python", PYTHON="/nowhere/my python3")
    assert "and /nowhere/my python3 is not there" in named.stderr


def test_a_python_that_makes_no_environment_is_named(machine: Machine) -> None:
    machine.has("python3", f"case $* in *ensurepip*) exit 1 ;; esac\n{NEW_PYTHON}")
    run = machine.run("make-venv", str(machine.home / "venv"))
    assert run.returncode == 1
    assert "apt-get install python3.11-venv" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def theirs(machine: Machine, name: str, kind: str) -> None:
    """Put a program of somebody else where flux would be."""
    path = machine.home / ".local" / "bin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        path.write_text("/opt/fluxcd/bin/flux")
    else:
        path.symlink_to("/opt/fluxcd/bin/flux")


@pytest.mark.parametrize("kind", ["file", "link"])
@pytest.mark.parametrize("name", ["flux", "flux-tasks"])
def test_what_others_put_in_the_place_of_flux_is_left_alone(
    installing: Machine, kind: str, name: str
) -> None:
    theirs(installing, name, kind)
    installing.has("pipx", MANAGER)
    before = state(installing.home)
    installing.environment["PATH"] = f"{installing.home}/.local/bin:{installing.bin}"
    other = {"flux": "flux-tasks", "flux-tasks": "flux"}[name]
    for _ in range(2):  # the second one replaces the first
        run = installing.run("install")
        assert (run.returncode, run.stderr) == (0, "")
        assert run.stdout.splitlines()[1:] == [
            f"~/.local/bin/{name} belongs to another program and was left alone: use {other}."
        ]
        assert f": flux 1.2.3, as ~/.local/bin/{other}." in run.stdout
        assert state(installing.home).items() >= before.items()
    undone = installing.run("install", "--undo")
    assert undone.stdout.startswith(f"Removed: ~/.local/bin/{other}, ~/.local/share/flux-tasks/")
    assert {path: text for path, text in state(installing.home).items() if text} == {
        f".local/bin/{name}": "/opt/fluxcd/bin/flux"
    }


def test_with_both_names_taken_nothing_is_installed(installing: Machine) -> None:
    theirs(installing, "flux", "file")
    theirs(installing, "flux-tasks", "link")
    before = state(installing.home)
    run = installing.run("install")
    assert (run.returncode, run.stdout) == (1, "")
    assert "~/.local/bin/flux and ~/.local/bin/flux-tasks belong to other programs" in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert state(installing.home) == before


MANAGER = """
echo "$@" >> "$LOG"
env="$HOME/tools/flux-tasks"
case $* in
*environment*|*dir*) echo "$HOME/tools" ;;
*uninstall*) rm -rf "$HOME/.local/bin/flux" "$env" ;;
*install*)
    mkdir -p "$HOME/.local/bin" "$env/bin"
    printf '#!/bin/sh\\necho flux 1.2.3\\n' > "$env/bin/flux"
    chmod +x "$env/bin/flux"
    ln -sf "$env/bin/flux" "$HOME/.local/bin/flux"
    eval "$THEN" ;;
esac
"""


@pytest.fixture
def installing(machine: Machine) -> Machine:
    """A machine on which environments can be made."""
    machine.has("python3", INSTALLING_PYTHON)
    machine.environment["THEN"] = ""
    return machine


def state(folder: Path) -> dict[str, str]:
    """Return every path below a folder, and what is there."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else ""
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("name", ["pipx", "uv"])
def test_flux_is_installed_by_what_is_there(installing: Machine, name: str) -> None:
    installing.has(name, MANAGER)
    run = installing.run("install", EXTRA="mcp", SHELL="/bin/zsh")
    assert (run.returncode, run.stderr) == (0, "")
    path = "Run this line, and add it to your shell's start-up file to keep it:"
    assert run.stdout.splitlines() == [
        f"Installed with {name}: flux 1.2.3, as ~/.local/bin/flux.",
        f"~/.local/bin is not on your PATH. {path}",
        '  export PATH="$HOME/.local/bin:$PATH"',
    ]
    log = installing.log.read_text()
    assert " .[mcp]\n" in log
    assert f" --python {installing.bin}/python3 " in log
    assert "--force" not in log
    installing.environment["PATH"] = f"{installing.home}/.local/bin:{installing.bin}"
    assert len(installing.run("install").stdout.splitlines()) == 1
    before = state(installing.home)
    breaks = 'rm -rf "$env" "$HOME/.local/bin/flux"; echo no such index; exit 1'
    failed = installing.run("install", THEN=breaks, PIP="exit 1")
    assert (failed.returncode, state(installing.home)) == (1, before)
    assert f"{name} failed: flux gets an environment of its own instead." in failed.stderr
    assert "flux is not installed: python failed." in failed.stderr
    installing.has("flux", "another one")
    installing.environment["PATH"] = f"{installing.bin}:{installing.home}/.local/bin"
    assert f"{installing.bin}/flux comes first on your PATH" in installing.run("install").stdout
    undone = installing.run("install", "--undo")
    assert undone.stdout == f"Removed: ~/.local/bin/flux, {name}'s environment\n"
    assert not (installing.home / "tools" / "flux-tasks").exists()


@pytest.mark.parametrize("name", ["pipx", "uv"])
@pytest.mark.parametrize("is_there", [False, True])
def test_where_a_manager_fails_flux_has_an_environment_of_its_own(
    installing: Machine, name: str, is_there: bool
) -> None:
    installing.has(name, MANAGER)
    if is_there:
        assert installing.run("install").returncode == 0
    run = installing.run("install", THEN="echo no such index; exit 1")
    assert run.returncode == 0
    assert run.stderr.splitlines() == [
        "no such index",
        f"{name} failed: flux gets an environment of its own instead.",
    ]
    assert run.stdout.startswith("Installed in ~/.local/share/flux-tasks/made-by-make-")
    assert not (installing.home / "tools" / "flux-tasks").exists()
    installing.run("install", "--undo")
    assert not any(state(installing.home).values())


def test_the_manual_page_is_where_man_looks_for_it(installing: Machine) -> None:
    page = (
        f'{PIP}\nmkdir -p "${{0%/*}}/../share/man/man1"; : > "${{0%/*}}/../share/man/man1/flux.1"'
    )
    link = installing.home / ".local" / "share" / "man" / "man1" / "flux.1"
    for _ in range(2):
        assert installing.run("install", PIP=page).returncode == 0
        assert link.is_symlink()
        assert link.is_file()
    assert "~/.local/share/man/man1/flux.1" in installing.run("install", "--undo").stdout
    assert not any(state(installing.home).values())
    link.write_text("another program's")
    assert installing.run("install", PIP=page).returncode == 0
    installing.run("install", "--undo")
    assert link.read_text() == "another program's"


@pytest.mark.parametrize("name", ["pipx", "uv"])
def test_what_somebody_had_installed_with_a_manager_stays(installing: Machine, name: str) -> None:
    installing.has(name, MANAGER)
    (installing.home / "tools" / "flux-tasks").mkdir(parents=True)
    before = state(installing.home)
    run = installing.run("install")
    assert run.returncode == 1
    assert f"installed with {name} and not by make install" in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert installing.run("install", "--undo").stdout.startswith("There is nothing to remove")
    assert state(installing.home) == before


def test_an_own_environment_is_made_beside_the_old_one(installing: Machine) -> None:
    first = installing.run("install")
    assert first.stdout.startswith("Installed in ~/.local/share/flux-tasks/made-by-make-")
    before = state(installing.home)
    link = installing.home / ".local" / "bin" / "flux"
    for pip in ("exit 1", "true", 'mkdir "${0%/*}/flux"', f': > "{link.parent}/x"; exit 3'):
        assert installing.run("install", PIP=pip).returncode == 1
        (link.parent / "x").unlink(missing_ok=True)
        assert state(installing.home) == before
    old = link.readlink()
    other = installing.home.with_name("other")  # the same folder, spelled differently
    other.symlink_to(installing.home)
    assert installing.run("install", HOME=str(other)).returncode == 0
    assert link.readlink() != old
    assert len(list((installing.home / ".local" / "share" / "flux-tasks").iterdir())) == 1
    theirs = link.with_name("flux-tasks")
    theirs.unlink()
    theirs.symlink_to("/opt/flux-tasks/bin/flux-tasks")
    assert installing.run("install", "--undo").stdout.startswith("Removed: ~/.local/bin/flux, ~/.l")
    assert [path for path in state(installing.home) if "flux" in path] == [".local/bin/flux-tasks"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("is_there", [False, True])
def test_an_installation_that_is_stopped_changes_nothing(
    installing: Machine, number: signal.Signals, is_there: bool
) -> None:
    if is_there:
        installing.run("install")
    installing.log.write_text("")
    before = state(installing.home)
    with subprocess.Popen(
        [SCRIPTS / "install"], env=installing.environment | {"PIP": f"{PIP}\nexec sleep 60"}
    ) as process:
        while not installing.log.read_text():
            time.sleep(0.02)
        second = installing.run_beside("install")
        process.send_signal(number)
    assert process.returncode == 128 + number
    assert state(installing.home) == before
    assert list(installing.temporary.iterdir()) == []
    assert "another make install or make uninstall is at work" in second.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HOME", "home", "HOME is 'home', which is no absolute path"),
        ("HOME", "", "HOME is not set"),
        ("HOME", "/nowhere/home", "which is no folder"),
        ("HOME", "/opt/a\nb", "HOME is '/opt/a\\nb', and no program"),
        ("HOME", '/opt/"', "reads one of its characters as something else"),
        ("XDG_DATA_HOME", "data", "XDG_DATA_HOME is 'data', which is no absolute path"),
    ],
)
def test_a_home_that_cannot_be_used_is_named(
    installing: Machine, name: str, value: str, said: str
) -> None:
    for arguments in ((), ("--undo",)):
        run = installing.run("install", *arguments, **{name: value})
        assert run.returncode == 1
        assert said in run.stderr
        assert len(run.stderr.splitlines()) == 1
    assert state(installing.home) == {}


def test_an_environment_of_another_python_is_made_anew(machine: Machine) -> None:
    venv = machine.home / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").touch()
    for name in ("other", "same"):
        machine.has(name, f"echo {name}")
    stale, fresh = 0, 1
    assert machine.run("is-stale", str(venv)).returncode == stale
    (venv / "bin" / "python").symlink_to(machine.bin / "same")
    assert machine.run("is-stale", str(venv)).returncode == fresh
    assert machine.run("is-stale", str(venv), PYTHON="same").returncode == fresh
    for name in ("other", "/nowhere/python3"):
        assert machine.run("is-stale", str(venv), PYTHON=name).returncode == stale


NAME = """a $(touch pwned) `touch pwned` "b" 'c' %s"""


def test_the_name_of_the_folder_is_never_read_as_code(machine: Machine) -> None:
    need("make")
    top = machine.home / NAME
    (top / ".venv" / "bin").mkdir(parents=True)
    shutil.copy2(SCRIPTS.parent / "Makefile", top)
    shutil.copytree(SCRIPTS, top / "scripts")
    program = top / ".venv" / "bin" / "flux"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$0"\n')
    program.chmod(0o755)
    (top / ".venv" / "bin" / "python").symlink_to("/bin/true")
    for name in (".venv/pyvenv.cfg", "pyproject.toml", ".venv/installed"):
        (top / name).touch()
    for folder, arguments, shown in (
        (top, [], ".venv/bin/flux"),
        (machine.home, ["-C", str(top)], str(program)),
    ):
        run = subprocess.run(
            ["make", "--no-print-directory", *arguments, "demo", f"EXTRA={NAME}", "PYTHON="],
            cwd=folder,
            env=os.environ | {"PWD": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stdout) == (0, f"{shown}\n"), run.stderr
    assert list(machine.home.rglob("pwned")) == []


@pytest.mark.parametrize(
    ("value", "fails"), [("true", True), ("1", True), ("True", True), ("0", False), ("", False)]
)
def test_nothing_is_left_out_in_ci(
    monkeypatch: pytest.MonkeyPatch, value: str, fails: bool
) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception if fails else pytest.skip.Exception):
        need("a program that nobody has")


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
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        machine.log.write_text("")
        with subprocess.Popen(
            [script], env=machine.environment | {"LASTS": "60"}, process_group=0
        ) as process:
            while not machine.log.read_text():
                time.sleep(0.02)
            os.killpg(process.pid, number)
        assert process.returncode == 128 + number
        assert list(machine.temporary.iterdir()) == []
    nowhere = subprocess.run(
        [script], env=machine.environment | {"TMPDIR": "/nowhere"}, capture_output=True, check=False
    )
    assert nowhere.returncode == 1
    assert sorted(top.rglob("*")) == before
