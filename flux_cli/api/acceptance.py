"""What the reply to a submission means: the id of a task, or an error and whether it is certain."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from flux_cli import errors
from flux_cli.api.error_replies import is_about_the_account, trace_of
from flux_cli.api.responses import ResponseHead, read_reply
from flux_cli.errors import ServiceError
from flux_cli.models.fields import as_object, as_text
from flux_cli.models.ids import flaw
from flux_cli.token import Token


_ABOUT_THE_PROMPT = frozenset(  # statuses of what is refused for what it says
    {
        HTTPStatus.OK,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
    }
)
_REFUSALS = (errors.TokenRejected, errors.Refused, errors.BadRequest, errors.RateLimited)


class Acceptance(NamedTuple):
    """A submission that was accepted."""

    task_id: str
    trace_id: str | None


def parse_acceptance(head: ResponseHead, body: bytes, *, token: Token | None = None) -> Acceptance:
    """Read the reply to a submission. Raises a ServiceError for anything but a task id.

    Its `may_have_taken_effect` is False where the service says that it took nothing.
    BadRequest is about this one submission, whatever the service calls it.
    """
    try:
        reply = read_reply(head, body, token, is_answer=lambda value: _task_id(value) is not None)
    except ServiceError as error:
        error.may_have_taken_effect = not _is_certain(head.status, error)
        if isinstance(error, errors.Refused) and not _stops(head.status, error):
            raise errors.BadRequest(
                error.message,
                code=error.code,
                hint=error.hint,
                trace_id=error.trace_id,
                may_have_taken_effect=False,
            ) from error
        raise
    task_id = _task_id(reply)
    if task_id is None:
        raise errors.BrokenContract(
            "unexpected reply: it has no task id", code="bad_reply", trace_id=trace_of(reply)
        )
    return Acceptance(task_id, trace_of(reply))


def _task_id(reply: Mapping[str, Any]) -> str | None:
    """Return the id in a reply, or in what it wraps."""
    for part in (reply, *(as_object(reply.get(key)) for key in ("data", "response", "result"))):
        for key in ("task_id", "id"):
            task_id = as_text(part.get(key)) if part else None
            if task_id is not None and flaw(task_id) is None:
                return task_id
    return None


def _is_certain(status: int, error: ServiceError) -> bool:
    """Tell whether the service, and not something before it, says that it took nothing."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return True  # elsewhere, where flux does not go
    is_busy = status == HTTPStatus.SERVICE_UNAVAILABLE and error.code == "service_unavailable"
    return isinstance(error, _REFUSALS) or is_busy


def _stops(status: int, error: errors.Refused) -> bool:
    """Tell whether what is refused concerns every submission."""
    code = error.code.lower()
    return is_about_the_account(error) or (
        code not in ("forbidden", "403") and status not in _ABOUT_THE_PROMPT
    )
