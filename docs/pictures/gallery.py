"""Takes pictures of a run from prompts to a gallery: in a real terminal, and in a real browser.

A part of `make pictures`.
"""

import io
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, MONOKAI
from rich.text import Text

from flux_cli.sandbox.server import TOKEN, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.support.browser import browse
from tests.support.program import Program
from tests.support.terminal import Terminal


COLUMNS = 100
COMMAND = "images generate -f prompts.csv --download pictures --contact-sheet"
PROMPTS = """\
prompt,size,model
"a lighthouse in a storm, oil on canvas",16:9,flux-2-pro
"isometric kitchen, soft shadows",1:1,flux-dev
an astronaut reading in a library,3:2,flux-2-max
a prompt that is bound to fail,1:1,flux-dev
"street market in Lisbon, film grain, 35mm",4:3,flux-2-pro
"macro photo of a dandelion, soft light",1:1,flux-dev
"ink wash, a small boat in the mist",21:9,flux-2-pro
"poster for a jazz festival, two colours",2:3,flux-2-flex
"""


def main(folder: Path) -> None:
    """Make eight pictures of a file of prompts on a sandbox, and photograph terminal and page."""
    store = TaskStore(seed=11, failure_rate=0.0)
    with Sandbox(store) as server, tempfile.TemporaryDirectory() as home:
        variables = {"FLUX_API_BASE_URL": server.base_url, "FLUX_API_TOKEN": TOKEN}
        flux = Program(Path(home), variables)
        (flux.folder / "prompts.csv").write_text(PROMPTS)
        terminal = Terminal(flux, *COMMAND.split(), columns=COLUMNS)
        shown = as_text(terminal.end().sent)
        for theme, colours in (("dark", MONOKAI), ("light", DEFAULT_TERMINAL_THEME)):
            console = Console(
                file=io.StringIO(), record=True, width=COLUMNS, color_system="truecolor"
            )
            console.print(f"$ flux {COMMAND}", style="dim", highlight=False)
            console.print(shown, no_wrap=True)
            picture = console.export_svg(title="flux", theme=colours, unique_id=f"flux-{theme}")
            (folder / f"generate-{theme}.svg").write_text(picture)
        with browse(flux.folder / "pictures" / "index.html", width=1040, height=880) as view:
            view.page.screenshot(path=folder / "contact-sheet.png")


def as_text(sent: str) -> Text:
    """Return what stands on a terminal after `sent`, in its colours."""
    screen = pyte.Screen(COLUMNS, 200)
    pyte.Stream(screen).feed(sent)
    lines = [_line(screen.buffer[number]) for number in range(screen.cursor.y)]
    return Text("\n").join(lines)


def _line(cells: Any) -> Text:
    text = Text()
    row = (cells[column] for column in range(COLUMNS))
    for (fg, bold), group in itertools.groupby(row, lambda cell: (cell.fg, cell.bold)):
        colour = None if fg == "default" else fg.replace("brown", "yellow")
        text.append("".join(cell.data for cell in group), Style(color=colour, bold=bold))
    text.rstrip()
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
