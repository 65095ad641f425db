"""`flux_wait_tasks`: polls until every task has ended."""

from typing import Any

from flux_cli.mcp.answers import Answer, batch_answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.limits import LIMITS
from flux_cli.mcp.parameters import TASK_IDS, number
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.views import VIEW, view_of


TIMEOUT = number(
    "Maximum seconds to wait. Stay below your client's limit for a call.",
    least=1,
    most=LIMITS.longest_wait,
    default=LIMITS.default_wait,
)


def flux_wait_tasks(
    queries: Queries, call: Call, *, task_ids: list[Any], timeout_seconds: float, **shown: Any
) -> Answer:
    """Wait until Flux generation tasks are done, and return their states.

    When to use: after submitting, instead of asking again and again: it returns as soon as
    every task has ended, and sends progress meanwhile. When not to use: to check just once use
    flux_get_tasks_batch or flux_get_task.

    Returns what flux_get_tasks_batch returns, with timed_out and waited_seconds. When the time
    is over it returns what is known: call it again with open_ids.
    """
    del timeout_seconds  # the call knows
    return batch_answer(queries.wait(task_ids, view_of(**shown), call), waited=True)


TOOL = Tool(
    "Wait for Flux tasks",
    flux_wait_tasks,
    {"task_ids": TASK_IDS, "timeout_seconds": TIMEOUT, **VIEW},
    timeout="timeout_seconds",
)
