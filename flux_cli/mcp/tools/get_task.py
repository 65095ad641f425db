"""`flux_get_task`: one poll of one task."""

from flux_cli.mcp.answers import TaskAnswer, task_answer
from flux_cli.mcp.parameters import TaskId
from flux_cli.mcp.queries import Call, Queries


def flux_get_task(queries: Queries, call: Call, *, task_id: TaskId) -> TaskAnswer:
    """Check the state and the result of one Flux generation task, once.

    When to use: for exactly one id. When not to use: for two or more ids use
    flux_get_tasks_batch, which takes one request for 50 of them; to wait until the task is
    done use flux_wait_tasks.

    Returns the record of the task, whether it is final, and how long to wait before asking
    again. An id that the service does not know yields a record with the state not_found, not
    an error.
    """
    return task_answer(queries.poll([task_id], call))
