"""Programs with agents: how each wants to be told of the server, and whether it would start."""

import json
import shlex
import subprocess
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from flux_cli import __version__
from flux_cli.errors import UsageError


_STARTING_SECONDS = 60  # a machine may have other things to do
_LONGEST_REASON = 300  # characters


class McpClient(StrEnum):
    """What `flux mcp config` knows."""

    CLAUDE = "claude"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"
    ZED = "zed"
    CODEX = "codex"


INSTRUCTIONS = {
    McpClient.CLAUDE: (
        "add this to claude_desktop_config.json (Settings, Developer), or to .mcp.json of a project"
    ),
    McpClient.CLAUDE_CODE: "run this in the folder of your project, or with --scope user for all",
    McpClient.CURSOR: "add this to ~/.cursor/mcp.json, or to .cursor/mcp.json of a project",
    McpClient.VSCODE: "add this to .vscode/mcp.json of a project (or MCP: Open User Configuration)",
    McpClient.ZED: "add this to settings.json (zed: open settings)",
    McpClient.CODEX: "add this to ~/.codex/config.toml",
}


def configuration(client: McpClient, command: Sequence[str]) -> str:
    """Return what has the client start `command`."""
    program, *arguments = command
    entry: dict[str, Any] = {"command": program, "args": arguments}
    match client:
        case McpClient.CLAUDE_CODE:
            return f"claude mcp add flux -- {shlex.join(command)}\n"
        case McpClient.CODEX:  # strings of JSON are strings of TOML, too
            lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
            return "\n".join(["[mcp_servers.flux]", *lines, ""])
        case McpClient.VSCODE:
            document = {"servers": {"flux": {"type": "stdio", **entry}}}
        case McpClient.ZED:
            document = {"context_servers": {"flux": {"source": "custom", **entry, "env": {}}}}
        case _:
            document = {"mcpServers": {"flux": entry}}
    return f"{json.dumps(document, indent=2)}\n"


def check_start(command: Sequence[str]) -> None:
    """Start the server as a client would, and greet it. Raises UsageError where it does not answer.

    It ends by itself when its stdin does.
    """
    greeting = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "flux", "version": __version__},
        },
    }
    try:
        run = subprocess.run(  # noqa: S603 - the very program that runs
            command,
            input=f"{json.dumps(greeting)}\n".encode(),
            capture_output=True,
            timeout=_STARTING_SECONDS,
            check=False,
        )
    except OSError as error:
        raise _failed(command, str(error.strerror)) from None
    except subprocess.TimeoutExpired:
        raise _failed(command, f"no answer within {_STARTING_SECONDS} seconds") from None
    if not any(map(_is_reply, run.stdout.splitlines())):
        said = run.stderr.decode(errors="replace").strip().splitlines()
        raise _failed(command, said[-1] if said else f"it ended with exit code {run.returncode}")


def _is_reply(line: bytes) -> bool:
    try:
        reply = json.loads(line)
    except ValueError:
        return False
    return isinstance(reply, dict) and "serverInfo" in (reply.get("result") or {})


def _failed(command: Sequence[str], reason: str) -> UsageError:
    reason = reason.removeprefix("flux: ")[:_LONGEST_REASON].rstrip(".")
    return UsageError(
        f"the server does not start: {reason}", hint=f"Try it yourself: {shlex.join(command)}"
    )
