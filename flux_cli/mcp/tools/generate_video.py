"""`flux_generate_video`: submits prompts for videos."""

from typing import Any

from flux_cli.mcp import parameters
from flux_cli.mcp.answers import Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.submitting import Submissions
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.submission_parameters import AGAIN, PROMPTS
from flux_cli.models.requests import RequestKind


DURATION = parameters.text("5 to 20 seconds, or auto.", default=None)
RESOLUTION = parameters.choice("hd costs least.", ("hd", "fhd", "qhd", "uhd"), default="hd")
RATIO = parameters.text("A ratio, as 16:9, or auto.", default=None)
KEYFRAMES = parameters.text(
    "URLs of images to start from.",
    default=None,
)


def make_tool(submissions: Submissions) -> Tool:
    """Return the tool that submits by `submissions`."""

    def flux_generate_video(queries: Queries, call: Call, **arguments: Any) -> Answer:
        """Generate videos from prompts, or from images; every task costs the user credits.

        When to use: when the user wants a video; it takes minutes. When not to use: for
        pictures use flux_generate_image.

        Returns what flux_generate_image returns, and never submits the same twice.
        """
        return submissions.submit(queries, call, RequestKind.GENERATE_VIDEO, **arguments)

    takes = {
        "prompts": PROMPTS,
        "duration": DURATION,
        "resolution": RESOLUTION,
        "aspect_ratio": RATIO,
        "keyframes": KEYFRAMES,
    }
    return Tool(
        "Generate videos",
        flux_generate_video,
        {**takes, "again": AGAIN},
        is_read_only=False,
        is_idempotent=False,
    )
