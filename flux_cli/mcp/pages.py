"""One page of tasks: what an agent's context has room for, and where the rest begins."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Task
from flux_cli.output.jsonl import encode_record
from flux_cli.output.records import KEYS, as_record
from flux_cli.output.sanitize import one_line, web_url


MOST_TASKS = 50  # on a page
CONCISE, FULL = "concise", "full"
OPEN = "open"
KINDS = (OPEN, *(s.value for s in State if not s.is_running))
# Characters of a page as JSON, but for what tells of the next one; a token has about four.
_ROOM = {CONCISE: 9_700, FULL: 40_000}
_PROMPT = (16, 120)  # characters of a prompt: at least where it is longer, and at most
_MOST_URLS = 10  # of one task
_LONGEST_ERROR = 200  # characters
_RECORD = tuple(key for key in KEYS if key != "previous_state")  # there is none

Item = dict[str, Any]
Shown = tuple[State, Item]


def is_open(task: Task) -> bool:
    """Tell whether it is worth asking for `task` again: it runs, or there was no answer."""
    return task.state.is_running or task.state is State.UNKNOWN


@dataclass(frozen=True, slots=True)
class View:
    """What of the tasks is shown; `start` is how many of them come before."""

    detail: str = CONCISE
    only: str | None = None
    limit: int = MOST_TASKS
    start: int = 0

    def shows(self, task: Task) -> bool:
        if self.only is None:
            return True
        return is_open(task) if self.only == OPEN else task.state.value == self.only


@dataclass(slots=True)
class Page:
    """Takes tasks in the order of the ids: counts all, and keeps those that are shown."""

    view: View
    counts: TaskCounts = field(default_factory=TaskCounts)
    open_ids: list[str] = field(default_factory=list)  # the first of them
    open: int = 0  # how many there are
    _tasks: list[tuple[int, Task]] = field(default_factory=list)
    _next: int | None = None

    def add(self, task: Task) -> None:
        position = self.view.start + self.counts.total
        self.counts.add([task])
        if is_open(task):
            self.open += 1
            if len(self.open_ids) < MOST_TASKS:
                self.open_ids.append(task.id)
        if not self.view.shows(task):
            return
        if len(self._tasks) < self.view.limit:
            self._tasks.append((position, task))
        elif self._next is None:
            self._next = position

    @property
    def is_full(self) -> bool:
        """Whether there is more to show than fits."""
        return self._next is not None

    def end(self, total: int) -> None:
        """Note how many tasks there are, where not all were asked for."""
        position = self.view.start + self.counts.total
        if self._next is None and position < total:
            self._next = position

    def fit(self, frame: Mapping[str, Any]) -> tuple[list[Shown], int | None]:
        """Return the tasks for which there is room beside `frame`, and where the rest begins.

        Prompts get the room that is left.
        """
        room = _ROOM[self.view.detail] - _size(frame)
        next_start = self._next
        count = 0
        for position, task in self._tasks:
            room -= _size(as_item(task, self.view.detail, _PROMPT[0])) + 2
            if room < 0 and count:
                next_start = position
                break
            count += 1
        width = min(_PROMPT[0] + max(0, room) // max(1, count), _PROMPT[1])
        shown = [task for _, task in self._tasks[:count]]
        return [(t.state, as_item(t, self.view.detail, width)) for t in shown], next_start


def as_item(task: Task, detail: str, width: int = _PROMPT[1]) -> Item:
    """Return the record of `task`, or what an agent needs of it beside its state.

    `width` is how many characters of the prompt that has at most.
    """
    if detail == FULL:
        return as_record(task, _RECORD)
    item: Item = {"id": task.id}
    if task.prompt:
        item["prompt"] = one_line(task.prompt, width)
    if urls := list(filter(None, (web_url(output.url) for output in task.outputs))):
        item["urls"] = urls[:_MOST_URLS]
        if len(urls) > _MOST_URLS:
            item["more_urls"] = len(urls) - _MOST_URLS
    if task.error is not None:
        item["error"] = {
            "code": task.error.code and one_line(task.error.code, _LONGEST_ERROR),
            "message": task.error.message and one_line(task.error.message, _LONGEST_ERROR),
        }
    return item


def line(state: State, item: Item, detail: str) -> str:
    """Return a task as text: cells with tabs between them, or JSON where it is a whole record."""
    if detail == FULL:
        return encode_record(item)
    cells = [item["id"], state.value, *item.get("urls", ())]
    if more := item.get("more_urls"):
        cells.append(f"and {more:,} more links")
    if error := item.get("error"):
        cells.append(": ".join(filter(None, (error["code"], error["message"]))))
    if prompt := item.get("prompt"):
        cells.append(f'"{prompt}"')
    return "\t".join(cells)


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))
