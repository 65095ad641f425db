"""`flux_get_task`: one poll of one task."""

from flux_cli.mcp.answers import Answer, task_answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.pages import View
from flux_cli.mcp.parameters import TASK_ID
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.views import DETAIL


def flux_get_task(queries: Queries, call: Call, *, task_id: str, detail: str) -> Answer:
    """Check the state and the result of one Flux generation task, once.

    When to use: for exactly one id. When not to use: for two or more use flux_get_tasks_batch;
    to wait until the task is done use flux_wait_tasks.

    Returns the task, whether it is final, and when to ask again. An unknown id has the state
    not_found; that is no error.
    """
    task, results = queries.look_at_one(task_id, call)
    return task_answer(task, results, View(detail))


TOOL = Tool("Check one Flux task", flux_get_task, {"task_id": TASK_ID, "detail": DETAIL})
