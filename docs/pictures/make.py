"""Makes the pictures of the documentation from the real code: `make pictures`."""

import io
import sys
import uuid
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI

from flux_cli.output.live import LiveView
from flux_cli.output.streams import Stdout
from flux_cli.tasks.state import State
from flux_cli.tasks.task import Output, Task, TaskError


COLUMNS, LINES = 100, 19
STARTED = 1_790_000_000.0
NOW = STARTED + 74
PROMPTS = (
    ("flux-2-pro", "a lighthouse in a storm, oil on canvas"),
    ("flux-dev", "isometric kitchen, soft shadows"),
    ("flux-2-max", "an astronaut reading in a library"),
    ("flux-kontext-pro", "remove the car in the background"),
)


class Terminal(io.StringIO):
    """A terminal that nobody looks at."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Say yes, so that the view uses colours."""
        return True


def sample(number: int) -> Task:
    """Return task `number`: one of each kind in turn, most of them done."""
    state = {0: State.FAILED, 1: State.PROCESSING, 2: State.PROCESSING, 3: State.PENDING}.get(
        number % 37, State.SUCCEEDED
    )
    model, prompt = PROMPTS[number % len(PROMPTS)]
    task_id = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
    is_done = state is State.SUCCEEDED
    url = f"https://cdn.example/{task_id[:10].replace('-', '')}.png"
    return Task(
        id=task_id,
        state=state,
        observed_at=NOW,
        model=model,
        prompt=prompt,
        created_at=STARTED - 2,
        started_at=STARTED + number % 50,
        elapsed=4.0 + number % 23 if state.is_final else None,
        outputs=(Output(url, "image"),) if is_done else (),
        error=TaskError("api_error", "fetch failed") if state is State.FAILED else None,
    )


def live_view() -> str:
    """Return the live view of a watch of 240 tasks as an SVG."""
    environment = {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    clock = iter([STARTED])
    view = LiveView(
        Stdout(Terminal(), environment),
        total=240,
        now=lambda: NOW,
        clock=lambda: next(clock, NOW),
    )
    for number in range(240):
        view.changed(sample(number))
    view.looked(4.0, "")
    console = Console(
        file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True, color_system="standard"
    )
    console.print("$ flux tasks watch -f ids.txt", style="dim", highlight=False)
    console.print(view.paint())
    return console.export_svg(title="flux", theme=DIMMED_MONOKAI, unique_id="flux-watch")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    (folder / "watch.svg").write_text(live_view())
