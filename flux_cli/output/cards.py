"""A card of the contact sheet: one output, or a task without any, as plain data.

It is kept in the page as a line of JSON, and read back from there as text that
may be anybody's: what is no card is none, and no path leads out of the folder.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from flux_cli.models.state import State
from flux_cli.models.task import Output, Task
from flux_cli.output.records import rfc3339


LONGEST_TEXT = 5000  # characters of one prompt or error
_LONGEST_LABEL = 200  # characters of its name, and of its text
_MOST_LABELS = 50
_MOST_OUTPUTS = 1 << 32  # of a task
_TEXTS = ("id", "prompt", "model", "seed", "size", "created", "error")


class Card(NamedTuple):
    """`number` counts the outputs of a task from 1, `path` is below the folder of the sheet."""

    id: str
    number: int
    state: str
    prompt: str
    model: str
    seed: str
    size: str
    created: str
    path: str | None
    error: str
    labels: Mapping[str, str] = {}

    def line(self) -> bytes:
        """Return the card as one line of JSON that no markup can be seen in."""
        text = json.dumps(self._asdict()).replace("<", "\\u003c").replace(">", "\\u003e")
        return f"{text}\n".encode("ascii")


def cards_of(task: Task, folder: Path) -> Iterator[Card]:
    """Yield a card for each output of `task`, or one that says why there is none.

    What was saved before, and is not there any more, has none either.
    """
    for number, output in enumerate(task.outputs or (None,), 1):
        file = output.file if output is not None else None
        if file is not None and file.is_archived:
            continue  # it is not in the folder
        error = file.error if file is not None else task.error
        words = [error.code, error.message] if error is not None else []
        path = file.path if file is not None else None
        yield Card(
            id=task.id,
            number=number,
            state=task.state.value,
            prompt=_cut(task.prompt),
            model=_cut(task.model),
            seed=_cut(_seed(output)),
            size=_cut(task.size),
            created=(rfc3339(task.created_at) or "")[:10],
            path=Path(path).relative_to(folder).as_posix() if path is not None else None,
            error=_cut(": ".join(filter(None, words))),
            labels=dict(islice(_labels(task), _MOST_LABELS)),
        )


def _labels(task: Task) -> Iterator[tuple[str, str]]:
    for name, text in (task.labels or {}).items():
        yield name[:_LONGEST_LABEL], text[:_LONGEST_LABEL]


def read_card(line: bytes) -> Card | None:
    """Read what `Card.line` wrote; None for anything else."""
    try:
        entries: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entries, dict):
        return None
    entries.setdefault("labels", {})  # which pages of an older flux do not have
    if set(entries) != {"state", "number", "path", "labels", *_TEXTS}:
        return None
    number, path = entries["number"], entries["path"]
    is_card = (
        all(_is_text(entries[name]) for name in _TEXTS)
        and entries["state"] in list(State)
        and type(number) is int
        and 0 < number < _MOST_OUTPUTS
        and (path is None or _is_below(path))
        and _are_labels(entries["labels"])
    )
    return Card(**entries) if is_card else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= _MOST_LABELS
        and all(_is_text(text) and len(text) <= _LONGEST_LABEL for text in chain(*value.items()))
    )


def _is_below(path: Any) -> bool:
    """Tell whether `path` is one that outputs are saved under."""
    if not isinstance(path, str) or set(path) & set('\0\\:<>"|?*'):
        return False
    return not path.startswith("/") and ".." not in PurePosixPath(path).parts


def _seed(output: Output | None) -> str:
    return str(output.seed) if output is not None and output.seed is not None else ""


def _cut(text: str | None) -> str:
    return (text or "")[:LONGEST_TEXT]
