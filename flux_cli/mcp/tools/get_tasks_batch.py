"""`flux_get_tasks_batch`: one poll of any number of tasks."""

from typing import Any

from flux_cli.mcp.answers import Answer, batch_answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.parameters import TASK_IDS
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.schemas import BATCH
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.views import CURSOR, VIEW, view_of


def flux_get_tasks_batch(
    queries: Queries, call: Call, *, task_ids: list[Any], cursor: str | None, **shown: Any
) -> Answer:
    """Check the states and results of any number of Flux generation tasks, once.

    When to use: to learn which tasks are done, which failed and why, and where the outputs
    are. When not to use: for one task use flux_get_task; to wait until tasks are done use
    flux_wait_tasks rather than calling this in a loop.

    Returns the tasks by state, counts, which ids are open, and when to ask again. Invalid ids
    and duplicates are told of beside the answers.
    """
    return batch_answer(queries.look(task_ids, view_of(cursor=cursor, **shown), call))


TOOL = Tool(
    "Check Flux tasks",
    flux_get_tasks_batch,
    {"task_ids": TASK_IDS, **VIEW, "cursor": CURSOR},
    returns=BATCH,
)
