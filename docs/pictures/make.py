"""Makes the pictures of the documentation from the real code: `make pictures`."""

import io
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

from flux_cli.models.reasons import Reasons
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Cost, Output, Task, TaskError
from flux_cli.output.card import CardWriter
from flux_cli.output.live import LiveView
from flux_cli.output.preview.draw import draw
from flux_cli.output.preview.method import Method
from flux_cli.output.reasons import summary_lines
from flux_cli.output.table import TableWriter
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.sandbox.png import make_png


COLUMNS, LINES = 100, 22
STARTED = 1_790_000_000.0
NOW = STARTED + 74
PROMPTS = (
    ("flux-2-pro", "a lighthouse in a storm, oil on canvas"),
    ("flux-dev", "isometric kitchen, soft shadows"),
    ("flux-2-max", "an astronaut reading in a library"),
    ("flux-kontext-pro", "remove the car in the background"),
)


class Terminal(io.TextIOWrapper):
    """A terminal that nobody looks at."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        """Say yes, so that colours are used."""
        return True


def sample(number: int) -> Task:
    """Return task `number`: one of each kind in turn, most of them done."""
    state = {0: State.FAILED, 1: State.PROCESSING, 2: State.PROCESSING, 3: State.PENDING}.get(
        number % 80, State.SUCCEEDED
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


def live_view(numbers: Sequence[int] = range(240)) -> RenderableType:
    """Return the live view of a watch of tasks."""
    environment = {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    clock = iter([STARTED])
    view = LiveView(
        Stdout(Terminal(), environment),
        total=len(numbers),
        now=lambda: NOW,
        clock=lambda: next(clock, NOW),
    )
    for number in numbers:
        view.changed(sample(number))
    view.polled(4.0, "")
    return view.paint()


def preview() -> RenderableType:
    """Return the live view of six tasks, below the picture of the one that has just succeeded."""
    terminal = Terminal()
    stdout = Stdout(terminal, {"COLUMNS": str(COLUMNS), "LINES": "30", "COLORTERM": "truecolor"})
    task = sample(4)
    stdout.write_text(f"{task.id}  {task.prompt}\n")
    picture = make_png(11, "16:9", task.prompt or "")
    stdout.write(draw(picture, Method.BLOCKS, stdout, most_lines=15))
    shown = terminal.buffer.getvalue().decode().removesuffix("\n")  # type: ignore[attr-defined]
    return Group(Text.from_ansi(shown), live_view((0, 1, 2, 3, 5, 4)))


def table() -> RenderableType:
    """Return the table of five tasks, with its summary."""
    terminal, environment = Terminal(), {"COLUMNS": str(COLUMNS)}
    tasks = [sample(number) for number in (5, 0, 2, 3, 81)]
    writer = TableWriter(Stdout(terminal, environment), now=NOW)
    writer.write(tasks)
    writer.close()
    counts, reasons = TaskCounts(), Reasons()
    counts.add(tasks)
    reasons.add(tasks)
    written = terminal.buffer.getvalue().decode()  # type: ignore[attr-defined] - a BytesIO
    lines = [counts.summary(), *summary_lines(reasons, Stderr(terminal, environment))]
    return Text.from_ansi(written + "\n".join(lines))


def card() -> RenderableType:
    """Return the card of a task of the sandbox, with its picture in half blocks."""
    terminal = Terminal()
    stdout = Stdout(terminal, {"COLUMNS": str(COLUMNS), "LINES": "30", "COLORTERM": "truecolor"})
    prompt = "a lighthouse in a storm at dusk, oil on canvas, violet light, a ship far away"
    task = sample(6)._replace(
        prompt=prompt,
        model="flux-2-pro",
        size="16:9",
        action="generate",
        finished_at=STARTED + 10,
        started_at=STARTED,
        elapsed=10.0,
        cost=Cost(0.216, "credit"),
        trace_id="6624929c-bb80-40c0-81e8-d96af8405d19",
    )
    writer = CardWriter(stdout, now=lambda: NOW, program="flux")
    writer.write([task])
    stdout.write(draw(make_png(11, "16:9", prompt), Method.BLOCKS, stdout, most_lines=18))
    return Text.from_ansi(terminal.buffer.getvalue().decode())  # type: ignore[attr-defined]


def error() -> RenderableType:
    """Return what the program says of two common mistakes."""
    flux = Path(sys.executable).parent / "flux"
    lines: list[Text] = []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "ids.txt").write_text("5d9dc9f8-1818\ncb5c7427(4277)\n")
        environment = {"FLUX_CONFIG_DIR": folder, "FLUX_API_TOKEN": ""}
        for words in ("tasks check -f ids.txt", "tasks chek"):
            run = subprocess.run(  # noqa: S603 - the program itself
                [flux, *words.split()],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            lines.append(Text.assemble(*((("\n",),) if lines else ()), (f"$ flux {words}", "dim")))
            lines.append(Text(run.stderr.rstrip()))
    return Text("\n").join(lines)


LAYERS = (
    (("app", "the command line; errors become exit codes"),),
    (("commands", "read options, call the engine, hand on results"),),
    (
        ("runtime", "environment, streams, clock: the outside world"),
        ("mcp", "the engine for agents"),
    ),
    (
        ("output", "table, live view, JSON"),
        ("engine", "sessions, batches, watching"),
        ("config", "settings, credentials"),
        ("sandbox", "a local service"),
    ),
    (
        ("api", "HTTP, deadlines, the retry budget"),
        ("input", "ids from arguments, files and stdin"),
        ("completion", "scripts for four shells"),
    ),
    (
        ("models", "ids, states, records: pure functions"),
        ("storage", "files that are whole or absent"),
    ),
    (("errors", "what can go wrong, and its exit code"),),
)


def architecture() -> str:
    """Return the layers as boxes: each may know those below it, and none above or beside it."""
    width, height, gap = 840, 46, 14
    parts = []
    for level, boxes in enumerate(LAYERS):
        each = (width - gap * (len(boxes) - 1)) / len(boxes)
        top = level * (height + gap)
        for number, (name, about) in enumerate(boxes):
            left = number * (each + gap)
            middle = left + each / 2
            parts.append(
                f'<rect x="{left:.0f}" y="{top}" width="{each:.0f}" height="{height}" rx="6"/>'
                f'<text x="{middle:.0f}" y="{top + 19}" class="name">{name}</text>'
                f'<text x="{middle:.0f}" y="{top + 36}">{about}</text>'
            )
        if level:
            parts.append(
                f'<path d="M{width / 2:.0f} {top - gap + 1} v{gap - 5} m-4 -4 l4 4 l4 -4"/>'
            )
    style = (
        "rect{fill:#eef4fb;stroke:#5b7fa6}text{font:13px sans-serif;fill:#24415f;"
        "text-anchor:middle}.name{font-weight:bold}path{stroke:#5b7fa6;fill:none;stroke-width:2}"
    )
    total = len(LAYERS) * (height + gap) - gap
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {width + 4} {total + 4}">'
        f"<style>{style}</style>{''.join(parts)}</svg>\n"
    )


PICTURES: dict[str, tuple[str, Callable[[], RenderableType]]] = {
    "preview": ("$ flux tasks watch -f ids.txt --preview", preview),
    "watch": ("$ flux tasks watch -f ids.txt", live_view),
    "table": ("$ flux tasks check -f ids.txt", table),
    "card": (f"$ flux tasks show {sample(6).id}", card),
    "error": ("", error),
}
THEMES = {"dark": MONOKAI, "light": DEFAULT_TERMINAL_THEME}


def main(folder: Path) -> None:
    """Write every picture, those of the terminal in both themes, into `folder`."""
    (folder / "architecture.svg").write_text(architecture())
    for name, (command, make) in PICTURES.items():
        content = make()
        for theme, colours in THEMES.items():
            console = Console(
                file=io.StringIO(),
                record=True,
                width=COLUMNS,
                force_terminal=True,
                color_system="truecolor",
                highlight=False,
            )
            if command:
                console.print(command, style="dim")
            console.print(content)
            console.print()  # the last line would lose what hangs below it
            picture = console.export_svg(
                title="flux", theme=colours, unique_id=f"flux-{name}-{theme}"
            )
            (folder / f"{name}-{theme}.svg").write_text(picture)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
