"""What tools take that submit."""

from flux_cli.mcp import parameters
from flux_cli.mcp.submitting import MOST_PROMPTS


_LONGEST_WAIT = 30.0  # seconds; what is not done by then is waited for by another call

PROMPTS = parameters.some_texts("A task for each.", most=MOST_PROMPTS)
AGAIN = parameters.flag("Submit the same once more, and pay again.", default=False)
WAIT = parameters.number(
    "Seconds to wait.",
    least=0,
    most=_LONGEST_WAIT,
    default=0,
)
MODEL = parameters.text(
    "flux-dev, flux-pro, flux-2-klein, -flex, -pro, -max, flux-kontext-pro, -max.",
    default="flux-dev",
)
SIZE = parameters.text("A ratio, as 16:9.", default="1:1")
