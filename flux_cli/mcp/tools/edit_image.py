"""`flux_edit_image`: submits an image to be changed as prompts say."""

from typing import Any

from flux_cli.mcp import parameters
from flux_cli.mcp.answers import Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.submitting import Submissions
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.submission_parameters import AGAIN, PROMPTS, SIZE, WAIT
from flux_cli.models.requests import RequestKind


MODEL = parameters.text("As for flux_generate_image.", default="flux-dev")
IMAGE_URL = parameters.text("The image to edit.")


def make_tool(submissions: Submissions) -> Tool:
    """Return the tool that submits by `submissions`."""

    def flux_edit_image(queries: Queries, call: Call, **arguments: Any) -> Answer:
        """Edit an image as each prompt says; every task costs the user credits.

        When to use: to change an image that has a public URL. When not to use: for a new image
        use flux_generate_image.

        Returns what flux_generate_image returns, and never submits the same twice.
        """
        return submissions.submit(queries, call, RequestKind.EDIT_IMAGE, **arguments)

    takes = {"prompts": PROMPTS, "image_url": IMAGE_URL, "model": MODEL, "size": SIZE}
    return Tool(
        "Edit an image",
        flux_edit_image,
        {**takes, "wait_seconds": WAIT, "again": AGAIN},
        is_read_only=False,
        is_idempotent=False,
    )
