"""The table and the live view at four widths, as golden text.

`GOLDEN=write pytest tests/end_to_end/test_widths.py` writes the files anew: read what changed.
"""

import io
import os
from pathlib import Path
from typing import Any

import pyte
import pytest
from rich.console import Console

from flux_cli.models.task import parse_task
from flux_cli.output.live import LiveView
from flux_cli.output.terminal import Stdout
from tests.end_to_end.test_check import Start
from tests.support.fault_server import Request, Step, reply
from tests.support.program import Program
from tests.support.records import batch, failed, finished, make_ids, running
from tests.support.terminal import Terminal


GOLDEN = Path(__file__).parent / "golden"
IDS = make_ids(12, start=100)
PROMPTS = (
    "a lighthouse in a storm at dusk, oil painting, thick brush strokes, a ship in the distance",
    "an old sailor with a pipe, 85 mm, on the deck of a ship that leaves the harbour",
    "a red fox",
    "koi pond from above, ukiyo-e woodblock print, muted greens and a single orange fish",
)
MODELS = ("flux-dev", "flux-2-pro", "flux-kontext-max")
ERROR = (
    "the prompt was refused by content moderation; change the prompt or the material before you"
    " submit it again, and see the documentation for what is allowed"
)


def record(number: int, *, has_models: bool) -> dict[str, Any]:
    """Return the record of task `number`: finished, running, failed or waiting."""
    task_id = IDS[number]
    model = MODELS[number % 3] if has_models else MODELS[0]
    changes: dict[str, Any] = {
        "created_at": 1736304669.0 + 3600 * number,
        "request": {"action": "generate", "model": model, "prompt": PROMPTS[number % 4]},
    }
    if number == 5:
        return failed(task_id, "forbidden", ERROR) | changes
    if number == 7:
        return failed(task_id) | changes
    if number in {3, 9}:
        return {**running(task_id), **changes, "started_at": None}
    elapsed = 9.6 + 13 * number
    data = [{"image_url": f"https://cdn.example/{task_id}.png"}] * (1 + (number == 2) * 3)
    response = {"success": True, "data": data}
    return finished(task_id, elapsed=elapsed, response=response, **changes)


def compare(name: str, lines: list[str]) -> None:
    """Compare `lines` with the golden file, or write it where that is asked for."""
    path = GOLDEN / f"{name}.txt"
    text = "\n".join(lines) + "\n"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("columns", [120, 80, 60, 40])
@pytest.mark.parametrize("models", ["one model", "several models"])
def test_the_table(flux: Program, service: Start, columns: int, models: str) -> None:
    def script(request: Request) -> list[Step]:
        records = [record(IDS.index(i), has_models=models != "one model") for i in request.ids]
        return [reply(200, batch(records))]

    service(script)
    screen = Terminal(flux, "tasks", "check", *IDS, columns=columns, rows=100, TZ="UTC").end()
    assert all(len(line) <= columns for line in screen.lines)
    compare(f"table of {models}, {columns} columns", screen.lines)


@pytest.mark.parametrize("columns", [120, 80, 60, 40])
@pytest.mark.parametrize("models", ["one model", "several models"])
def test_the_live_view(columns: int, models: str) -> None:
    """Drawn in this process, because what it shows depends on the clock."""
    time = [1736304669.0 + 12 * 3600]
    stdout = Stdout(None, {"COLUMNS": str(columns), "LINES": "40"})
    view = LiveView(stdout, total=12, now=lambda: time[0], clock=lambda: time[0])
    for number, task_id in enumerate(IDS):
        item = record(number, has_models=models != "one model")
        view.changed(parse_task(task_id, item, time[0]))
        if number % 3 == 2:
            time[0] += 10
            view.polled(5.0, "")
    time[0] += 2
    drawn = io.StringIO()
    Console(file=drawn, width=columns, force_terminal=True).print(view.paint())
    screen = pyte.Screen(columns, 60)
    pyte.Stream(screen).feed(drawn.getvalue().replace("\n", "\r\n"))
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    compare(f"live view of {models}, {columns} columns", lines)
