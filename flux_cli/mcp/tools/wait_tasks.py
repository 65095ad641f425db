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
        description=(
            "Maximum seconds to wait, 1 to 3600. Stay below your client's own time limit for a"
            " call; progress notifications extend it in most clients."
        ),
        examples=[60],
    ),
]


def flux_wait_tasks(
    queries: Queries, call: Call, *, task_ids: TaskIdList, timeout_seconds: _Seconds = 60.0
) -> WaitAnswer:
    """Wait on the server's side until Flux generation tasks are done, and return their states.

    When to use: after submitting, instead of asking again and again: it polls every few
    seconds, sends progress notifications, and returns as soon as every task has finished.
    Generation takes from seconds to about five minutes. When not to use: to check just once
    use flux_get_tasks_batch or flux_get_task.

    Returns what flux_get_tasks_batch returns, plus timed_out and waited_seconds. When the time
    runs out it returns what is known so far: call it again with open_ids. The tasks keep
    running on the service, whether anybody waits or not.
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
    raise UsageError(
        f"timeout_seconds is {str(seconds)[:40]!r}; it must be 1 to {_LONGEST_WAIT:.0f}"
    )
