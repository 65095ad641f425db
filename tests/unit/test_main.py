"""The name that the program was called by, and the commands that it has."""

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from flux_cli.__main__ import called_as
from flux_cli.app import app


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
    group = typer.Typer(help="New.")
    group.command("one")(lambda: None)
    before = get_command(app).list_commands(None)  # type: ignore[attr-defined]
    app.add_typer(group, name="new")
    try:
        output = CliRunner().invoke(app, ["--help"]).output
    finally:
        app.registered_groups.pop()
    listed = [line.split()[0] for line in output.partition("Commands:\n")[2].splitlines() if line]
    assert listed == [*before, "new"]
