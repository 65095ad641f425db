"""`flux mcp config`: what has a client start the server, and what the registry is told of it."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from flux_cli import __version__
from flux_cli.errors import ExitCode
from flux_cli.mcp.tools import TOOLS
from tests.support.mcp import INITIALIZE
from tests.support.program import FLUX, Program


ROOT = Path(__file__).parents[2]
CLIENTS = ["claude", "claude-code", "cursor", "vscode", "zed", "codex"]


def command_in(client: str, text: str) -> list[str]:
    """Return the command that a configuration has the client start."""
    if client == "claude-code":
        words = shlex.split(text)
        assert words[:5] == ["claude", "mcp", "add", "flux", "--"]
        return words[5:]
    if client == "codex":
        entry = tomllib.loads(text)["mcp_servers"]["flux"]
    else:
        key = {"vscode": "servers", "zed": "context_servers"}.get(client, "mcpServers")
        entry = json.loads(text)[key]["flux"]
    return [entry["command"], *entry["args"]]


@pytest.mark.parametrize("client", CLIENTS)
def test_the_configuration_starts_this_program(flux: Program, client: str, tmp_path: Path) -> None:
    run = flux("mcp", "config", client).expect(ExitCode.OK)
    assert command_in(client, run.stdout.decode()) == [FLUX, "mcp"]
    assert os.access(FLUX, os.X_OK)
    folder = tmp_path / 'it\'s a "folder"'
    run = flux("mcp", "config", client, "--download-dir", str(folder)).expect(ExitCode.OK)
    assert command_in(client, run.stdout.decode()) == [FLUX, "mcp", "--download-dir", str(folder)]


def test_what_agents_may_spend_is_in_the_configuration(flux: Program, tmp_path: Path) -> None:
    allowed = ("--allow-submit", "--max-tasks", "7", "--journal", str(tmp_path / "journal"))
    run = flux("mcp", "config", "claude", *allowed).expect(ExitCode.OK)
    assert command_in("claude", run.stdout.decode()) == [FLUX, "mcp", *allowed]
    run = flux("mcp", "config", "claude", "--max-tasks", "7").expect(ExitCode.OK)
    assert command_in("claude", run.stdout.decode()) == [FLUX, "mcp"]


def test_a_client_that_is_not_known_is_named(flux: Program) -> None:
    flux("mcp", "config", "nonsense").expect(ExitCode.USAGE, stderr="'nonsense' is not one of")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_portable_configuration_has_no_folder_in_it(flux: Program, client: str) -> None:
    run = flux("mcp", "config", client, "--portable").expect(ExitCode.OK)
    assert command_in(client, run.stdout.decode()) == ["flux-tasks", "mcp"]
    assert not re.search(r"[/\\\\]\w", run.stdout.decode())
    assert "flux-tasks must be on the PATH" in run.stderr


def test_a_server_that_does_not_start_is_not_configured(flux: Program) -> None:
    bad = "http://not-this-machine.example"
    run = flux("mcp", "config", "claude", FLUX_API_BASE_URL=bad)
    run.expect(ExitCode.USAGE, stderr="the server does not start: FLUX_API_BASE_URL")
    assert run.stdout == b""
    assert f"Try it yourself: {FLUX} mcp" in run.stderr


INSTALLED = {  # how: where Python is, whether pip is beside it, and what adds the extra
    "pip": ("/venv/bin/python", True, "/venv/bin/python -m pip install 'flux-tasks[mcp]'"),
    "pipx": ("/x/pipx/venvs/f/bin/python", False, "pipx inject flux-tasks 'flux-tasks[mcp]'"),
    "uv": ("/uv/python", False, "uv pip install --python /uv/python 'flux-tasks[mcp]'"),
}


@pytest.mark.parametrize(("python", "has_pip", "command"), INSTALLED.values(), ids=INSTALLED)
@pytest.mark.parametrize("arguments", [["mcp"], ["mcp", "config", "zed"]])
def test_without_the_extra_a_line_says_how_to_get_it(
    flux: Program,
    arguments: list[str],
    python: str,
    has_pip: bool,
    command: str,
) -> None:
    code = f"import sys; sys.modules['mcp'] = None; sys.executable = {python!r};"
    code += "" if has_pip else "sys.modules['pip'] = None;"
    code += "from flux_cli.__main__ import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=flux.variables({}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (ExitCode.USAGE, "")
    assert run.stderr.endswith(
        f"flux: flux mcp needs the MCP SDK, which is not installed. To add it, run: {command}.\n"
    )


def test_with_the_extra_the_configuration_is_all_there_is(flux: Program) -> None:
    assert "needs" not in flux("mcp", "config", "zed").expect(ExitCode.OK).stderr


# For the registry, and for clients that install bundles

_NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")


def test_the_registry_is_told_what_it_asks_for() -> None:
    """In the shape that the registry documents: what its publisher would refuse."""
    server = json.loads((ROOT / "server.json").read_text())
    assert set(server) <= {"$schema", "name", "title", "description", "version", "packages"}
    assert re.fullmatch(
        r"https://static\.modelcontextprotocol\.io/.*schema\.json", server["$schema"]
    )
    assert _NAME.fullmatch(server["name"])
    assert 3 <= len(server["name"]) <= 200
    assert 1 <= len(server["description"]) <= 100
    assert 1 <= len(server["title"]) <= 100
    assert server["version"] == __version__
    (package,) = server["packages"]
    assert (package["registryType"], package["identifier"]) == ("pypi", "flux-tasks")
    assert package["version"] == __version__
    assert package["transport"] == {"type": "stdio"}
    for argument in (*package["runtimeArguments"], *package["packageArguments"]):
        assert argument["type"] in ("positional", "named")
        assert (argument["type"] == "named") == ("name" in argument)
    for variable in package["environmentVariables"]:
        assert variable["isSecret"] is True
        assert variable["name"] == "FLUX_API_TOKEN"
    assert f"<!-- mcp-name: {server['name']} -->" in (ROOT / "README.md").read_text()


def test_what_the_registry_tells_to_start_starts(flux: Program) -> None:
    """`uvx --from 'flux-tasks[mcp]' flux-tasks mcp`, with the program that is here."""
    (package,) = json.loads((ROOT / "server.json").read_text())["packages"]
    (source,) = package["runtimeArguments"]
    assert source["value"] == f"flux-tasks[mcp]=={__version__}"
    program = Path(FLUX).with_name(package["identifier"])
    words = [a["value"] for a in package["packageArguments"] if a["type"] == "positional"]
    assert greeted([str(program), *words], flux) == "flux"


def test_the_bundle_has_all_that_it_starts_with(flux: Program, tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "scripts" / "make_mcpb.py"), str(tmp_path)]
    made = Path(subprocess.check_output(script, text=True).strip())
    again = made.read_bytes()
    subprocess.run(script, check=True, capture_output=True)
    assert made.read_bytes() == again
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(made) as bundle:
        bundle.extractall(folder)
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    for key in ("manifest_version", "name", "version", "description", "author", "server"):
        assert manifest[key]
    assert manifest["version"] == __version__
    names = [tool["name"] for tool in manifest["tools"]]
    assert names[: len(TOOLS)] == [tool.name for tool in TOOLS]
    assert (folder / manifest["server"]["entry_point"]).is_file()
    assert manifest["user_config"]["token"]["sensitive"] is True
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for name in (*shared, project["project"]["readme"], *project["project"]["license-files"]):
        assert (folder / name).is_file(), name
    code = f"import sys; sys.path.insert(0, {str(folder)!r});"
    code += "from flux_cli.__main__ import main; main()"
    assert greeted([sys.executable, "-c", code, "mcp"], flux, cwd=folder) == "flux"


def greeted(command: list[str], flux: Program, cwd: Path | None = None) -> str:
    """Start a server and return the name that it answers with."""
    run = subprocess.run(
        command,
        input=f"{json.dumps(INITIALIZE)}\n",
        env=flux.variables({}),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    name: str = json.loads(run.stdout.splitlines()[0])["result"]["serverInfo"]["name"]
    return name
