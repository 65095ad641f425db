"""What agents may call: a file a tool, whose docstring is what they are told of it."""

from pathlib import Path

from flux_cli.mcp.submitting import Submissions
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools import (
    download_outputs,
    edit_image,
    generate_image,
    generate_video,
    get_task,
    get_tasks_batch,
    list_tasks,
    show_task,
    wait_tasks,
)


TOOLS: tuple[Tool, ...] = (  # in the order in which agents see them
    get_tasks_batch.TOOL,
    get_task.TOOL,
    wait_tasks.TOOL,
    list_tasks.TOOL,
    show_task.TOOL,
)


def tools_for(
    download_dir: Path | None, submissions: Submissions | None = None
) -> tuple[Tool, ...]:
    """Return the tools of a server: what writes or spends is there only where it was allowed."""
    saving = () if download_dir is None else (download_outputs.make_tool(download_dir),)
    spending = (
        ()
        if submissions is None
        else (
            generate_image.make_tool(submissions),
            edit_image.make_tool(submissions),
            generate_video.make_tool(submissions),
        )
    )
    return (*TOOLS, *saving, *spending)
