"""`flux mcp` as a process, and the official SDK's client of it: over stdio and over HTTP."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import anyio
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from flux_cli.errors import ExitCode
from tests.support.program import CANARY, FLUX, MEASURED_BY, Program


BATCH, ONE, WAIT = "flux_get_tasks_batch", "flux_get_task", "flux_wait_tasks"
LIST, SHOW, SAVE = "flux_list_tasks", "flux_show_task", "flux_download_outputs"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def program(limits: Mapping[str, float] | None, without: str = "") -> list[str]:
    """Return how to start flux, with other limits of the server than it has, where they are given.

    So that no test has to wait for what lasts a minute. `without` is a module that is not there.
    """
    if limits is None and not without:
        return [FLUX]
    changes = ", ".join(f"{name}={value!r}" for name, value in (limits or {}).items())
    code = (
        "import sys, flux_cli.mcp.limits as limits;"
        f" limits.LIMITS = limits.Limits({changes});"
        f" sys.modules[{without!r}] = None; sys.argv[0] = 'flux';"
        " from flux_cli.__main__ import main; main()"
    )
    return [sys.executable, "-c", code]


@contextlib.contextmanager
def over_http(
    flux: Program,
    *options: str,
    limits: Mapping[str, float] | None = None,
    **changes: str | None,
) -> Iterator[str]:
    """Run the server over HTTP; give its URL. It must end at once when it is told to."""
    command = [*program(limits), "mcp", "--http", "--port", "0", *options]
    environment = flux.variables(changes | dict.fromkeys(MEASURED_BY))
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "flux: MCP server at http://" in line, line
        try:
            yield line.split()[4].rstrip(";")
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            assert process.returncode == ExitCode.TERMINATED, err
            assert out == ""
            assert err == ""


@contextlib.asynccontextmanager
async def connected(
    flux: Program,
    transport: str,
    *options: str,
    limits: Mapping[str, float] | None = None,
    without: str = "",
    elicitation: Any = None,
) -> AsyncIterator[Client]:
    """Give a client of the server over `transport`."""
    if transport == "http":
        with over_http(flux, *options, limits=limits) as url:
            async with Client(url) as client:
                yield client
        return
    log = flux.folder / "mcp.log"
    with log.open("w") as errors:
        command, *arguments = program(limits, without)
        parameters = StdioServerParameters(
            command=command, args=[*arguments, "mcp", *options], env=flux.variables({})
        )
        async with Client(
            stdio_client(parameters, errlog=errors), elicitation_callback=elicitation
        ) as client:
            yield client
    text = log.read_text()
    assert "Traceback" not in text, text
    assert CANARY not in text


def session(
    flux: Program,
    work: Callable[[Client], Awaitable[Any]],
    transport: str = "stdio",
    *options: str,
    limits: Mapping[str, float] | None = None,
    without: str = "",
    elicitation: Any = None,
) -> Any:
    """Run `work` with a client, within a time that no test needs."""

    async def run() -> Any:
        with anyio.fail_after(120):
            async with connected(
                flux,
                transport,
                *options,
                limits=limits,
                without=without,
                elicitation=elicitation,
            ) as client:
                return await work(client)

    return asyncio.run(run())


def call(flux: Program, tool: str, transport: str = "stdio", **arguments: Any) -> Any:
    return session(flux, lambda client: client.call_tool(tool, arguments), transport)


def sentence(result: Any) -> str:
    """Return the text of a tool error."""
    assert result.is_error, result
    text: str = result.content[0].text
    assert CANARY not in text
    assert "\n" not in text
    return text


def tasks_of(answer: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return state and item of every task in an answer, by id."""
    return {item["id"]: (state, item) for state, group in answer["tasks"].items() for item in group}


def sizes(result: Any) -> tuple[int, int]:
    """Return how many characters an answer has as data and as text, as an agent is shown them."""
    data = json.dumps(result.structured_content, ensure_ascii=False)
    return len(data), len(result.content[0].text)
