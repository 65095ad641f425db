"""What users are told to type starts this very program, wherever they are."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import FLUX, Program


CODE = """
import sys
sys.argv = [sys.argv[1]]
from flux_cli.commands.program_name import program_name
from flux_cli.runtime import Runtime
import os
stderr = type("Stderr", (), {"speaks_unicode": True})
runtime = type("Runtime", (), {"environment": os.environ, "stderr": stderr, "program": "flux"})
print(program_name(runtime))
print(program_name(runtime, elsewhere=True))
"""


def told(flux: Program, called: str, path: Path | None = None) -> list[str]:
    """Return what is told to a user who called the program by `called`: here, and elsewhere."""
    run = subprocess.run(
        [sys.executable, "-c", CODE, called],
        cwd=flux.folder,
        env=flux.variables({"PATH": f"{path}:{os.environ['PATH']}" if path else "/usr/bin:/bin"}),
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()


@pytest.fixture
def folder(flux: Program) -> Path:
    """A folder with a space in its name, and flux in it."""
    folder = flux.folder / "my programs"
    folder.mkdir()
    (folder / "flux").symlink_to(FLUX)
    return folder


def test_its_name_where_the_path_leads_to_it(flux: Program, folder: Path) -> None:
    assert told(flux, str(folder / "flux"), folder) == ["flux", "flux"]
    assert told(flux, FLUX, folder) == ["flux", "flux"]


def test_the_path_as_typed_where_it_does_not(flux: Program, folder: Path) -> None:
    called = "my programs/flux"
    assert told(flux, called) == [shlex.quote(called), shlex.quote(str(folder / "flux"))]


@pytest.mark.usefixtures("folder")
def test_the_path_where_another_program_has_the_name(flux: Program) -> None:
    other = flux.folder / "other"
    other.mkdir()
    (other / "flux").write_text("#!/bin/sh\n")
    (other / "flux").chmod(0o755)
    assert told(flux, "my programs/flux", other)[0] == "'my programs/flux'"


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\x1b[31mb", "a\u202eb", "a\udce9b", "it's!"])
def test_a_folder_of_any_name_is_spelled_on_one_line_that_is_safe(flux: Program, name: str) -> None:
    folder = flux.folder / name
    folder.mkdir()
    (folder / "flux").symlink_to(FLUX)
    for line in told(flux, f"{name}/flux"):
        assert line.isprintable()
        run = subprocess.run(
            ["sh", "-c", f"{line} --version"],
            cwd=flux.folder,
            env=flux.environment,
            capture_output=True,
            check=True,
        )
        assert run.stdout.startswith(b"flux ")


def test_python_where_that_was_typed(flux: Program) -> None:
    expected = f"{shlex.quote(sys.executable)} -m flux_cli"
    assert told(flux, "/x/flux_cli/__main__.py") == [expected, expected]
