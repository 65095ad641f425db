"""What helps next with a task: a sentence, and what to type for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.shell_words import quote


_MODERATION = "forbidden"
_MAY_PASS = frozenset({"api_error", "service_unavailable", "timeout", "too_many_requests"})
_NO_BALANCE = "used_up"
_BAD_REQUEST = "bad_request"


@dataclass(frozen=True, slots=True)
class NextStep:
    """A sentence for a person, and the lines to type, if any."""

    text: str
    commands: Sequence[str] = ()


def next_step(task: Task, program: str, *, ascii_only: bool = False) -> NextStep:
    """Say what helps with `task`; `program` is what the user types to call flux.

    No word of a command is the service's, but for the id, which the user gave.
    """
    if not task.id:
        again = " with --retry-refused" if task.state is State.FAILED else ""
        return NextStep(f"Run the command that submitted it again{again}.")
    task_id = quote(task.id, ascii_only=ascii_only)
    given = f"-- {task_id}" if task.id.startswith("-") else task_id
    match task.state:
        case State.PENDING | State.PROCESSING:
            return NextStep("Watch it until it finishes:", [f"{program} tasks watch {given}"])
        case State.SUCCEEDED:
            return NextStep("Download the results:", [f"{program} tasks download {given}"])
        case State.NOT_FOUND:
            return NextStep(
                "The service does not know this id: it is mistyped, too old, from another account,"
                " or was submitted a moment ago."
            )
        case State.UNKNOWN:
            return NextStep("Check it again later:", [f"{program} tasks show {given}"])
        case State.FAILED:
            return _after_failure(task, program, given)


def _after_failure(task: Task, program: str, given: str) -> NextStep:
    code = task.error.code if task.error is not None else None
    if code == _MODERATION:
        return NextStep(
            "The service's content moderation refused it: change the prompt or the input."
            " Unchanged, it would be refused again."
        )
    if code == _BAD_REQUEST:
        return NextStep("Correct what the error names, and resubmit it.")
    if code == _NO_BALANCE:
        return NextStep("Top up your balance, then retry it:", [f"{program} tasks retry {given}"])
    support = "give support the trace id" if task.trace_id else "give support the id"
    if code in _MAY_PASS:
        return NextStep(
            f"This may be temporary. Retry it (you pay again); if that fails too, {support}.",
            [f"{program} tasks retry {given}"],
        )
    return NextStep(f"flux does not know this error: {support}.")
