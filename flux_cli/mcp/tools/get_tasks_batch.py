"""`flux_get_tasks_batch`: one poll of any number of tasks."""

from flux_cli.mcp.answers import BatchAnswer, batch_facts
from flux_cli.mcp.parameters import TaskIdList
from flux_cli.mcp.queries import Call, Queries


def flux_get_tasks_batch(queries: Queries, call: Call, *, task_ids: TaskIdList) -> BatchAnswer:
    """Check the state and the results of any number of Flux generation tasks, once.

    When to use: to learn which tasks are done, which failed and why, and where the outputs
    are. When not to use: for one task use flux_get_task; to wait until tasks are done use
    flux_wait_tasks rather than calling this in a loop; to submit tasks use another tool.

    Returns one record for each distinct id in the order given, counts by state, which ids are
    final and which are open, and how long to wait before asking again. Duplicates, invalid
    ids, ids that were not found and ids without an answer are each listed; one bad id never
    fails the call.
    """
    return BatchAnswer(**batch_facts(queries.poll(task_ids, call)))
