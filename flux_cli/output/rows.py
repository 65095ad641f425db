"""Tasks in words: what the rows of the table and of the live view say."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flux_cli.models.state import State
from flux_cli.models.task import Output, Task
from flux_cli.output.sanitize import one_line, web_url
from flux_cli.output.times import format_age, format_duration


NO_ID = "-"  # where a submission brought none


class Row(NamedTuple):
    """One task in words; every text is safe to show. `link` is what `result` opens."""

    state: State
    id: str
    model: str
    created: str
    took: str
    result: str
    link: str | None
    prompt: str


def make_row(task: Task, now: float, *, full_urls: bool) -> Row:
    """Put `task` into words. With `full_urls` the result is the URL and not its last part."""
    took = task.elapsed
    if took is None and task.state is State.PROCESSING and task.started_at is not None:
        took = max(0.0, now - task.started_at)
    link = _link(task.outputs[0]) if task.outputs else None
    return Row(
        state=task.state,
        id=task.id or NO_ID,
        model=one_line(task.model or "", 24),
        created=format_age(task.created_at, now),
        took=format_duration(took),
        result=_result(task, link, full_urls=full_urls),
        link=link,
        prompt=one_line(task.prompt or "", 500),
    )


def _result(task: Task, link: str | None, *, full_urls: bool) -> str:
    if task.error is not None:
        return one_line(": ".join(filter(None, (task.error.code, task.error.message))), 500)
    if not task.outputs:
        return ""
    if result := _saved(task.outputs):
        return one_line(result, 2000)
    url = one_line(link or task.outputs[0].url, 2000)
    name = url if full_urls else _file_name(url, task.id)
    more = len(task.outputs) - 1
    return f"{name} +{more}" if more else name


def _file_name(url: str, task_id: str) -> str:
    """Return the last part of `url`; the id, which stands beside it, is not repeated."""
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    if dot and stem.casefold() == task_id.casefold():
        return f"\N{HORIZONTAL ELLIPSIS}.{suffix}"
    return name or url


def _link(output: Output) -> str | None:
    """Return what opens the file that was to be saved, else what opens the output where it is."""
    if output.file is None:
        return web_url(output.url)
    return Path(output.file.path).absolute().as_uri() if output.file.path else None


def _saved(outputs: Sequence[Output]) -> str:
    """Say where the files are, or why the first of those that were not saved was not."""
    files = [output.file for output in outputs if output.file is not None]
    for file in files:
        if file.error is not None:
            return f"not saved: {file.error.message}"
    more = f" +{len(files) - 1}" if len(files) > 1 else ""
    first = next((file.path for file in files if file.path), "in the archive")
    return f"{first}{more}" if files else ""
