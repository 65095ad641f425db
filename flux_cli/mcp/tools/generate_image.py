"""`flux_generate_image`: submits prompts for images."""

from typing import Any

from flux_cli.mcp import parameters
from flux_cli.mcp.answers import Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.submitting import Submissions
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.submission_parameters import AGAIN, MODEL, PROMPTS, SIZE, WAIT
from flux_cli.models.requests import RequestKind


COUNT = parameters.count("Images for each prompt.", least=1, most=4, default=1)


def make_tool(submissions: Submissions) -> Tool:
    """Return the tool that submits by `submissions`."""

    def flux_generate_image(queries: Queries, call: Call, **arguments: Any) -> Answer:
        """Generate images from prompts; every task costs the user credits.

        When to use: when the user wants new images, all prompts in one call. When not to use:
        to see how tasks stand use flux_wait_tasks; to change an image use flux_edit_image.

        Returns the id of a task for each prompt. Never submits the same twice: after a lost
        answer call it again with the same arguments.
        """
        return submissions.submit(queries, call, RequestKind.GENERATE_IMAGE, **arguments)

    takes = {"prompts": PROMPTS, "model": MODEL, "size": SIZE, "count": COUNT}
    return Tool(
        "Generate images",
        flux_generate_image,
        {**takes, "wait_seconds": WAIT, "again": AGAIN},
        is_read_only=False,
        is_idempotent=False,
    )
