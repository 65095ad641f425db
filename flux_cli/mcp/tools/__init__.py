"""What agents may call: a file a tool, whose docstring is what they are told of it."""

from collections.abc import Callable
from typing import Any

from flux_cli.mcp.tools.get_task import flux_get_task
from flux_cli.mcp.tools.get_tasks_batch import flux_get_tasks_batch
from flux_cli.mcp.tools.wait_tasks import flux_wait_tasks


TOOLS: dict[str, Callable[..., Any]] = {  # by title, in the order in which agents see them
    "Check Flux tasks": flux_get_tasks_batch,
    "Check one Flux task": flux_get_task,
    "Wait for Flux tasks": flux_wait_tasks,
}
