"""What people use today, each in an environment of its own, from the package index."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


FOLDER = Path(__file__).parent / ".peers"
NAMES = ("flux-pro-cli", "acedatacloud", "mcp-flux-pro")


@dataclass(frozen=True, slots=True)
class Peer:
    """An installed peer."""

    name: str
    bin: Path
    version: str


def install_flux() -> Path:
    """Install this checkout as users get it, in an environment of its own; return the program."""
    folder = FOLDER / "flux-tasks"
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--force-reinstall"]
    subprocess.run([*pip, str(FOLDER.parents[1])], check=True, stderr=subprocess.DEVNULL)
    return folder / "bin" / "flux"


def install(name: str) -> Peer:
    """Install a peer unless it is there already."""
    folder = FOLDER / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install_command = [str(python), "-m", "pip", "install", "--quiet", name]
        subprocess.run(install_command, check=True, stderr=subprocess.DEVNULL)
        (folder / "installed").touch()
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    version = subprocess.check_output([python, "-c", code], text=True).strip()
    return Peer(name, folder / "bin", version)
