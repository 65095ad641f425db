"""A submission: one task that was asked for, and what is known of its fate."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from flux_cli.models.fields import as_text
from flux_cli.models.request_defaults import without_defaults
from flux_cli.models.state import State
from flux_cli.models.task import Task, TaskError


_SORTED = json.JSONEncoder(sort_keys=True)
_TYPES = {"/flux/images": "images", "/flux/videos": "videos"}


class SubmissionState(StrEnum):
    """What is known of a submission. It is sent while PLANNED, and never otherwise."""

    PLANNED = "planned"
    SENDING = "sending"  # on its way, or cut off there
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # it may have been accepted

    @property
    def is_in_doubt(self) -> bool:
        return self in (SubmissionState.SENDING, SubmissionState.UNKNOWN)


@dataclass(frozen=True)
class PlannedRequest:
    """What is to be submitted: the body for `path`, and what its row says beside that.

    `place` is where it was read, such as `prompts.csv:3`; `retry_of` is the id of the failed
    task whose request it is.
    """

    path: str
    body: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    retry_of: str = ""

    @cached_property
    def key(self) -> str:
        """What requests have in common that ask for the same.

        A retry is told by the task that it retries, whatever the service says of that.
        """
        asked = {} if self.retry_of else without_defaults(self.path, self.body)
        text = _SORTED.encode([self.path, self.retry_of, asked])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def subject_of(path: str, body: Mapping[str, Any]) -> str:
    """Return the subject of a submission, without what its record may leave out."""
    text = as_text(body.get("prompt")) or as_text(body.get("draft_task_id")) or ""
    return f"{path} {text.strip()}"


class Submission(NamedTuple):
    """One row of a run. `number` is that of the journal, `row` counts the prompts from 1.

    `sent_at` is in Unix seconds, by this machine's clock; the service's was `clock_skew`
    seconds ahead, None where that was not known.
    """

    number: int
    row: int
    path: str
    body: Mapping[str, Any]
    key: str
    labels: Mapping[str, str]
    state: SubmissionState
    sent_at: float | None = None
    clock_skew: float | None = None
    task_id: str | None = None
    trace_id: str | None = None
    error: TaskError | None = None

    @property
    def type(self) -> str | None:
        """What it makes, in the service's word: images or videos."""
        return _TYPES.get(self.path)

    @property
    def subject(self) -> str:
        """What submissions have in common whose records could be mistaken for each other."""
        return subject_of(self.path, self.body)

    def as_task(self, observed_at: float) -> Task:
        """Return the submission as a task is shown: pending, failed, or unknown; without an id,
        where there is none.
        """
        return Task(
            id=self.task_id or "",
            state=_STATES[self.state],
            observed_at=observed_at,
            type=self.type,
            action=as_text(self.body.get("action")),
            model=as_text(self.body.get("model")),
            prompt=as_text(self.body.get("prompt")),
            size=as_text(self.body.get("size")) or as_text(self.body.get("resolution")),
            created_at=self.sent_at if self.state is SubmissionState.ACCEPTED else None,
            error=self._error(),
            trace_id=self.trace_id,
            row=self.row,
            labels=self.labels,
        )

    def _error(self) -> TaskError | None:
        if self.state.is_in_doubt:
            return self.error or _NO_REPLY
        if self.state is not SubmissionState.PLANNED:
            return self.error
        reason = f": {self.error.message}" if self.error and self.error.message else ""
        return TaskError("not_sent", f"not submitted{reason}")


_NO_REPLY = TaskError("unconfirmed", "it may have been accepted: no reply has come")
_WORDS = {
    SubmissionState.ACCEPTED: "accepted",
    SubmissionState.REFUSED: "refused",
    SubmissionState.UNKNOWN: "in doubt",
    SubmissionState.SENDING: "in doubt",
    SubmissionState.PLANNED: "not submitted",
}


def counts_in_words(counts: Mapping[SubmissionState, int]) -> str:
    """Return the count of every state there is, as "12 accepted, 1 refused"."""
    return ", ".join(f"{count:,} {word}" for word, count in grouped_counts(counts).items() if count)


def grouped_counts(counts: Mapping[SubmissionState, int]) -> dict[str, int]:
    """Return the counts by what the states are called, which is the same for two of them."""
    words: Counter[str] = Counter()
    for state, word in _WORDS.items():
        words[word] += counts.get(state, 0)
    return words


_STATES = {
    SubmissionState.PLANNED: State.UNKNOWN,
    SubmissionState.SENDING: State.UNKNOWN,
    SubmissionState.ACCEPTED: State.PENDING,
    SubmissionState.REFUSED: State.FAILED,
    SubmissionState.UNKNOWN: State.UNKNOWN,
}


class RunInfo(NamedTuple):
    """One run in the journal: `created_at` in Unix seconds, and how many rows are in each state."""

    number: int
    name: str
    base_url: str
    created_at: float
    by_state: Mapping[SubmissionState, int] = {}
