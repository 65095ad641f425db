"""`flux_wait_tasks`: polls until every task has ended."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from flux_cli.errors import UsageError
from flux_cli.mcp.answers import WaitAnswer, batch_facts
from flux_cli.mcp.parameters import TaskIdList
from flux_cli.mcp.queries import Call, Queries


_LONGEST_WAIT = 3600.0  # seconds
_Seconds = Annotated[
    Any,
    WithJsonSchema({"type": "number", "minimum": 1, "maximum": _LONGEST_WAIT}),
    Field(
        description="Most seconds to wait, 1 to 3600. Stay below your client's own limit for a"
        " call; progress notifications keep most clients patient.",
        examples=[60],
    ),
]


def flux_wait_tasks(
    queries: Queries, call: Call, *, task_ids: TaskIdList, timeout_seconds: _Seconds = 60.0
) -> WaitAnswer:
    """Wait until Flux generation tasks are done, on the server's side, and return how they stand.

    When to use: after submitting, instead of asking again and again: it looks every few
    seconds, sends progress notifications, and returns as soon as every task has ended.
    Generation takes seconds to about five minutes. When not: for a single look use
    flux_get_tasks_batch or flux_get_task.

    Returns what flux_get_tasks_batch returns, and timed_out and waited_seconds. When the time
    runs out, what is known so far is returned: call it again with open_ids. The tasks go on by
    themselves, whether anybody waits or not.
    """
    results = queries.wait(task_ids, call, seconds=_checked(timeout_seconds))
    return WaitAnswer(
        **batch_facts(results),
        timed_out=results.timed_out,
        waited_seconds=round(results.waited, 1),
    )


def _checked(seconds: Any) -> float:
    """Return a timeout that is in range. Raises UsageError."""
    if isinstance(seconds, int | float) and 1 <= seconds <= _LONGEST_WAIT:
        return float(seconds)
    raise UsageError(f"timeout_seconds is {str(seconds)[:40]!r}; give 1 to {_LONGEST_WAIT:.0f}")
