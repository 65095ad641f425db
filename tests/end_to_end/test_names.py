"""The names that the program answers to: usage lines and hints show the one it was called by."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.support.fault_server import reply
from tests.support.program import FLUX, Program, decode
from tests.support.records import batch, error_body, running


NAMES = {
    "flux": [FLUX],
    "flux-tasks": [str(Path(FLUX).with_name("flux-tasks"))],
    "python -m flux_cli": [sys.executable, "-m", "flux_cli"],
}
pytestmark = pytest.mark.parametrize("name", NAMES)


def run(
    flux: Program, name: str, *arguments: str, **changes: str | None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program as who calls it by `name` does."""
    return subprocess.run(
        [*NAMES[name], *arguments],
        env=flux.variables(changes),
        cwd=flux.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["tasks", "check", "--help"], ExitCode.OK, "Usage: {} tasks check [OPTIONS]"),
        (["help", "tasks", "watch"], ExitCode.OK, "Usage: {} tasks watch [OPTIONS]"),
        (["--help"], ExitCode.OK, "Examples:\n    {0} demo\n    {0} images generate"),
        (["tasks", "download", "-h"], ExitCode.OK, "-f ids.txt | {0} tasks download -d out\n"),
        (["help", "auth", "login"], ExitCode.OK, "Examples:\n    {0} auth login\n"),
        (["tasks", "quux"], ExitCode.USAGE, "Try: {} tasks --help"),
        (["check", "5"], ExitCode.USAGE, "did you mean: {} tasks check 5?"),
        (["help", "nonsense"], ExitCode.USAGE, "Commands: {} --help"),
        (["auth", "status"], ExitCode.TOKEN, "then run: {} auth login, or set"),
        (["tasks", "check", "an-id"], ExitCode.TOKEN, "then run: {} auth login, or set"),
        (["auth", "login"], ExitCode.USAGE, "Run: {} auth login --with-token < FILE"),
        (
            ["mcp", "config", "zed"],
            ExitCode.OK,
            "The server uses the token saved by: {} auth login",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_usage_lines_and_hints_show_it(
    flux: Program, name: str, arguments: list[str], code: ExitCode, part: str
) -> None:
    shown = run(flux, name, *arguments, FLUX_API_TOKEN=None)
    assert shown.returncode == code
    text = decode(shown.stdout + shown.stderr)
    assert part.format(name) in text.replace(" \\\n      ", " ")  # a long example has two lines


@pytest.mark.parametrize("damage", ["damaged", "rejected"])
def test_what_is_said_of_a_stored_token_shows_it(
    flux: Program, service: Start, name: str, damage: str
) -> None:
    server = service(lambda _: [reply(401, error_body("invalid_token"))])
    entry = {server.url: {"token": "test-token-not-a-secret", "saved_at": 0}}
    text = "{" if damage == "damaged" else json.dumps({"version": 1, "credentials": entry})
    flux.config.mkdir()
    (flux.config / "credentials.json").write_text(text)
    shown = run(flux, name, "tasks", "check", "an-id", FLUX_API_TOKEN=None)
    assert shown.returncode == ExitCode.TOKEN
    assert f"Run: {name} auth login" in decode(shown.stderr)


def test_the_command_to_go_on_with_shows_it(flux: Program, service: Start, name: str) -> None:
    service(lambda r: [reply(200, batch(map(running, r.ids)))])
    shown = run(flux, name, "tasks", "watch", "an-id", "--timeout", "1s")
    assert shown.returncode == ExitCode.TIMED_OUT
    assert f"{name} tasks watch --timeout 1s an-id" in decode(shown.stderr)


def test_it_is_the_same_program(flux: Program, name: str) -> None:
    shown = run(flux, name, "--version")
    assert re.fullmatch(rb"flux \d+\.\d+\.\d+\n", shown.stdout)
    assert shown.returncode == ExitCode.OK


def test_agents_start_the_program_that_was_called(flux: Program, name: str) -> None:
    shown = run(flux, name, "mcp", "config", "zed")
    entry = json.loads(shown.stdout)["context_servers"]["flux"]
    assert [entry["command"], *entry["args"]] == [*NAMES[name], "mcp"]
