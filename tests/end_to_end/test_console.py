"""What the documentation shows at a prompt is typed at one, in a fresh clone."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest

from flux_cli.sandbox.server import TOKEN, Sandbox
from tests.end_to_end.test_docs import PAGES, TOP, blocks
from tests.support.needs import leave_out, need
from tests.support.program import Program
from tests.support.shell import Shell, await_port


BLOCKS = blocks("console")
NOT_HERE = {"make test": "make -n test"}  # it is what runs this test
LASTING = r"\S*flux (sandbox|mcp --http)\b.*"
PASSED_ON = re.compile(r"(PIP|UV)_\w+|\w+_PROXY|\w+_proxy|SSL_CERT_FILE|LANG|PATH")


def lines(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what is typed in a block, and the lines that are shown for it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the files that a clone has, as they stand here."""
    need("git", "make")
    if not (TOP / ".git").exists():
        leave_out("a clone")
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "clone"
    for name in filter(None, listed.stdout.split("\0")):
        if (TOP / name).exists():  # else it was deleted a moment ago
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, folder / name)
    return folder


@pytest.fixture
def newcomer(flux: Program, clone: Path, sandbox: Callable[..., Sandbox]) -> Iterator[Shell]:
    """A shell in the clone of somebody who has nothing yet, and whose ids are in ids.txt."""
    home = flux.folder / "home"
    home.mkdir()
    server = sandbox()
    (clone / "ids.txt").write_text(server.store.submit({"prompt": "a fox"}).id)
    passed_on = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    environment = {
        **passed_on,
        "PATH": f"{home / '.local' / 'bin'}:{passed_on['PATH']}",
        "HOME": str(home),
        "PYTHON": f"{sys.base_prefix}/bin/python3",
        "XDG_CACHE_HOME": str(platformdirs.user_cache_path()),  # packages are fetched once
        "FLUX_API_BASE_URL": server.base_url,
        "FLUX_CONFIG_DIR": str(flux.config),
    }
    can_reach_index(environment)
    shell = Shell(clone, environment)
    yield shell
    shell.close()


def can_reach_index(environment: dict[str, str]) -> None:
    """Leave the test out where no package can be fetched."""
    run = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "hatchling"],
        env=environment,
        capture_output=True,
        check=False,
    )
    if run.returncode != 0:
        leave_out("a package index")


def enter(shell: Shell, flux: Program, command: str, shown: list[str]) -> str:
    """Type a command of the documentation; return what it prints."""
    await_port(command)
    logs_in = "flux auth login" in command
    expected = shown or (["API token"] if logs_in else [])
    return shell.type(
        command,
        [as_pattern(line, flux) for line in expected],
        answer=TOKEN if logs_in else "",
        lasts=re.fullmatch(LASTING, command) is not None,
    )


def as_pattern(line: str, flux: Program) -> str:
    """Return what a shown line must match; the service and the folder are others here.

    Where tokens of the service are made is not said of another one.
    """
    line = line.replace(" (create one at https://platform.acedata.cloud)", "")
    return (
        re.escape(line)
        .replace(re.escape("token for https://api.acedata.cloud"), r"token for http://\S+")
        .replace(re.escape("/home/you/.config/flux-tasks"), re.escape(str(flux.config)))
    )


def test_every_console_block_runs_as_printed(flux: Program, newcomer: Shell) -> None:
    for name, block in BLOCKS.items():
        for command, shown in lines(block):
            output = enter(newcomer, flux, NOT_HERE.get(command, command), shown)
            if (name, command) == ("README-0", "make demo"):
                follow_the_demo(output, newcomer, flux)


def follow_the_demo(output: str, shell: Shell, flux: Program) -> None:
    """Type what the demo says to type, in the shell that it ran in."""
    steps = re.findall(r"^    (\S*flux .*)$", output, re.MULTILINE)
    assert steps == [
        ".venv/bin/flux auth login",
        ".venv/bin/flux images generate 'a fox' --watch",
        ".venv/bin/flux tasks check -f ids.txt",
        ".venv/bin/flux tasks watch -f ids.txt",
        ".venv/bin/flux tasks download -f ids.txt",
        ".venv/bin/flux tasks check --help",
        ".venv/bin/flux sandbox",
    ]
    for step in steps:
        enter(shell, flux, step, ["export FLUX_API_TOKEN"] if "sandbox" in step else [])


def test_the_first_block_of_each_page_runs_from_a_clone() -> None:
    for page in ("README", "quick-start", "mcp"):
        assert BLOCKS[f"{page}-0"].startswith("$ make "), page


def test_every_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    for page in [*PAGES, TOP / "CONTRIBUTING.md"]:
        named = re.findall(r"(?:`|^\$ )make ((?:[a-z-]+ ?)+)", page.read_text(), re.MULTILINE)
        assert {word for words in named for word in words.split()} <= targets, page.name
