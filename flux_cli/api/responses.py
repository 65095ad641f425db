"""What a reply means: records, or the one error that says why there are none."""

import codecs
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flux_cli import errors
from flux_cli.api.error_replies import (
    denies_the_task,
    error_for,
    is_about_the_account,
    page_title,
    says_missing,
    trace_of,
    without_address_hint,
)
from flux_cli.errors import ServiceError
from flux_cli.models.fields import as_number
from flux_cli.token import Token


class BatchResponse(NamedTuple):
    """The reply to a batch query: the records that are objects, as they came.

    `size` counts all items, usable or not: what the service was able to send.
    `total` is how many tasks it says that there are, 0 where it does not say;
    with `has_more`, or an `error` beside the items, it is not whole.
    """

    items: tuple[Mapping[str, Any], ...]
    size: int
    total: int = 0
    has_more: bool = False
    error: ServiceError | None = None

    @property
    def may_be_whole(self) -> bool:
        """Tell whether it says neither that there is more nor that something went wrong."""
        return self.total <= self.size and not self.has_more and self.error is None


class ResponseHead(NamedTuple):
    """The part of a reply before its body. `retry_after` is in seconds."""

    status: int
    content_type: str = ""
    retry_after: float | None = None


def parse_batch(head: ResponseHead, body: bytes, *, token: Token | None = None) -> BatchResponse:
    """Read the reply to `retrieve_batch`. Raises a ServiceError for anything else."""
    reply = read_reply(head, body, token, is_answer=_has_items)
    items = reply.get("items")
    if not isinstance(items, list):
        what = "is missing" if items is None else "is not a list"
        raise errors.BrokenContract(
            f'unexpected reply: "items" {what}',
            code="bad_reply",
            trace_id=trace_of(reply),
        )
    has_failed = reply.get("error") or reply.get("success") is False
    return BatchResponse(
        tuple(item for item in items if isinstance(item, dict)),
        size=len(items),
        total=max(_count(reply.get("count")), _count(reply.get("total"))),
        has_more=reply.get("has_more") is True,
        error=_error(head, reply, body) if has_failed else None,
    )


def _count(value: Any) -> int:
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else 0


def parse_record(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any] | None:
    """Read the reply to `retrieve`: what it holds, or None where the task is not known.

    Raises a ServiceError for anything else; TaskDenied where a fault names the
    task as not found, which is to be said twice.
    """
    is_null = body.removeprefix(codecs.BOM_UTF8).strip() == b"null"
    if is_null and 200 <= head.status < 300:  # noqa: PLR2004
        return None
    try:
        return parse_object(head, body, token=token) or None
    except errors.NotFound:
        return None
    except errors.InternalFault as error:
        if not denies_the_task(_json(body, token)):
            raise
        raise errors.TaskDenied(
            error.message, code=error.code, hint=error.hint, trace_id=error.trace_id
        ) from error


def parse_known_api(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any] | None:
    """Read the same from a service that has answered before: what it refuses is this one task.

    So a 404 or 410 says that the task is not known, whatever else it holds. Raises
    BadRequest for what is refused, unless it is the account or the API itself.
    """
    try:
        return parse_record(head, body, token=token)
    except errors.Refused as error:
        if is_about_the_account(error):
            raise
        if says_missing(head.status, error):
            return None
        raise errors.BadRequest(
            error.message,
            code=error.code,
            hint=without_address_hint(error),
            trace_id=error.trace_id,
        ) from error


def parse_object(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any]:
    """Read a reply that must be a JSON object and no error; `token` is hidden in it.

    Raises the ServiceError that the reply amounts to: by `error.code` first,
    by status second, as the service's own pages disagree about statuses.
    """
    return read_reply(head, body, token, is_answer=_is_record)


def json_object(body: bytes, token: Token | None) -> Mapping[str, Any]:
    """Return the object that `body` holds, whatever reply it is of; an empty one for all else."""
    value = _json(body, token)
    return value if isinstance(value, dict) else {}


def _has_items(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("items"), list)


def _is_record(value: Mapping[str, Any]) -> bool:
    return "id" in value and value.get("success") is not False


def read_reply(
    head: ResponseHead,
    body: bytes,
    token: Token | None,
    *,
    is_answer: Callable[[Mapping[str, Any]], bool],
) -> Mapping[str, Any]:
    """Read a reply that must be a JSON object; what `is_answer` may have an error of its own.

    Raises the ServiceError that anything else amounts to.
    """
    if 300 <= head.status < 400:  # noqa: PLR2004
        raise errors.NotTheApi(
            f"the service answered with a redirect ({head.status}), which flux does not follow",
            code="not_the_api",
            hint="This does not look like the API (captive portal? wrong base URL?)",
        )
    value = _json(body, token)
    if not 200 <= head.status < 300:  # noqa: PLR2004
        raise _error(head, value, body)
    if isinstance(value, dict):
        if value.get("error") and not is_answer(value):
            raise _error(head, value, body)
        return value
    if body.lstrip()[:1] == b"<" or "html" in head.content_type:
        raise errors.NotTheApi(
            f"the service answered with a web page{page_title(body)}",
            code="not_the_api",
            hint="This does not look like the API (captive portal? wrong base URL?)",
        )
    if value is _INVALID:
        raise errors.ConnectionFault(
            "the reply is empty" if not body.strip() else "the reply is not complete JSON",
            code="bad_reply",
        )
    raise errors.BrokenContract(
        "unexpected reply: its top level is not an object", code="bad_reply"
    )


_INVALID = object()


def _json(body: bytes, token: Token | None) -> Any:
    """Parse `body`; NaN and infinities, which JSON does not have, become None."""
    try:
        value = json.loads(body, parse_constant=lambda _: None)
        return token.hide_in(value) if token is not None and token.may_be_in(body) else value
    except (ValueError, RecursionError):
        return _INVALID


def _error(head: ResponseHead, value: Any, body: bytes) -> ServiceError:
    title = page_title(body) if value is _INVALID else ""
    return error_for(head.status, value, title=title, retry_after=head.retry_after)
