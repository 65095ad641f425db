"""`flux_download_outputs`: saves pictures and videos in the one folder that was named."""

from pathlib import Path
from typing import Any

from flux_cli.mcp.answers import Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.limits import LIMITS
from flux_cli.mcp.parameters import TASK_IDS, number
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.saving import save_outputs, saved_answer
from flux_cli.mcp.tool import Tool


TIMEOUT = number("Maximum seconds.", least=1, most=LIMITS.longest_wait, default=LIMITS.default_wait)


def make_tool(folder: Path) -> Tool:
    """Return the tool that saves in `folder`, and nowhere else."""

    def flux_download_outputs(
        queries: Queries, call: Call, *, task_ids: list[Any], timeout_seconds: float
    ) -> Answer:
        """Save the images and videos of finished Flux tasks on this machine.

        When to use: when the user wants the files; links expire. When not to use: to look at a
        picture use flux_show_task.

        Returns the files, as links too, and why others were not saved. When the time is over,
        call it again with the same task_ids.
        """
        del timeout_seconds  # the call knows
        return saved_answer(save_outputs(queries, call, task_ids, folder))

    return Tool(
        "Save Flux outputs",
        flux_download_outputs,
        {"task_ids": TASK_IDS, "timeout_seconds": TIMEOUT},
        timeout="timeout_seconds",
        is_read_only=False,
    )
