"""What submitting 10,000 prompts takes, and what it takes to see that all of it is done."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Command, in_turn
from flux_cli.sandbox.server import TOKEN, Sandbox
from flux_cli.sandbox.store import TaskStore


COUNT = 10_000
PROMPT = "a fox in the snow, soft light, 35mm, in the manner of an old postcard, number"
NOT_SLOWED_DOWN = "1000/s"


class _DatedStore(TaskStore):
    """Remembers when the first task was submitted."""

    first_at: float | None = None

    def submit(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
        self.first_at = self.first_at or time.monotonic()
        return super().submit(*arguments, **options)  # type: ignore[arg-type]


def submitted(folder: Path, program: Path) -> Iterator[str]:
    """Yield rows about a run of 10,000 prompts, and about the same command once more."""
    prompts = folder / "prompts.txt"
    prompts.write_text("".join(f"{PROMPT} {number}\n" for number in range(COUNT)))
    store = _DatedStore()
    with Sandbox(store) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "FLUX_API_BASE_URL": server.base_url,
            "FLUX_API_TOKEN": TOKEN,
            "FLUX_JOURNAL": str(folder / "journal.sqlite3"),
        }
        words = [str(program), "images", "generate", "-f", str(prompts)]
        generate = Command([*words, "--rate", NOT_SLOWED_DOWN, "-o", "ids"], environment)
        dry_run = Command([*words, "--dry-run"], environment)
        [read] = in_turn([dry_run], runs=3)
        started = time.monotonic()
        [first] = in_turn([generate], runs=1, warm_up=0)
        assert store.first_at is not None
        begun = store.first_at - started
        [again] = in_turn([generate], runs=3)
        assert server.accepted == COUNT, server.accepted
    goal = "100 MB"
    yield f"| peak memory | **{first.peak / 1e6:.0f} MB** | at most {goal} |"
    yield (
        "| from the end of reading (a dry run) to the first request |"
        f" **{begun - read.wall:.2f} s** | at most 1 s |"
    )
    yield f"| the same command once more, all submitted | **{again.wall:.2f} s** | at most 2 s |"
    yield f"| processor time for each prompt | {first.cpu / COUNT * 1000:.2f} ms | |"
