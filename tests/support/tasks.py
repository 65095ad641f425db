"""Tasks as flux knows them."""

from flux_cli.models.state import State
from flux_cli.models.task import File, Output, Task


SAVED = File("out/a.png", 3, "0" * 64, is_new=True)


def succeeded(task_id: str, *, outputs: int = 1, prompt: str | None = None) -> Task:
    """Return a task that has succeeded, whose outputs were not saved."""
    links = (Output(f"https://cdn.example/{task_id}/{n}.png", "image") for n in range(outputs))
    return Task(task_id, State.SUCCEEDED, 0.0, prompt=prompt, outputs=tuple(links))
