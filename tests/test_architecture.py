"""What the parts may import, and what a command loads: start-up is felt at every call."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fault_server import FaultServer
from tests.support.program import CANARY


PACKAGE = Path(__file__).parent.parent / "flux_cli"
LAYERS = {  # a part may import from parts with a lower number, and from itself
    "errors": 0,
    "token": 1,
    "readiness": 0,
    "interrupts": 1,
    "storage": 2,
    "models": 1,
    "api": 3,
    "completion": 3,
    "input": 3,
    "config": 4,
    "engine": 4,
    "output": 4,
    "sandbox": 4,
    "mcp": 5,
    "runtime": 5,
    "commands": 6,
    "app": 7,
    "__main__": 8,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def imports(path: Path) -> set[str]:
    """Return the full names of the modules that a file imports, type checking included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for name in imports(path):
        if name.startswith("flux_cli.") and name != "flux_cli.__version__":
            other = part(name)
            if other != "__version__":
                assert other == own or LAYERS[other] < LAYERS[own], f"{own} imports {name}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("httpx", {"api"}),
        ("rich", {"output"}),
        ("PIL", {"output"}),
        ("typer", {"app", "commands"}),
        ("platformdirs", {"runtime"}),
        ("click", set()),
        ("http.server", {"sandbox"}),
        ("mcp", {"mcp"}),
        ("pydantic", {"mcp"}),
        ("uvicorn", {"mcp"}),
    ],
)
def test_libraries_stay_in_their_part(library: str, allowed: set[str]) -> None:
    for path in MODULES:
        if any(name == library or name.startswith(f"{library}.") for name in imports(path)):
            assert path.relative_to(PACKAGE).with_suffix("").parts[0] in allowed, path


def test_only_the_runtime_reads_the_environment() -> None:
    for path in MODULES:
        source = path.read_text()
        if "os.environ" in source or "getenv" in source:
            assert path.name == "runtime.py", path


def test_no_module_is_longer_than_300_lines() -> None:
    long = {str(path): n for path in MODULES if (n := path.read_text().count("\n")) > 300}
    assert not long


MOST_PARAMETERS = 10


def test_no_function_of_a_command_has_more_than_ten_parameters() -> None:
    for path in (PACKAGE / "commands").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                count = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
                assert count <= MOST_PARAMETERS, f"{path}: {node.name} has {count}"


@pytest.mark.parametrize(
    "name", ["Client", "FileClient", "Throttle", "Check", "Watch", "Downloader"]
)
def test_only_the_session_makes_what_a_query_needs(name: str) -> None:
    for path in MODULES:
        made = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == name
        ]
        assert not made or path == PACKAGE / "engine" / "session.py", path


def test_no_module_uses_a_private_name_of_another_part() -> None:
    for path in MODULES:
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for name in imports(path):
            if name.startswith("flux_cli.") and part(name) != own:
                words = [word for word in name.split(".") if not word.startswith("__")]
                assert not any(word.startswith("_") for word in words), f"{path}: {name}"


def loaded_by(*arguments: str, **environment: str) -> set[str]:
    """Return the top-level modules that `flux ARGUMENTS` has loaded when it ends."""
    code = (
        "import os, sys\n"
        "leave = os._exit\n"
        "def end(code):\n"
        "    print(*sorted(sys.modules), sep='\\n', file=sys.stderr, flush=True)\n"
        "    leave(code)\n"
        "os._exit = end\n"
        "from flux_cli.__main__ import main\n"
        "main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={"FLUX_API_TOKEN": CANARY, **environment},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {line.partition(".")[0] for line in run.stderr.splitlines()} | set(
        run.stderr.splitlines()
    )


def test_version_loads_nothing_heavy() -> None:
    """`flux --version` answers in the time that Python takes to start.

    Loading typer alone takes three times as long, rich and httpx more than that.
    """
    assert not loaded_by("--version") & {"rich", "httpx", "typer", "asyncio", "platformdirs"}


def test_help_loads_neither_rich_nor_httpx() -> None:
    loaded = loaded_by("tasks", "check", "--help")
    assert not loaded & {"rich", "httpx", "httpcore", "http.server", "asyncio"}


def test_json_lines_do_not_load_rich_and_the_table_does() -> None:
    with FaultServer() as server:
        arguments = ("tasks", "check", "an-id", "-o")
        lines = loaded_by(*arguments, "jsonl", FLUX_API_BASE_URL=server.url)
        table = loaded_by(*arguments, "table", FLUX_API_BASE_URL=server.url)
    assert not lines & {"rich", "asyncio", "platformdirs", "http.server", "pydantic", "secrets"}
    assert not (lines | table) & {
        "mcp",
        "click",
        "pydantic",
        "playwright",
        "httpcore",
        "certifi",
        "PIL",
    }
    assert not lines & {
        "flux_cli.engine.download",
        "flux_cli.models.file_names",
        "flux_cli.output.live",
        "flux_cli.sandbox.server",
        "flux_cli.completion.zsh",
        "flux_cli.commands.auth",
        "flux_cli.commands.completion",
        "flux_cli.commands.mcp",
        "flux_cli.commands.tasks.watch",
    }
    assert not table & {"asyncio", "platformdirs", "http.server", "pydantic", "secrets"}
    assert not table & {"pygments", "markdown_it", "flux_cli.output.live"}
    assert "rich" in table
    assert "httpx" in lines
