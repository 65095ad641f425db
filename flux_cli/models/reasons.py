"""Why tasks have no result: their errors in groups, so that like meets like."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from flux_cli.models.state import State
from flux_cli.models.task import Task


EXAMPLES = 3  # ids that are kept of each reason
_MOST = 200  # reasons that are told apart: a service may give each task one of its own
_LONGEST = 200  # characters of a code or a message
_LONGEST_READ = 2000  # characters of a message, before it is folded
_SHORTEST_ID = 8  # characters of one that is looked for in a message: "a" is a word
_HAVE_REASONS = (State.FAILED, State.UNKNOWN)
_DIFFERS = re.compile(  # each run of characters is looked at once, not once from each of them
    r"""(?P<url>(?<![a-z0-9+.-])[a-z0-9+.-]+://[^\s"'<>()]*[^\s"'<>().,:;])
    |(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
        |\b(?=[a-z_]*[0-9])(?=[0-9_]*[a-z])\w{12,}\b)
    |(?P<n>(?<![\w.])(?<![a-z]-)[0-9]+(?:[.,:x×/][0-9]+)*)""",  # noqa: RUF001
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


@dataclass(slots=True)
class Reason:
    """What `count` tasks have in common: a state and an error.

    Where their messages differ, `<id>`, `<url>` and `<n>` stand for what does.
    """

    state: State
    code: str | None
    message: str | None
    count: int
    ids: list[str]  # of the first few


class Reasons:
    """Counts tasks that failed, or had no answer, by why; takes no more memory for more tasks.

    When there are too many reasons to be told apart, the rarer half is counted
    as others from then on.
    """

    def __init__(self) -> None:
        self._reasons: dict[tuple[State, str | None, str | None], Reason] = {}
        self._others: Counter[State] = Counter()

    def add(self, tasks: Iterable[Task]) -> None:
        """Count those of `tasks` that have a reason to tell."""
        for task in tasks:
            if task.state in _HAVE_REASONS:
                self._add(task)

    def _add(self, task: Task) -> None:
        code, message = (task.error.code, task.error.message) if task.error else (None, None)
        code, folded = _cut(code), _cut(_folded(message, task))
        message = _cut(message)
        key = (task.state, code, folded)
        if key not in self._reasons:
            self._make_room()
            self._reasons[key] = Reason(task.state, code, message, 0, [])
        reason = self._reasons[key]
        reason.count += 1
        if reason.message != message:
            reason.message = folded
        if task.id and len(reason.ids) < EXAMPLES:
            reason.ids.append(task.id)

    def _make_room(self) -> None:
        if len(self._reasons) < _MOST:
            return
        ranked = sorted(self._reasons.items(), key=lambda item: -item[1].count)
        self._reasons = dict(ranked[: _MOST // 2])
        for _, reason in ranked[_MOST // 2 :]:
            self._others[reason.state] += reason.count

    def ranked(self, *states: State) -> list[Reason]:
        """Return the reasons of tasks in `states`, the most frequent first, the others last.

        Without `states`, of all tasks.
        """
        chosen = states or _HAVE_REASONS
        reasons = [reason for reason in self._reasons.values() if reason.state in chosen]
        others = [
            Reason(state, None, "other reasons", self._others[state], [])
            for state in chosen
            if self._others[state]
        ]
        return sorted(reasons, key=lambda reason: -reason.count) + others


def _folded(message: str | None, task: Task) -> str | None:
    """Return `message` without what differs between tasks that failed for the same reason."""
    if message is None:
        return None
    text = message[:_LONGEST_READ]
    for own in (task.id, task.trace_id):
        if own is not None and len(own) >= _SHORTEST_ID:
            text = text.replace(own, "<id>")
    return _DIFFERS.sub(lambda match: f"<{match.lastgroup}>", " ".join(text.split()))


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
