"""The name that the program was called by, and the commands that it has."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from flux_cli.__main__ import called_as
from flux_cli.app import make_app
from flux_cli.commands.program_name import program_name
from flux_cli.errors import ExitCode
from flux_cli.runtime import Runtime


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("flux", "flux"),
        ("/usr/local/bin/flux", "flux"),
        ("/home/me/.local/bin/flux-tasks", "flux-tasks"),
        ("flux-tasks.exe", "flux-tasks"),
        ("/site-packages/flux_cli/__main__.py", "python -m flux_cli"),
        ("/home/me/bin/f", "flux"),  # a name that a user made up helps nobody in a report
        ("-c", "flux"),
        ("", "flux"),
    ],
)
def test_the_name_it_was_called_by(path: str, name: str) -> None:
    assert called_as(path) == name


def test_a_new_group_stands_in_the_help() -> None:
    """Help lists commands in the order of their registration, groups among them."""
    app = make_app()
    group = typer.Typer(help="New.")
    group.command("one")(lambda: None)
    before = get_command(app).list_commands(None)  # type: ignore[attr-defined]
    app.add_typer(group, name="new")
    output = CliRunner().invoke(app, ["--help"]).output
    listed = re.findall(r"^  (\S+)", output.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == [*before, "new"]


@pytest.mark.parametrize(
    ("origin", "name", "command"),
    [
        (None, "flux-tasks", "uvx flux-tasks"),
        (None, "flux", "uvx --from flux-tasks flux"),
        ({"url": "file:///my%20clone"}, "flux-tasks", "uvx --from '/my clone' flux-tasks"),
        (
            {"url": "https://example.com/flux.git", "vcs_info": {"vcs": "git"}},
            "flux",
            "uvx --from git+https://example.com/flux.git flux",
        ),
    ],
)
def test_the_command_that_works_where_uvx_ran_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    origin: dict[str, Any] | None,
    name: str,
    command: str,
) -> None:
    """Its environment is in a cache, on the PATH of this process and not of the user's shell."""
    environment = tmp_path / "archive-v0" / "x"
    installed = environment / "flux_tasks-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Name: flux-tasks\nVersion: 1.0\n")
    if origin is not None:
        (installed / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(sys, "prefix", str(environment))
    monkeypatch.syspath_prepend(environment)
    program = str(environment / "bin" / name)
    assert called_as(program) == name  # an environment that is in no cache
    (tmp_path / "CACHEDIR.TAG").touch()
    assert called_as(program) == command


def test_what_uvx_is_told_stands_in_hints_and_examples(tmp_path: Path) -> None:
    command = "uvx --from '/my clone' flux"
    runtime = Runtime.of_process(command)
    runtime.environment = {"FLUX_CONFIG_DIR": str(tmp_path)}
    result = CliRunner().invoke(
        make_app(), ["tasks", "check", "an-id-1"], prog_name=command, obj=runtime
    )
    assert program_name(runtime) == command
    assert result.exit_code == ExitCode.TOKEN
    help_text = (
        CliRunner().invoke(make_app(), ["tasks", "check", "--help"], prog_name=command).output
    )
    assert f"Usage: {command} tasks check [OPTIONS]" in help_text
    assert f"  {command} tasks check ID ID\n" in help_text


@pytest.mark.parametrize(
    "words",
    [["--help"], ["-h"], ["tasks", "--help"], ["tasks", "watch", "--help"], ["demo", "--help"]],
    ids=" ".join,
)
def test_help_is_that_of_the_whole_program(words: list[str]) -> None:
    """However little of it is made for the words of one command line."""
    whole = CliRunner().invoke(make_app(), words)
    assert whole.exit_code == 0
    assert CliRunner().invoke(make_app(words), words).output == whole.output


@pytest.mark.parametrize(
    "words", [["task"], ["tasks", "chek"], ["tasks", "check", "--outptu", "csv"], ["auth", "in"]]
)
def test_a_mistake_is_named_as_by_the_whole_program(words: list[str]) -> None:
    whole = CliRunner().invoke(make_app(), words)
    assert whole.exit_code == ExitCode.USAGE
    assert CliRunner().invoke(make_app(words), words).output == whole.output
