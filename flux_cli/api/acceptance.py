"""What the reply to a submission means: the id of a task, or an error and whether it is certain."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from flux_cli import errors
from flux_cli.api.error_replies import is_about_the_account, trace_of
from flux_cli.api.responses import ResponseHead, json_object, read_reply
from flux_cli.errors import ServiceError
from flux_cli.models.fields import as_object, as_text
from flux_cli.models.ids import flaw_in_data, match_key
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
_NOT_HERE = frozenset(  # redirects that ask for the same request elsewhere, where flux does not go
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


class Acceptance(NamedTuple):
    """A submission that was accepted."""

    task_id: str
    trace_id: str | None


def parse_acceptance(head: ResponseHead, body: bytes, *, token: Token | None = None) -> Acceptance:
    """Read the reply to a submission. Raises a ServiceError for anything but a task id.

    A reply that names its task is about that task, even if it says that it failed. Else
    `may_have_taken_effect` is False where the service says that it took nothing.
    BadRequest is about this one submission, whatever the service calls it.
    """
    reply = json_object(body, token)
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= head.status < HTTPStatus.BAD_REQUEST
    task_id = None if is_redirect else _task_id(reply, "task_id")
    if task_id is None:
        _raise_error(head, body, token)
        task_id = None if reply.get("success") is False else _task_id(reply, "id")
    if task_id is None:
        raise errors.BrokenContract(
            "unexpected reply: it has no task id", code="bad_reply", trace_id=trace_of(reply)
        )
    return Acceptance(task_id, trace_of(reply))


def _raise_error(head: ResponseHead, body: bytes, token: Token | None) -> None:
    """Raise the ServiceError that a reply amounts to, if it is one."""
    try:
        read_reply(head, body, token, is_answer=lambda _: False)
    except ServiceError as error:
        error.may_have_taken_effect = not _is_certain(head.status, error)
        if isinstance(error, errors.Refused) and not _stops(head.status, error):
            raise errors.BadRequest(
                error.message,
                code=error.code,
                hint=error.hint,
                trace_id=error.trace_id,
                may_have_taken_effect=error.may_have_taken_effect,
            ) from error
        raise


def _task_id(reply: Mapping[str, Any], key: str) -> str | None:
    """Return the id under `key` in a reply, or in what it wraps, as the history spells it."""
    for part in (reply, *(as_object(reply.get(name)) for name in ("data", "response", "result"))):
        value = part.get(key) if part else None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if (task_id := as_text(value)) and flaw_in_data(task_id) is None:
            return match_key(task_id)
    return None


def _is_certain(status: int, error: ServiceError) -> bool:
    """Tell whether the service itself, none before or behind it, says that it took nothing."""
    if status in _NOT_HERE:
        return True
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and error.code.isdecimal():
        return False  # the status of another reply, that of a service behind this one
    is_busy = status == HTTPStatus.SERVICE_UNAVAILABLE and error.code == "service_unavailable"
    return isinstance(error, _REFUSALS) or is_busy


def _stops(status: int, error: errors.Refused) -> bool:
    """Tell whether what is refused concerns every submission."""
    code = error.code.lower()
    return is_about_the_account(error) or (
        code not in ("forbidden", "403") and status not in _ABOUT_THE_PROMPT
    )
