"""Completion in real shells: what a TAB offers, and what installing it changes."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from flux_cli.errors import ExitCode
from tests.support.needs import need
from tests.support.program import FLUX, Program


SCRIPTS = Path(__file__).parents[2] / "completions"
NAMES = {"bash": "flux.bash", "zsh": "_flux", "fish": "flux.fish", "powershell": "flux.ps1"}
FORMATS = {"auto", "table", "jsonl", "json", "csv", "ids", "urls"}
CASES = {
    "flux ": {"tasks", "auth", "demo", "sandbox", "mcp", "schema", "help"},
    "flux tasks ": {"check", "watch", "download"},
    "flux tasks ch": {"check"},
    "flux auth lo": {"login", "logout"},
    "flux tasks check -o ": FORMATS,
    "flux tasks check --output js": {"json", "jsonl"},
    "flux tasks check --output=js": {"json", "jsonl"},
    "flux tasks watch --until ": {"all", "any"},
    "flux tasks check --state f": {"failed"},
    "flux tasks check --state succeeded,fai": {"succeeded,failed"},
    "flux tasks check an-id --no": set(),
    "flux auth login --no": {"--no-verify"},
    "flux tasks watch --fail": {"--fail-fast"},
    "flux tasks check -o json --re": {"--request-timeout", "--retries"},
    "flux tasks check -f ids-": {"ids-1.txt", "ids-2.csv"},
    "flux tasks check --concurrency ": set(),
    "flux tasks download --max": {"--max-size"},
    "flux tasks download -d pict": {"pictures"},
}


def bash(line: str, folder: Path) -> set[str]:
    """Return what bash offers; it splits words as its own line editor would."""
    words = shlex.split(line.replace("=", " = ")) + ([""] if line.endswith(" ") else [])
    code = (
        f"cd {shlex.quote(str(folder))}; source {SCRIPTS / 'flux.bash'};"
        f" COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1};"
        " _flux flux; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return {line.strip() for line in run.stdout.split("\n") if line.strip()}


def fish(line: str, folder: Path) -> set[str]:
    """Return what fish offers."""
    code = f"source {SCRIPTS / 'flux.fish'}; cd {folder}; complete -C {shlex.quote(line)}"
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        ["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True, env=home
    )
    assert run.stderr == ""
    offered = {line.partition("\t")[0] for line in run.stdout.splitlines()}
    return {word.removeprefix("--output=") for word in offered}


_ZSH_SETUP = """
PROMPT='READY> '
autoload -Uz compinit && compinit -u -D
source {script}
zstyle ':completion:*' list-separator '#'
zstyle ':completion:*' verbose no
unsetopt zle_bracketed_paste
LISTMAX=1000
bindkey '^I' list-choices
"""


def zsh(line: str, folder: Path) -> set[str]:
    """Return what zsh lists, on a real terminal, as its completion runs nowhere else."""
    (folder / ".zshrc").write_text(_ZSH_SETUP.format(script=SCRIPTS / "_flux"))
    shell = pexpect.spawn(
        "zsh",
        ["-i"],
        env={"ZDOTDIR": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        cwd=str(folder),
        encoding="utf-8",
        dimensions=(50, 200),
        timeout=20,
    )
    shell.expect_exact("READY> ")
    shell.send(line)
    shell.expect_exact(line)
    shell.send("\t")
    time.sleep(0.7)
    shell.send("\x15echo DO''NE\r")
    shell.expect_exact("DONE")
    shell.close(force=True)
    shown = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|[\b\a]", " ", shell.before)
    listed = shown.replace("echo DO''NE", " ").replace(line, " ").split()
    begun = line.rsplit(maxsplit=1)[-1].rpartition(",")[0]  # of a list, zsh shows only what it adds
    return {f"{begun},{word}" if begun else word for word in listed if word != "READY>"}


SHELLS: dict[str, Callable[[str, Path], set[str]]] = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.mark.parametrize("line", CASES)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_offers(shell: str, line: str, tmp_path: Path) -> None:
    need(shell)
    for name in ("ids-1.txt", "ids-2.csv", "other"):
        (tmp_path / name).write_text("")
    (tmp_path / "pictures").mkdir()
    offered = {word.rstrip("/") for word in SHELLS[shell](line, tmp_path)}
    assert offered == CASES[line]


@pytest.mark.parametrize("shell", NAMES)
def test_the_scripts_are_fresh(flux: Program, shell: str) -> None:
    shown = flux("--show-completion", shell).expect(ExitCode.OK).stdout
    assert shown == (SCRIPTS / NAMES[shell]).read_bytes(), "run: make completions"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_installing_says_what_it_changes_and_does_it_once(flux: Program, shell: str) -> None:
    home: dict[str, str | None] = {"XDG_DATA_HOME": None, "XDG_CONFIG_HOME": None, "ZDOTDIR": None}
    first = flux("--install-completion", shell, variables=home).expect(ExitCode.OK)
    written = [Path(line.split()[2]) for line in first.stderr.splitlines() if " wrote " in line]
    assert [path.read_bytes() for path in written] == [(SCRIPTS / NAMES[shell]).read_bytes()]
    assert all(flux.folder in path.parents for path in written)
    files = {path: path.read_text() for path in flux.folder.rglob("*") if path.is_file()}
    assert all(str(path) in first.stderr for path in files)
    second = flux("--install-completion", shell, variables=home).expect(ExitCode.OK)
    assert second.stderr == "flux: nothing to change: it is installed already\n"
    assert files == {path: path.read_text() for path in flux.folder.rglob("*") if path.is_file()}


def test_a_line_in_bashrc_is_added_and_nothing_is_lost(flux: Program) -> None:
    need("bash")
    startup = flux.folder / ".bashrc"
    startup.write_text("export MINE=1")  # without a line break at its end
    flux("--install-completion", "bash").expect(ExitCode.OK)
    first, second = startup.read_text().splitlines()
    assert first == "export MINE=1"
    code = f'source "{startup}"; complete -p flux'
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "complete -F _flux flux\n"
    assert second.startswith("source ")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_in_use_is_found(flux: Program, shell: str) -> None:
    need(shell)
    run = subprocess.run(
        [shell, "-c", f"{FLUX} --show-completion; true"],
        env=flux.variables({"SHELL": f"/bin/{shell}"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{shell} completion for flux" in run.stdout


def test_a_shell_without_a_script_is_named(flux: Program) -> None:
    flux("--show-completion", "tcsh").expect(ExitCode.USAGE, stderr="'tcsh' is not one of")
