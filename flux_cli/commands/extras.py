"""What is installed only where somebody wants it, and the command that adds it."""

import importlib.util
import shlex
import sys
from pathlib import Path


def installation(extra: str) -> str:
    """Return the command that adds `extra` to the environment that this program runs in.

    It holds for an installation from a clone as for a released one: the package itself is there,
    so the extra alone is fetched. Environments of pipx and uv may have no pip.
    """
    python, wanted = shlex.quote(sys.executable), f"flux-tasks[{extra}]"
    if importlib.util.find_spec("pip") is not None:
        return f"{python} -m pip install '{wanted}'"
    if "pipx" in Path(sys.executable).parts:
        return f"pipx inject flux-tasks '{wanted}'"
    return f"uv pip install --python {python} '{wanted}'"
