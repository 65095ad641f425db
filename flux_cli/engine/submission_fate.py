"""What the error that answers a submission says of its fate."""

from flux_cli.errors import BadRequest, Refused, ServiceError
from flux_cli.models.submission import SubmissionState
from flux_cli.models.task import TaskError


_ANSWERED = "the service answered {}: "  # which a record need not say


def fate_of(error: ServiceError) -> SubmissionState:
    """Return what a submission is after `error`: in doubt, refused, or planned as before."""
    if error.may_have_taken_effect:
        return SubmissionState.UNKNOWN
    return SubmissionState.REFUSED if isinstance(error, BadRequest) else SubmissionState.PLANNED


def was_not_taken(error: ServiceError) -> bool:
    """Tell whether the same may be sent once more."""
    return not error.may_have_taken_effect


def reason_of(error: ServiceError) -> TaskError:
    """Return the error as a record has it."""
    return TaskError(error.code, error.message.removeprefix(_ANSWERED.format(error.code)))


def refusal_of_all(error: ServiceError, count: int) -> Refused:
    """Return why a run is stopped whose first `count` submissions were refused."""
    return Refused(
        f"{error.message}; the first {count} prompts were all refused",
        code=error.code,
        hint="Check model, size and the other options; the other prompts were not sent",
        trace_id=error.trace_id,
        may_have_taken_effect=False,
    )
