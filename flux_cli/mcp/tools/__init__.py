"""What agents may call: a file a tool, whose docstring is what they are told of it."""

from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools import get_task, get_tasks_batch, wait_tasks


TOOLS: tuple[Tool, ...] = (  # in the order in which agents see them
    get_tasks_batch.TOOL,
    get_task.TOOL,
    wait_tasks.TOOL,
)
