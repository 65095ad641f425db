"""What the README tells people to type, typed."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Sandbox
from tests.support.program import FLUX, Program


TOP = Path(__file__).parent.parent.parent
README = (TOP / "README.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_run(flux: Program, sandbox: Callable[..., Sandbox], number: int) -> None:
    server = sandbox()
    prompts = ("a fox", "an owl") if "--exec" in EXAMPLES[number] else ("a fox", "will fail")
    ids = [server.store.submit({"prompt": prompt}).id for prompt in prompts]
    (flux.folder / "ids.txt").write_text("\n".join(ids))
    time.sleep(0.05)
    (flux.folder / "bin").mkdir()
    (flux.folder / "bin" / "flux").symlink_to(FLUX)
    path = f"{flux.folder / 'bin'}:{flux.environment['PATH']}"
    run = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", EXAMPLES[number]],
        cwd=flux.folder,
        env=flux.variables({"PATH": path}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "flux: " not in run.stderr
    assert ids[1] in run.stdout or "pending" in EXAMPLES[number] or "exit code 3" in run.stdout
    if "log.txt" in EXAMPLES[number]:
        log = (flux.folder / "log.txt").read_text()
        assert sorted(line.split()[:2] for line in log.splitlines()) == sorted(
            [task_id, "succeeded"] for task_id in ids
        )


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


def test_every_exit_code_is_listed() -> None:
    listed = re.findall(r"^\| ([0-9, ]+) \|", README, re.MULTILINE)
    codes = {int(code) for cell in listed for code in cell.split(",")}
    assert codes == set(ExitCode)


def test_the_pictures_are_fresh(tmp_path: Path) -> None:
    subprocess.run([sys.executable, TOP / "docs/pictures/make.py", tmp_path], check=True)
    for picture in (TOP / "docs" / "pictures").glob("*.svg"):
        assert picture.read_text() == (tmp_path / picture.name).read_text(), "run: make pictures"


def test_python_m_is_the_same_program(flux: Program) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "flux_cli", "--version"],
        env=flux.variables({}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == flux("--version").expect(ExitCode.OK).out
    assert re.fullmatch(r"flux \d+\.\d+\.\d+\n", run.stdout)
