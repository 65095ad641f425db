"""Submits tasks for an agent, through the journal of the command line: each is paid for once."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.runs import RunRequest, look_ahead, submitting
from flux_cli.engine.session import Session
from flux_cli.engine.submission import Submitter
from flux_cli.errors import ServiceError, UsageError
from flux_cli.input.plan import plan
from flux_cli.input.prompts import Prompt
from flux_cli.mcp.answers import NOTICE, POLL_SECONDS, Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.pages import CONCISE, as_item, line
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.spending import Spending
from flux_cli.models.ids import TaskIds
from flux_cli.models.requests import RequestKind
from flux_cli.models.submission import (
    PlannedRequest,
    Submission,
    SubmissionState,
    counts_in_words,
)
from flux_cli.models.task import Task
from flux_cli.storage.journal import Journal


MOST_PROMPTS = 50  # of one call: so many tasks fit an answer
_RATE = 4.0  # a second
_LEFT_FOR_REPLIES = 18.0  # seconds before the end of a call in which nothing more is sent
_TICK = 0.2  # seconds
_SUGGESTION = "agent"  # for the name of a run


@dataclass(slots=True)
class Submitted:
    """What became of the prompts of one call; `latest` are tasks that were waited for."""

    run: str
    rows: Sequence[Submission]
    trouble: ServiceError | None = None
    latest: Mapping[str, Task] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Submissions:
    """Submits for agents, within what they may spend."""

    open_journal: Callable[[], Journal]
    spending: Spending

    def submit(
        self,
        queries: Queries,
        call: Call,
        kind: RequestKind,
        *,
        prompts: Sequence[str],
        again: bool,
        wait_seconds: float = 0.0,
        **fields: Any,
    ) -> Answer:
        """Submit `prompts`, with `fields` for all, and wait a while for their tasks.

        What was submitted before is not submitted again, unless `again`. Raises
        UsageError, InputError, NoToken and JournalError before anything is sent.
        """
        given = ({"prompt": prompt, **fields} for prompt in prompts)
        named = (Prompt(each, {}, f"prompt {n}") for n, each in enumerate(given, 1))
        with queries.session(call) as session, self.open_journal() as journal:
            requests = plan(kind, named, {}, token=session.token)
            wanted = RunRequest(requests, _SUGGESTION, is_new=again)
            submitted = self._send(session, journal, call, kind, wanted)
            if wait_seconds and not call.is_cancelled():
                ids = [row.task_id for row in submitted.rows if row.task_id is not None]
                submitted.latest = _waited(queries, session, ids, wait_seconds, call)
        return _answer(submitted)

    def _send(
        self, session: Session, journal: Journal, call: Call, kind: RequestKind, wanted: RunRequest
    ) -> Submitted:
        """Send what is planned, if the user agrees and may spend so much."""
        _, rows = look_ahead(session, journal, wanted)
        planned = _count_planned(rows)
        self.spending.reserve(planned)
        unsent = planned
        try:
            if planned and not _agrees(call, kind, wanted.requests, planned):
                raise UsageError("the user did not agree: nothing was submitted")
            with submitting(
                session,
                journal,
                wanted,
                SubmitPolicy(rate=_RATE),
                most=planned,
                wait=lambda _, seconds: call.sleep(seconds),
            ) as submitter:
                submitter.settle()
                unsent = 0  # what is not known to be unsent counts as spent
                with _stopped_in_time(submitter, call):
                    for number, _ in enumerate(submitter.results(), 1):
                        call.progress = f"{number:,} of {len(rows):,} prompts submitted"
                unsent = min(planned, _count_planned(submitter.rows))
                trouble = submitter.stopped_by or submitter.failure
                return Submitted(submitter.run.name, list(submitter.rows), trouble)
        finally:
            self.spending.give_back(unsent)


def _count_planned(rows: Sequence[Submission]) -> int:
    return sum(row.state is SubmissionState.PLANNED for row in rows)


def _agrees(
    call: Call, kind: RequestKind, requests: Sequence[PlannedRequest], planned: int
) -> bool:
    """Ask the user, where the client can."""
    models = ", ".join(dict.fromkeys(str(request.body["model"]) for request in requests))
    noun = f"{kind.noun} task" if planned == 1 else f"{kind.noun} tasks"
    return call.ask(f"Submit {planned:,} {noun} with {models}? This costs credits.")


@contextmanager
def _stopped_in_time(submitter: Submitter, call: Call) -> Iterator[None]:
    """Send nothing more when the call is about to end, or nobody waits for it."""
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(_TICK):
            if call.is_cancelled() or call.left < _LEFT_FOR_REPLIES:
                submitter.stop()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        is_done.set()


def _waited(
    queries: Queries, session: Session, ids: Sequence[str], seconds: float, call: Call
) -> dict[str, Task]:
    """Return the tasks as they stand when all have ended, or the time is over."""
    wanted = TaskIds()
    for task_id in ids:
        wanted.add(task_id)
    if not ids:
        return {}
    try:
        tasks = queries.watched(session, wanted, call, min(seconds, call.left))
        return {task.id: task for task in tasks}
    except ServiceError:  # the ids are what counts
        return {}


def _answer(submitted: Submitted) -> Answer:
    """Return the tasks, in the order of the prompts, and what to do next."""
    counts = Counter(row.state for row in submitted.rows)
    tasks = [_task(row, submitted) for row in submitted.rows]
    open_ids = [task.id for task in tasks if task.id and task.state.is_running]
    steps = [f"{counts_in_words(counts)}.".capitalize(), *_steps(submitted, counts, open_ids)]
    items = [(task.state, as_item(task, CONCISE)) for task in tasks]
    data: dict[str, Any] = {
        "run": submitted.run,
        "tasks": [{"state": state.value, **item} for state, item in items],
        "open_ids": open_ids,
        "ask_again_after_seconds": POLL_SECONDS if open_ids else None,
        "next_step": " ".join(steps),
        "notice": NOTICE,
    }
    rows = [line(state, item, CONCISE) for state, item in items]
    return Answer(data, "\n".join([data["next_step"], NOTICE, *rows]))


def _task(row: Submission, submitted: Submitted) -> Task:
    task = row.as_task(0.0)
    return submitted.latest.get(task.id, task) if task.id else task


def _steps(
    submitted: Submitted, counts: Mapping[SubmissionState, int], open_ids: Sequence[str]
) -> list[str]:
    """Return what to do, in sentences."""
    steps = []
    if open_ids:
        steps.append("Call flux_wait_tasks with open_ids, then flux_show_task to see a picture.")
    if counts.get(SubmissionState.REFUSED):
        steps.append("What was refused cost nothing; its error says what to change.")
    if counts.get(SubmissionState.PLANNED):
        why = f" ({submitted.trouble.message})" if submitted.trouble is not None else ""
        steps.append(
            f"What was not submitted{why} cost nothing: call this again with the same arguments;"
            " nothing is submitted twice."
        )
    if counts.get(SubmissionState.UNKNOWN) or counts.get(SubmissionState.SENDING):
        steps.append(
            "Those in doubt may have been accepted, and paid for: call this again with the same"
            " arguments in a minute, which looks for them and does not submit them again. If they"
            " stay in doubt, tell the user."
        )
    return steps
