"""What each further id costs in memory, in every format and for the longest ids."""

from collections.abc import Iterator

from benchmarks.measure import in_turn
from benchmarks.setup import LONG, Setup


FEW, MANY = 10_000, 60_000
FORMATS = ("jsonl", "json", "csv", "ids", "urls", "table")
WATCH = ("tasks", "watch", "--interval", "1s", "-q", "-o")


def memory(setup: Setup) -> Iterator[str]:
    """Yield a row for each way to ask for many ids."""
    for name in FORMATS:
        yield _row(setup, f"check -o {name}", "tasks", "check", "-q", "-o", name)
    for name in ("jsonl", "csv"):
        yield _row(setup, f"watch -o {name}", *WATCH, name)
    yield _row(setup, f"check, ids of {LONG} characters", "tasks", "check", "-q", length=LONG)


def _row(setup: Setup, name: str, *arguments: str, length: int = 0) -> str:
    few, many = (
        in_turn([setup.flux(*arguments, "-f", str(setup.ids(count, length)))], runs=3, warm_up=0)[
            0
        ].peak
        for count in (FEW, MANY)
    )
    goal = 300 if length else 200
    return (
        f"| `{name}` | {few / 1e6:.0f} MB | {many / 1e6:.0f} MB"
        f" | **{(many - few) / (MANY - FEW):.0f} bytes** | at most {goal} |"
    )
