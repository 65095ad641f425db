"""What an agent gets from `flux mcp`, and from the published server, for the same 50 tasks.

`python -m benchmarks agents` measures it alone, and writes docs/mcp.md.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from benchmarks.peers import Peer
from benchmarks.setup import make_ids


PAGE = Path(__file__).parents[1] / "docs" / "mcp.md"
TOOL = "flux_get_tasks_batch"  # has the same name in both
RUNS = 5
_TOKEN = 4  # characters, about


@dataclass(frozen=True, slots=True)
class Server:
    """How to start one."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, as text; the seconds from the start to the first answer, and to the next."""

    tools: int
    listed: str
    text: str
    data: str
    seconds: float
    next_seconds: float


async def ask(server: Server, environment: Mapping[str, str], ids: Sequence[str]) -> Answer:
    """Start a server, and ask it for the tasks as a client does."""
    program, *arguments = server.command
    parameters = StdioServerParameters(command=program, args=arguments, env=dict(environment))
    started = time.perf_counter()
    with open(os.devnull, "w") as nothing:  # noqa: ASYNC230, PTH123 - the null device
        async with Client(stdio_client(parameters, errlog=nothing)) as client:
            result = await client.call_tool(TOOL, {"task_ids": list(ids)})
            first = time.perf_counter()
            await client.call_tool(TOOL, {"task_ids": list(ids)})
            second = time.perf_counter()
            listed = (await client.list_tools()).tools
    assert not result.is_error, result
    texts = [content.text for content in result.content if content.type == "text"]
    data: Any = result.structured_content
    return Answer(
        len(listed),
        json.dumps([tool.model_dump(by_alias=True, exclude_none=True) for tool in listed]),
        "".join(texts),
        "" if data is None else json.dumps(data, ensure_ascii=False),
        first - started,
        second - first,
    )


def table(peer: Peer, flux: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the table of both, for 50 tasks that the service has finished."""
    ids = make_ids(50)
    servers = (
        Server("flux mcp", [str(flux), "mcp"]),
        Server(f"{peer.name} {peer.version}", [str(peer.bin / peer.name)]),
    )
    rows = [
        (
            "| | answer as text, tokens | as data, tokens | ids | states | links | prompts"
            " | first answer, from the start | the next one | tools | their list, tokens |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    answers: dict[str, list[Answer]] = {server.name: [] for server in servers}
    for _ in range(RUNS):  # in turn, as the machine may have other things to do
        for server in servers:
            answers[server.name].append(asyncio.run(ask(server, environment, ids)))
    return [*rows, *(_row(name, made, ids) for name, made in answers.items())]


def _row(name: str, answers: Sequence[Answer], ids: Sequence[str]) -> str:
    answer = answers[0]
    whole = answer.text + answer.data
    has_states = '"succeeded"' in whole or "\tsucceeded" in whole
    data = f"{len(answer.data) // _TOKEN:,}" if answer.data else "none"
    cells = [
        name,
        f"{len(answer.text) // _TOKEN:,}",
        data,
        f"{sum(task_id in whole for task_id in ids)} of {len(ids)}",
        "said" if has_states else "to be derived",
        f"{sum(f'{task_id}.png' in whole for task_id in ids)} of {len(ids)}",
        "begun" if "a lighthouse" in whole and "wide angle" not in whole else "whole",
        _median(each.seconds for each in answers),
        _median(each.next_seconds for each in answers),
        str(answer.tools),
        f"{len(answer.listed) // _TOKEN:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _median(seconds: Iterable[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms"
