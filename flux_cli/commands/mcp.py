"""`flux mcp`: the same engine for agents, as an MCP server."""

import contextlib
import importlib.util
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli import interrupts
from flux_cli.api.ip_rules import is_loopback
from flux_cli.commands import options
from flux_cli.commands.extras import installation
from flux_cli.commands.mcp_clients import (
    INSTRUCTIONS,
    McpClient,
    check_start,
    configuration,
)
from flux_cli.commands.mcp_options import HttpOptions, SpendingOptions
from flux_cli.commands.option_groups import option_groups
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import ExitCode, NoToken, UsageError
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    import socket

    from flux_cli.engine.session import Session


_TOKEN = "FLUX_MCP_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST_TOKEN = 16  # characters
_REQUEST_TIMEOUT = 15.0  # seconds; with the retries less than the minute that clients wait
_RETRIES = 2  # agents, and their clients, are less patient than people
_NOT_INSTALLED = "flux mcp needs the MCP SDK, which is not installed"
_PORTABLE = "flux-tasks"  # a name that no other program has
DownloadDir = Annotated[
    Path | None,
    typer.Option(metavar="DIR"),
    "Offer a tool that saves outputs in this folder, and nowhere else.",
]

group = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="""Run an MCP server for AI agents, over stdio or HTTP.

    \b
    Examples:
      flux mcp
      flux mcp --http --port 8000
      flux mcp config claude

    Clients start it over stdio; `flux mcp config` prints the configuration they
    need. It uses the same token and service as the other commands. With --http
    it listens on this machine, in the example at http://127.0.0.1:8000/mcp; any
    other address requires a bearer token in FLUX_MCP_TOKEN. Needs the mcp
    extra; without it, flux mcp prints how to install it.
    """,
)


@group.callback()
@option_groups
def serve(
    ctx: typer.Context,
    listening: HttpOptions,
    spending: SpendingOptions,
    download_dir: DownloadDir = None,
    request_timeout: Annotated[
        float,
        options.duration(0.1, 3600),
        "Maximum time for one request to the service. [default: 15s]",
    ] = _REQUEST_TIMEOUT,
    profile: options.Profile = None,
    base_url: options.BaseUrl = None,
    debug: options.Debug = False,
) -> None:
    """Serve until the client leaves or a signal comes."""
    if ctx.invoked_subcommand is not None:
        return
    if hint := _missing():
        raise UsageError(_NOT_INSTALLED, hint=hint)
    runtime: Runtime = ctx.obj
    with contextlib.suppress(NoToken):  # which callers are told, as it may be mended meanwhile
        runtime.account(base_url, profile)  # a bad service or profile is said now
    folder = None if download_dir is None else _folder(download_dir)
    host = listening.host
    bearer = _bearer(runtime, host) if listening.http else None  # before anybody can connect
    listener = _listen(host, listening.port) if listening.http else None

    from flux_cli.mcp.queries import Queries
    from flux_cli.mcp.server import make_server, serve_stdio
    from flux_cli.mcp.spending import Spending
    from flux_cli.mcp.submitting import Submissions
    from flux_cli.mcp.tools import tools_for

    settings = ServiceSettings(
        request_timeout=request_timeout,
        retries=_RETRIES,
        profile=profile,
        base_url=base_url,
        debug=debug,
    )

    def open_session(pause: float, patience: float) -> "Session":
        runtime.credentials.load(anew=True)  # somebody may have logged in or out meanwhile
        return runtime.session(settings, pause=pause, patience=patience)

    queries = Queries(
        open_session,
        sanitized=runtime.stderr.sanitized,
        now=runtime.now,
        clock=runtime.clock,
    )
    submissions = None
    if spending.allow_submit:
        submissions = Submissions(
            lambda: runtime.open_journal(spending.journal), Spending(spending.max_tasks)
        )
    server = make_server(queries, tools=tools_for(folder, submissions))
    if listener is None:
        _end_on_signals()
        serve_stdio(server)
        return
    from flux_cli.mcp.web import serve_http

    number = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    runtime.stderr.line(f"flux: MCP server at http://{shown}:{number}/mcp; press Ctrl-C to stop.")
    with interrupts.cuttable():  # the server handles signals itself, and hands them on at its end
        serve_http(server, listener, host=host, token=bearer)


