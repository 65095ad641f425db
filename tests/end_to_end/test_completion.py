"""Completion in real shells: what a TAB offers, and what installing it changes."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest
from typer.main import get_command

from flux_cli.app import make_app
from flux_cli.completion.shells import Shell, make_script
from flux_cli.completion.tree import Command, Option, Value
from flux_cli.errors import ExitCode
from flux_cli.output.formats import Format
from tests.support.needs import leave_out, need
from tests.support.patience import LONGEST
from tests.support.program import FLUX, MEASURED_BY, Program
from tests.support.rights import restrained
from tests.support.terminal import Terminal


SCRIPTS = Path(__file__).parents[2] / "completions"
NAMES = {"bash": "flux.bash", "zsh": "_flux", "fish": "flux.fish", "powershell": "flux.ps1"}
SECOND_NAMES = {"bash": "flux-tasks.bash", "fish": "flux-tasks.fish"}
BASH_SCRIPT = Path(".local/share/bash-completion/completions/flux")
COMMANDS: Any = get_command(make_app())
CASES = {
    "flux ": set(COMMANDS.commands),
    "flux tasks ": set(COMMANDS.commands["tasks"].commands),
    "flux tasks ch": {"check"},
    "flux auth lo": {"login", "logout"},
    "flux tasks check -o ": set(Format),
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
        f' registered="$(complete -p {words[0]})"; registered="${{registered#*-F }}";'
        f" ${{registered%% *}} {words[0]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
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
list-and-say-so() {{ zle list-choices; zle -R; print -n LIST''ED }}
zle -N list-and-say-so
bindkey '^I' list-and-say-so
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
        timeout=LONGEST,
    )
    shell.expect_exact("READY> ")
    shell.send(line)
    shell.expect_exact(line)
    shell.send("\t")
    shell.expect_exact("LISTED")
    shell.close(force=True)
    shown = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|[\b\a]", " ", shell.before)
    listed = shown.replace(line, " ").split()
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


@pytest.mark.parametrize("line", ["flux tasks ", "flux tasks check --output=js", "flux auth lo"])
@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_offers_the_same_for_the_second_name(shell: str, line: str, tmp_path: Path) -> None:
    second = line.replace("flux", "flux-tasks")
    assert SHELLS[shell](second, tmp_path) == CASES[line]


@pytest.mark.parametrize("shell", NAMES)
def test_the_scripts_are_fresh(flux: Program, shell: str) -> None:
    shown = flux("--show-completion", shell).expect(ExitCode.OK).stdout
    assert shown == (SCRIPTS / NAMES[shell]).read_bytes(), "run: make completions"


@pytest.mark.parametrize("shell", NAMES)
def test_installing_says_what_it_changes_and_does_it_once(flux: Program, shell: str) -> None:
    first = flux("--install-completion", shell).expect(ExitCode.OK)
    written = [Path(line.split()[2]) for line in first.stderr.splitlines() if " wrote " in line]
    sources = [SCRIPTS / names[shell] for names in (NAMES, SECOND_NAMES) if shell in names]
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in sources]
    assert all(flux.folder in path.parents for path in written)
    files = {path: path.read_text() for path in flux.folder.rglob("*") if path.is_file()}
    assert all(str(path) in first.stderr for path in files)
    second = flux("--install-completion", shell).expect(ExitCode.OK)
    assert second.stderr == "flux: already installed; nothing to change\n"
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


def test_bash_finds_the_script_by_either_name(flux: Program) -> None:
    """bash-completion loads a file that is named like the command, at the first TAB."""
    flux("--install-completion", "bash").expect(ExitCode.OK)
    for name in ("flux", "flux-tasks"):
        script = flux.folder / BASH_SCRIPT.with_name(name)
        code = f"source '{script}'; complete -p {name}"
        run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout == f"complete -F _flux {name}\n"


def test_fish_finds_the_script_by_either_name(flux: Program) -> None:
    need("fish")
    flux("--install-completion", "fish").expect(ExitCode.OK)
    for name in ("flux", "flux-tasks"):
        alone = flux.folder / f"{name}-alone"  # fish looks for scripts of commands that there are
        alone.mkdir()
        (alone / name).symlink_to(Path(FLUX).with_name(name))
        run = subprocess.run(
            ["fish", "-c", f"complete -C '{name} tasks ch'"],
            env=flux.variables({"PATH": f"{alone}:/usr/bin:/bin"}),
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.split()[0] == "check"


FOREIGN = "# completion for another program of this name\n"


def with_foreign_script(flux: Program) -> Path:
    script = flux.folder / BASH_SCRIPT
    script.parent.mkdir(parents=True)
    script.write_text(FOREIGN)
    return script


def test_a_script_of_another_program_stays_where_nobody_can_be_asked(flux: Program) -> None:
    script = with_foreign_script(flux)
    run = flux("--install-completion", "bash").expect(ExitCode.USAGE, stderr=str(script))
    assert "was not written by flux, and was not replaced. Move it away" in run.stderr
    assert run.stderr.count("\n") == 1
    assert [path for path in flux.folder.rglob("*") if path.is_file()] == [script]
    assert script.read_text() == FOREIGN


@pytest.mark.parametrize(
    ("reply", "code"),
    [("y\r", ExitCode.OK), ("n\r", ExitCode.USAGE), ("\r", ExitCode.USAGE)],
)
def test_who_is_at_the_terminal_is_asked(flux: Program, reply: str, code: ExitCode) -> None:
    script = with_foreign_script(flux)
    terminal = Terminal(flux, "--install-completion", "bash", columns=200)
    terminal.expect(f"flux: {script} was not written by flux. Replace it? [y/N]: ")
    terminal.type(reply)
    assert terminal.end().code == code
    ours = (SCRIPTS / NAMES["bash"]).read_text()
    assert script.read_text() == (ours if code is ExitCode.OK else FOREIGN)
    assert (flux.folder / ".bashrc").exists() == (code is ExitCode.OK)


def script_of_last_year() -> str:
    """Return a script as another version of flux writes it."""
    last_year = Command("flux", "", (Option(("--old",), "Do.", Value.NONE, ""),))
    return make_script(Shell.ZSH, last_year)


def test_a_script_of_an_older_flux_is_replaced_unasked(flux: Program) -> None:
    flux("--install-completion", "zsh").expect(ExitCode.OK)
    script = flux.folder / ".local" / "share" / "flux-tasks" / "_flux"
    script.write_text(script_of_last_year())
    flux("--install-completion", "zsh").expect(ExitCode.OK, stderr=f"wrote {script}")
    assert script.read_text() == (SCRIPTS / "_flux").read_text()


def test_links_to_where_somebody_keeps_these_files_stay(flux: Program) -> None:
    kept = flux.folder / "dotfiles"
    kept.mkdir()
    (flux.folder / ".bashrc").symlink_to(kept / "bashrc")
    script = flux.folder / BASH_SCRIPT
    script.parent.mkdir(parents=True)
    (kept / "flux").write_text(script_of_last_year())
    script.symlink_to(kept / "flux")
    (kept / "bashrc").write_bytes(b"export MINE=\xe9\n")  # of a time before UTF-8
    (kept / "bashrc").chmod(0o600)
    flux("--install-completion", "bash").expect(ExitCode.OK)
    assert script.is_symlink()
    assert (flux.folder / ".bashrc").is_symlink()
    assert (kept / "flux").read_text() == (SCRIPTS / NAMES["bash"]).read_text()
    assert (kept / "bashrc").read_bytes().startswith(b"export MINE=\xe9\nsource ")
    assert (kept / "bashrc").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("edit", ["a line at its end", "a line in it"])
def test_a_script_that_was_edited_is_not_replaced_unasked(flux: Program, edit: str) -> None:
    flux("--install-completion", "bash").expect(ExitCode.OK)
    script = flux.folder / BASH_SCRIPT
    mine = "# mine\n"
    text = script.read_text()
    edited = text + mine if edit == "a line at its end" else text.replace("\n", f"\n{mine}", 1)
    script.write_text(edited)
    run = flux("--install-completion", "bash").expect(ExitCode.USAGE)
    assert f"{script}: was edited since flux wrote it, and was not replaced." in run.stderr
    assert script.read_text() == edited


def linked_script(flux: Program, content: str | None) -> tuple[Path, Path]:
    """Make a link where the script belongs; return it, and the file that it leads to."""
    script, kept = flux.folder / BASH_SCRIPT, flux.folder / "kept"
    script.parent.mkdir(parents=True)
    script.symlink_to(kept)
    if content is not None:
        kept.write_text(content)
    return script, kept


@pytest.mark.parametrize(
    ("content", "says"),
    [(FOREIGN, "was not written by flux. Replace it?"), (None, "does not exist. Create it?")],
)
@pytest.mark.parametrize("reply", ["y", "n"])
def test_the_question_names_where_a_link_leads(
    flux: Program, content: str | None, says: str, reply: str
) -> None:
    script, kept = linked_script(flux, content)
    terminal = Terminal(flux, "--install-completion", "bash", columns=400)
    terminal.expect(f"flux: {script}, which is a link to {kept}, {says} [y/N]: ")
    terminal.type(f"{reply}\r")
    assert terminal.end().code == (ExitCode.OK if reply == "y" else ExitCode.USAGE)
    ours = (SCRIPTS / NAMES["bash"]).read_text()
    assert script.is_symlink()
    assert (kept.read_text() if kept.exists() else None) == (ours if reply == "y" else content)
    assert (flux.folder / ".bashrc").exists() == (reply == "y")


def test_a_file_that_changes_while_the_question_waits_stays(flux: Program) -> None:
    script, kept = linked_script(flux, FOREIGN)
    terminal = Terminal(flux, "--install-completion", "bash", columns=400)
    terminal.expect("Replace it? [y/N]: ")
    other = flux.folder / "other"
    other.write_text("of great value\n")
    script.unlink()
    script.symlink_to(other)
    terminal.type("y\r")
    assert terminal.end().code == ExitCode.OUTPUT
    assert other.read_text() == "of great value\n"
    assert kept.read_text() == FOREIGN


@pytest.mark.parametrize("name", [".bashrc", str(BASH_SCRIPT)])
def test_a_link_to_a_file_of_somebody_else_is_not_written_through(flux: Program, name: str) -> None:
    if os.geteuid() != 0:
        leave_out("root, to make a file of another user")
    theirs, link = flux.folder / "theirs", flux.folder / name
    theirs.write_text("# theirs\n")
    os.chown(theirs, 12345, -1)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(theirs)
    run = flux("--install-completion", "bash").expect(ExitCode.OUTPUT)
    assert f"{link}: is a link to {theirs}, which belongs to another user" in run.stderr
    assert theirs.read_text() == "# theirs\n"
    files = {path for path in flux.folder.rglob("*") if path.is_file()}
    assert files == {link, theirs}


def test_a_start_up_file_that_is_read_only_is_noticed_before_anything_is_written(
    flux: Program,
) -> None:
    startup = flux.folder / ".bashrc"
    startup.write_text("export MINE=1\n")
    startup.chmod(0o444)
    run = subprocess.run(
        [FLUX, "--install-completion", "bash"],
        env=flux.variables({}),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=restrained,
    )
    assert run.returncode == ExitCode.OUTPUT
    assert run.stderr == f"flux: {startup}: cannot be written: Permission denied.\n"
    assert [path for path in flux.folder.rglob("*") if path.is_file()] == [startup]


@pytest.mark.parametrize("end", ["export MINE=1 \\\n", "export MINE=1 \\", "export MINE=1"])
def test_the_line_that_is_added_is_never_the_rest_of_another(flux: Program, end: str) -> None:
    need("bash")
    startup = flux.folder / ".bashrc"
    startup.write_text(f"# mine\n{end}")
    flux("--install-completion", "bash").expect(ExitCode.OK)
    code = f'source "{startup}"; complete -p flux; echo "$MINE"'
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "complete -F _flux flux\n1\n"
    assert startup.read_text().startswith(f"# mine\n{end}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_xdg_folders_that_are_relative_count_as_unset(flux: Program, shell: str) -> None:
    relative: dict[str, str | None] = {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "./config"}
    flux("--install-completion", shell, variables=relative).expect(ExitCode.OK)
    files = [path for path in flux.folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.is_relative_to(flux.folder / ".local/share") or (
            path.is_relative_to(flux.folder / ".config") or path.name in {".bashrc", ".zshrc"}
        )
    for name in (".bashrc", ".zshrc"):
        if (flux.folder / name).exists():
            assert f"source '{flux.folder}/" in (flux.folder / name).read_text()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("HOME", "home", "HOME: home is not an absolute path. Set it to your home folder."),
        ("HOME", "/dev/null/x", "HOME: /dev/null/x is not a folder. Set it to your home folder."),
        (
            "ZDOTDIR",
            "zsh",
            "ZDOTDIR: zsh is not an absolute path. Set it to an absolute path.",
        ),
    ],
)
def test_a_home_that_is_none_is_one_line(
    flux: Program, variable: str, value: str, says: str
) -> None:
    run = flux("--install-completion", "zsh", variables={variable: value}).expect(ExitCode.USAGE)
    assert run.stderr == f"flux: {says}\n"
    assert [path for path in flux.folder.rglob("*") if path.is_file()] == []


def test_bash_offers_names_as_they_are(tmp_path: Path) -> None:
    """No name is a pattern, and none is cut where it has a line break."""
    need("bash")
    for name in ("ids-*", "ids-[1]", "ids-1 2", "ids-a\nids-b"):
        (tmp_path / name).write_text("")
    assert bash("flux tasks check -f ids-", tmp_path) == {"ids-*", "ids-[1]", "ids-1 2"}


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (Path.mkdir, "is not a regular file"),
        (make_pipe, "is not a regular file"),
        (lambda path: path.symlink_to(os.devnull), "is not a regular file"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (lambda path: path.write_text("$a = 1\n", encoding="utf-16"), "is not UTF-8"),
    ],
    ids=["folder", "pipe", "nowhere", "loop", "utf-16"],
)
def test_a_start_up_file_that_cannot_be_added_to_is_named(
    flux: Program, make: Callable[[Path], object], part: str
) -> None:
    startup = flux.folder / ".bashrc"
    make(startup)
    run = flux("--install-completion", "bash").expect(ExitCode.OUTPUT, stderr=f"{startup}: {part}")
    assert run.stderr.count("\n") == 1
    assert not (flux.folder / BASH_SCRIPT).exists()


def without_room(flux: Program) -> str:
    """Install completion where no file can be longer than a kilobyte; return what is said."""
    run = subprocess.run(
        ["bash", "-c", f"ulimit -f 1; exec {FLUX} --install-completion bash"],
        env=flux.variables(dict.fromkeys(MEASURED_BY)) | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == ExitCode.OUTPUT
    return run.stderr


def test_a_line_for_which_there_is_no_room_is_added_whole_or_not_at_all(flux: Program) -> None:
    flux("--install-completion", "bash").expect(ExitCode.OK)
    startup = flux.folder / ".bashrc"
    before = "# mine\n".ljust(1020, "#") + "\n"  # a limit of 1024 bytes leaves room for three
    startup.write_text(before)
    assert without_room(flux) == f"flux: {startup}: cannot be written: File too large.\n"
    assert startup.read_text() == before


def test_a_script_for_which_there_is_no_room_leaves_nothing(flux: Program) -> None:
    script = flux.folder / BASH_SCRIPT
    assert without_room(flux) == f"flux: {script}: cannot be written: File too large.\n"
    assert [path for path in flux.folder.rglob("*") if path.is_file()] == []


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
