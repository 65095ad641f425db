"""Submits failed tasks again: from ids to a run."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from flux_cli import interrupts
from flux_cli.commands.submit_options import RetryOptions
from flux_cli.commands.submit_prompts import Afterwards, describe
from flux_cli.commands.submit_request import SubmitRequest
from flux_cli.commands.submit_run import run_submit
from flux_cli.commands.watch_options import WatchOutputOptions
from flux_cli.engine.check import no_answer_for
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode, FieldError
from flux_cli.models.fields import as_object
from flux_cli.models.ids import TaskIds
from flux_cli.models.request_defaults import DELIVERY
from flux_cli.models.requests import RequestKind, fields_of, make_body
from flux_cli.models.state import State
from flux_cli.models.submission import PlannedRequest
from flux_cli.models.task import Task
from flux_cli.runtime import Runtime


_MODERATION = ("forbidden", "moderat", "content_policy", "nsfw", "safety")
_VIDEO_ONLY = frozenset({"mode", "duration", "resolution", "aspect_ratio", "draft_task_id"})


def run_retry(
    runtime: Runtime,
    session: Session,
    ids: TaskIds,
    options: RetryOptions,
    journal: Path | None,
    output: WatchOutputOptions,
    afterwards: Afterwards,
) -> ExitCode:
    """Look at `ids`, submit those that have failed, and return the exit code.

    Raises ServiceError, before anything is submitted, when a task was not
    answered for; and what `run_submit` raises.
    """
    requests: list[PlannedRequest] = []
    left_out: Counter[str] = Counter()
    unknown = 0
    poll = session.check(ids, keep_raw=True)
    with interrupts.cuttable():  # nothing has been submitted yet
        for task in chain.from_iterable(poll.results()):
            if task.state is State.UNKNOWN:
                unknown += 1
            elif task.state is not State.FAILED:
                left_out[task.state.value.replace("_", " ")] += 1
            elif _is_moderated(task) and not options.all:
                left_out["refused by content moderation (add --all)"] += 1
            elif (request := _request_of(task)) is None:
                left_out["without a request on record that can be sent"] += 1
            else:
                requests.append(request)
    if poll.stopped_by is not None:
        raise poll.stopped_by
    if unknown:
        raise no_answer_for(unknown, len(ids), poll.failure)
    if left_out:
        parts = ", ".join(f"{count:,} {what}" for what, count in left_out.items())
        runtime.stderr.note(f"flux: not retried: {parts}.")
    if not requests:
        runtime.stderr.note("flux: nothing to retry.")
        return ExitCode.NOT_FOUND if set(left_out) == {"not found"} else ExitCode.OK
    submission = SubmitRequest(
        requests,
        "retry",
        options,
        journal,
        output,
        _describe,
        afterwards.start(runtime, output),
        partial(afterwards.prepare, requests),
    )
    return run_submit(runtime, session, submission)


def _describe(requests: Sequence[PlannedRequest]) -> str:
    by_noun = {
        noun: [request for request in requests if request.path == path]
        for noun, path in (("image", "/flux/images"), ("video", "/flux/videos"))
    }
    return " and ".join(describe(noun, found) for noun, found in by_noun.items() if found)


def _is_moderated(task: Task) -> bool:
    text = f"{task.error.code} {task.error.message}".lower() if task.error else ""
    return any(word in text for word in _MODERATION)


def _request_of(task: Task) -> PlannedRequest | None:
    """Return the request that a task was submitted with; None where the record does not say.

    Only what could be submitted by hand is taken from the record, and no address to call back.
    """
    recorded = as_object((task.raw or {}).get("request")) or {}
    if task.type == "videos" or not _VIDEO_ONLY.isdisjoint(recorded):
        kind = RequestKind.GENERATE_VIDEO
    elif recorded.get("action") == "edit":
        kind = RequestKind.EDIT_IMAGE
    else:
        kind = RequestKind.GENERATE_IMAGE
    fields = {
        name: value
        for name, value in recorded.items()
        if name in fields_of(kind) and name not in DELIVERY
    }
    try:
        body = make_body(kind, fields)
    except FieldError:
        return None
    return PlannedRequest(kind.path, body, task.labels or {}, retry_of=task.id)
