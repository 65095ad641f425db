"""Makes the bundle that desktop clients install the MCP server from: `make bundle`.

It holds the source, which the client's uv installs with what it needs.
"""

import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from flux_cli import __version__
from flux_cli.mcp.tools import tools_for


ROOT = Path(__file__).parents[1]
WHAT = (  # all that pyproject.toml names
    *("pyproject.toml", "README.md", "LICENSE", "flux_cli", "completions"),
    *("docs/flux.1", "docs/record.schema.json"),
)
_SERVER = {
    "type": "uv",
    "entry_point": "flux_cli/__main__.py",
    "mcp_config": {
        "command": "uv",
        "args": [
            *("run", "--quiet", "--no-dev", "--extra", "mcp", "--directory", "${__dirname}"),
            *("flux-tasks", "mcp", "--download-dir", "${user_config.folder}"),
        ],
        "env": {"FLUX_API_TOKEN": "${user_config.token}"},
    },
}
_ASKED = {
    "token": {
        "type": "string",
        "title": "API token",
        "description": "From platform.acedata.cloud; empty for that of flux auth login.",
        "sensitive": True,
        "required": False,
        "default": "",
    },
    "folder": {
        "type": "directory",
        "title": "Folder for images and videos",
        "description": "The only folder that files are saved in.",
        "required": False,
        "default": "${HOME}/Downloads",
    },
}


def manifest() -> dict[str, Any]:
    """Return what a client is told of the bundle."""
    return {
        "manifest_version": "0.4",
        "name": "flux-tasks",
        "display_name": "Flux tasks",
        "version": __version__,
        "description": "Flux image and video tasks: check, wait, list, look at and save them.",
        "author": {"name": "The flux-tasks authors"},
        "license": "MIT",
        "server": _SERVER,
        "tools": [
            {"name": tool.name, "description": tool.description.partition("\n")[0]}
            for tool in tools_for(Path())
        ],
        "user_config": _ASKED,
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": ">=3.11"},
        },
    }


def write_bundle(folder: Path) -> Path:
    """Write the bundle into `folder`, the same for the same source; return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"flux-tasks-{__version__}.mcpb"
    files = {"manifest.json": json.dumps(manifest(), indent=2).encode()}
    for name in WHAT:
        for file in sorted([ROOT / name, *(ROOT / name).rglob("*")]):
            if file.is_file() and "__pycache__" not in file.parts:
                files[file.relative_to(ROOT).as_posix()] = file.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, time.gmtime(315532800)[:6])  # the first that zip knows
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            bundle.writestr(entry, data)
    return path


if __name__ == "__main__":
    print(write_bundle(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"))
