"""What comes along with httpx, which every look at a task waits for."""

import subprocess
import sys


def loaded_by(code: str) -> set[str]:
    """Return the modules that there are after `code` has run in a process of its own."""
    code = f"{code}\nimport sys\nprint(*(name for name in sys.modules if sys.modules[name]))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stdout.split())


def test_httpx_comes_without_its_command_line_and_its_own_transport() -> None:
    loaded = loaded_by("from flux_cli.api.http import httpx")
    assert "httpx" in loaded
    assert not loaded & {"httpx._main", "click", "rich", "pygments", "httpcore", "h11", "anyio"}


def test_httpx_would_still_load_its_command_line() -> None:
    """When this fails, httpx has changed, and what `flux_cli.api.http` does can go."""
    assert {"httpx._main", "click", "rich", "pygments"} <= loaded_by("import httpx")
