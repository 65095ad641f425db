"""What is submitted in tests: requests, and what a journal says of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from flux_cli.models.submission import PlannedRequest, RunInfo, Submission
from flux_cli.storage.journal import Journal


BASE_URL = "https://api.example"
NOW = 1_790_000_000.0


def requests(*prompts: str, **changes: object) -> list[PlannedRequest]:
    """Return a request for each prompt, as a command plans it."""
    return [
        PlannedRequest("/flux/images", body(prompt, **changes), place=f"prompts.txt:{n}")
        for n, prompt in enumerate(prompts, 1)
    ]


def body(prompt: str, **changes: object) -> dict[str, object]:
    return {
        "action": "generate",
        "prompt": prompt,
        "model": "flux-dev",
        "size": "1:1",
        "async": True,
        **changes,
    }


def open_run(
    journal: Journal,
    planned: Sequence[PlannedRequest],
    *,
    name: str | None = None,
    base_url: str = BASE_URL,
    is_new: bool = False,
    is_trial: bool = False,
) -> tuple[RunInfo, list[Submission]]:
    """Open the run of these requests as a command does whose file is prompts.txt."""
    return journal.open_run(
        planned,
        base_url=base_url,
        name=name,
        suggestion="prompts",
        is_new=is_new,
        is_trial=is_trial,
    )


def states(rows: Iterable[Submission]) -> str:
    """Return the states of rows in short: one letter each."""
    return "".join(row.state[0] for row in rows)


def times_planned(journal: Journal) -> Counter[str]:
    """Return how often each key is in the journal: that is how often it can be sent."""
    numbers = {row.number: row.key for run in journal.runs() for row in journal.submissions(run)}
    return Counter(numbers.values())


def accept(journal: Journal, run: RunInfo, row: Submission, task_id: str = "") -> str:
    """Have a row sent and accepted."""
    task_id = task_id or f"task-{row.number}"
    assert journal.mark_sending(row, run)
    assert journal.mark_accepted(row, task_id, None)
    return task_id


def new_journal(folder: Path) -> Journal:
    return Journal(folder / "journal.sqlite3", now=lambda: NOW)