@group.command()
@option_groups
def config(
    ctx: typer.Context,
    client: Annotated[
        McpClient,
        typer.Argument(metavar="CLIENT"),
        "claude, claude-code, cursor, vscode, zed or codex.",
    ],
    spending: SpendingOptions,
    download_dir: DownloadDir = None,
    portable: Annotated[
        bool, "Name the program without its folder, for a file that others use too."
    ] = False,
    profile: options.Profile = None,
) -> None:
    """Print the configuration that adds this server to an MCP client.

    Starts the server once, to check that it works.

    \b
    Examples:
      flux mcp config cursor
      flux mcp config claude-code --download-dir ~/Pictures/flux
    """
    runtime: Runtime = ctx.obj
    if hint := _missing():
        raise UsageError(_NOT_INSTALLED, hint=hint)
    given = ctx.parent.params if ctx.parent else {}
    arguments = ["mcp"]
    if name := profile or given.get("profile"):
        arguments += ["--profile", runtime.stored_account(None, name).profile_name]
    if folder := download_dir or given.get("download_dir"):
        arguments += ["--download-dir", str(folder if portable else _folder(folder))]
    arguments += spending.arguments(is_portable=portable)
    with interrupts.cuttable():
        check_start([*_program(), *arguments])
    program = [_PORTABLE] if portable else _program()
    runtime.stdout.write_text(configuration(client, [*program, *arguments]))
    runtime.stderr.note(
        f"flux: {INSTRUCTIONS[client]}. The server uses the token saved by:"
        f" {runtime.program} auth login"
    )
    if portable:
        runtime.stderr.note(f"flux: {_PORTABLE} must be on the PATH of whoever uses it.")


def _folder(path: Path) -> Path:
    """Return the folder for files, which is there afterwards. Raises UsageError."""
    try:
        folder = path.expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "not a valid folder"
        raise UsageError(
            f"{path}: {reason.lower()}", hint="Choose another folder with --download-dir"
        ) from None
    return folder


def _missing() -> str:
    """Return how to add the SDK if it is not there, else nothing."""
    is_there = importlib.util.find_spec("mcp") is not None
    return "" if is_there else f"To add it, run: {installation('mcp')}"


def _program() -> list[str]:
    """Return how to start this very program: clients have neither the user's PATH nor folder."""
    import shutil

    found = shutil.which(sys.argv[0])  # not "flux", which may be another program
    return [str(Path(found).absolute())] if found else [sys.executable, "-m", "flux_cli"]


def _end_on_signals() -> None:
    """End at once on Ctrl-C and SIGTERM: who reads stdin in a thread cannot be woken.

    Nothing is lost: there is only a question whose answer nobody waits for.
    """
    interrupts.check()
    for number, code in (
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
    ):
        signal.signal(number, partial(_leave, code))


def _leave(code: ExitCode, *_: object) -> None:
    os._exit(code)


def _bearer(runtime: Runtime, host: str) -> str | None:
    """Return the token that callers must have; None on this machine without one."""
    token = runtime.environment.get(_TOKEN, "").strip()
    if not token:
        if is_loopback(host):
            return None
        raise UsageError(
            f"{_TOKEN}: is not set, so anybody who can reach {host} could use your token",
            hint=f"Set {_TOKEN} to a long random string, which clients send as a bearer token",
        )
    if len(token) < _SHORTEST_TOKEN or not (token.isascii() and token.isprintable()):
        raise UsageError(
            f"{_TOKEN}: must be at least {_SHORTEST_TOKEN} printable ASCII characters",
            hint="Use a long random string of letters and digits",
        )
    if runtime.stderr.has_secret(token):
        raise UsageError(
            f"{_TOKEN}: is the API token, which callers must not be given",
            hint="Use another long random string",
        )
    return token


def _listen(host: str, port: int) -> "socket.socket":
    import socket

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "not a valid host"
        raise UsageError(
            f"{host}, port {port}: {reason.lower()}",
            hint="Choose another port with --port, or let --port 0 pick a free one",
        ) from None
