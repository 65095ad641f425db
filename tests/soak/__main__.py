"""Measures what flux withstands and writes it into docs/reliability.md: `make soak`.

Names of figures, as arguments, measure those alone and print them.
"""

import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flux_cli import __version__
from tests.soak import day, interrupts, service, submissions
from tests.soak.service import Table


PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- make soak: begin -->\n", "<!-- make soak: end -->\n"
FIGURES: dict[str, tuple[str, Callable[[], Table]]] = {
    "conservation": (
        "Ids, at several rates of mixed faults (200 batches of 50 ids, 20 seeds each)",
        service.conservation,
    ),
    "submissions": (
        f"Submissions, interrupted and killed ({submissions.PROMPTS} prompts, 20 seeds each)",
        submissions.submissions,
    ),
    "dead": ("A dead service with 1,000 batches to ask", service.dead_service),
    "throttling": ("A service that throttles", service.throttling),
    "pages": ("A service that answers for 12 ids at a time", service.page_limit),
    "interrupts": ("Ctrl-C in the live view", interrupts.interrupts),
    "cuts": ("A signal at random instants of what writes", interrupts.cuts),
    "stalls": ("A signal while nobody reads", interrupts.stalled),
    "kills": ("SIGKILL while a token is saved", interrupts.kills),
    "processes": ("Credentials changed by several processes", interrupts.processes_at_once),
    "memory": ("Memory", service.memory),
    "day": ("A watch of 500 tasks for a day of virtual time", day.day),
}


def main(names: list[str]) -> None:
    """Measure what is named and print it; measure all, each in a fresh process, into the page."""
    # A shell has what it runs in the background ignore Ctrl-C, and so would all that is run here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in names:
        title, measure = FIGURES[name]
        print(f"### {title}\n\n{as_markdown(measure())}", flush=True)  # noqa: T201
    if not names:
        write_page([measured(name) for name in FIGURES])


def measured(name: str) -> str:
    """Measure one figure in a process of its own: what others left in memory does not count."""
    started = time.monotonic()
    part = subprocess.check_output([sys.executable, "-m", "tests.soak", name], text=True)
    print(f"{part}({time.monotonic() - started:.0f} s)\n", flush=True)  # noqa: T201
    return part


def write_page(parts: list[str]) -> None:
    """Put the figures into the page, between the marks."""
    machine = f"Python {platform.python_version()}, {platform.system()}, {platform.machine()}"
    stamp = f"Measured {time.strftime('%Y-%m-%d')} with flux {__version__}, {machine}.\n\n"
    head, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}{stamp}{chr(10).join(parts)}{END}{tail}")


def as_markdown(table: Table) -> str:
    """Return a table whose first row is its header."""
    header, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join((header, f"|{'---|' * len(table[0])}", *rows, ""))


if __name__ == "__main__":
    main(sys.argv[1:])
