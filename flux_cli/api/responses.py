"""What a reply means: records, or the one error that says why there are none."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from flux_cli import errors
from flux_cli.errors import ServiceError
from flux_cli.models.fields import error_code
from flux_cli.token import Token


_KINDS: dict[str, type[ServiceError]] = {  # by the service's codes, whatever the status
    "no_token": errors.TokenRejected,
    "invalid_token": errors.TokenRejected,
    "token_expired": errors.TokenRejected,
    "token_mismatched": errors.TokenRejected,
    "used_up": errors.Refused,
    "forbidden": errors.Refused,
    "disabled": errors.Refused,
    "no_api": errors.Refused,
    "api_not_implemented": errors.Refused,
    "bad_request": errors.BadRequest,
    "too_many_requests": errors.RateLimited,
    "api_error": errors.InternalFault,
    "service_unavailable": errors.ServerFault,
    "timeout": errors.ServerFault,
}
_STATUS_CODE = re.compile("[45][0-9][0-9]")  # a code that is the number of a status
_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,200}?)\s*</title>", re.IGNORECASE | re.DOTALL)
_ACCOUNT = frozenset({"used_up", "disabled", "no_api", "api_not_implemented"})
_NOT_FOUND = re.compile(r"not[\s_-]?found", re.IGNORECASE)
_RETRYABLE_STATUSES = frozenset({408, 425})
_HINTS = {
    "used_up": "Top up your balance, then run the same command again",
    "forbidden": (
        "Blocked by the service's content moderation: change the prompt or the input before"
        " you resubmit"
    ),
    "disabled": "The application is disabled: enable it in the service's console",
    "no_api": "Check the base URL",
    "api_not_implemented": "Check the base URL",
    "http_404": "Check the base URL",
    "http_405": "Check the base URL",
}
_LONGEST_TEXT = 300  # characters of the service's own words in one message
_LONGEST_CODE = 64


class BatchResponse(NamedTuple):
    """The reply to a batch query: the records that are objects, as they came.

    `size` counts all items, usable or not: what the service was able to send.
    `total` is how many tasks it says that there are, 0 where it does not say.
    """

    items: tuple[Mapping[str, Any], ...]
    size: int
    total: int = 0


class ResponseHead(NamedTuple):
    """The part of a reply before its body. `retry_after` is in seconds."""

    status: int
    content_type: str = ""
    retry_after: float | None = None


def parse_batch(head: ResponseHead, body: bytes, *, token: Token | None = None) -> BatchResponse:
    """Read the reply to `retrieve_batch`. Raises a ServiceError for anything else."""
    reply = parse_object(head, body, token=token)
    items = reply.get("items")
    if not isinstance(items, list):
        what = "is missing" if items is None else "is not a list"
        raise errors.BrokenContract(
            f'unexpected reply: "items" {what}',
            code="bad_reply",
            trace_id=_trace(reply),
        )
    count = reply.get("count")
    return BatchResponse(
        tuple(item for item in items if isinstance(item, dict)),
        size=len(items),
        total=count if isinstance(count, int) else 0,
    )


def parse_record(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any] | None:
    """Read the reply to `retrieve`: what it holds, or None where the task is not known.

    Raises a ServiceError for anything else.
    """
    if body.strip() == b"null" and 200 <= head.status < 300:  # noqa: PLR2004
        return None
    try:
        return parse_object(head, body, token=token) or None
    except ServiceError as error:
        if _names_not_found(_json(body, token)) and not _is_about_the_account(error):
            return None
        raise


def parse_known_api(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any] | None:
    """Read the same from a service that has answered before: what it refuses is this one task.

    So a 404 without a word of the API says that the task is not known. Raises
    BadRequest for what is refused, unless it is the account or the API itself.
    """
    try:
        return parse_record(head, body, token=token)
    except errors.Refused as error:
        if _is_about_the_account(error):
            raise
        is_page = body.strip() and _json(body, token) is _INVALID
        if not is_page and (head.status == 404 or error.code == "404"):  # noqa: PLR2004
            return None
        raise errors.BadRequest(
            error.message, code=error.code, hint=error.hint, trace_id=error.trace_id
        ) from error


def parse_object(
    head: ResponseHead, body: bytes, *, token: Token | None = None
) -> Mapping[str, Any]:
    """Read a reply that must be a JSON object and no error; `token` is hidden in it.

    Raises the ServiceError that the reply amounts to: by `error.code` first,
    by status second, as the service's own pages disagree about statuses.
    """
    if 300 <= head.status < 400:  # noqa: PLR2004
        raise errors.NotTheApi(
            f"the service answered with a redirect ({head.status}), which flux does not follow",
            code="not_the_api",
            hint="This does not look like the API (captive portal? wrong base URL?)",
        )
    value = _json(body, token)
    if not 200 <= head.status < 300:  # noqa: PLR2004
        raise _by_code(head, value, body)
    if isinstance(value, dict):
        is_answer = "items" in value or "id" in value  # a record may have an error of its own
        if value.get("error") and (value.get("success") is False or not is_answer):
            raise _by_code(head, value, body)
        return value
    if body.lstrip()[:1] == b"<" or "html" in head.content_type:
        raise errors.NotTheApi(
            f"the service answered with a web page{_title(body)}",
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


def _by_code(head: ResponseHead, value: Any, body: bytes) -> ServiceError:
    error = value.get("error") if isinstance(value, dict) else None
    code, text = "", ""
    if isinstance(error, dict):
        code, text = _brief(error_code(error), _LONGEST_CODE), _brief(error.get("message"))
    elif isinstance(error, str):
        text = _brief(error)
    answer = code or f"HTTP {head.status}"
    if text:
        answer += f": {text}"
    elif value is _INVALID:
        answer += _title(body)
    code_or_status = code or f"http_{head.status}"
    return _kind(head.status, code.lower())(
        f"the service answered {answer}",
        code=code_or_status,
        hint=_HINTS.get(code_or_status.lower()) or _HINTS.get(f"http_{code}", ""),
        trace_id=_trace(value),
        retry_after=head.retry_after,
    )


def _kind(status: int, code: str) -> type[ServiceError]:  # noqa: PLR0911 - a table
    if code in _KINDS:
        return _KINDS[code]
    if _STATUS_CODE.fullmatch(code):
        status, code = int(code), ""
    if status == 401:  # noqa: PLR2004
        return errors.TokenRejected
    if status == 400 and not code:  # noqa: PLR2004
        return errors.BadRequest
    if status == 429:  # noqa: PLR2004
        return errors.RateLimited
    if status in (200, 500):
        return errors.InternalFault
    if status > 500 or status in _RETRYABLE_STATUSES:  # noqa: PLR2004
        return errors.ServerFault
    return errors.Refused


def _names_not_found(value: Any) -> bool:
    error = value.get("error") if isinstance(value, dict) else None
    words = (error.get("code"), error.get("message")) if isinstance(error, dict) else (error,)
    return any(isinstance(word, str) and _NOT_FOUND.search(word) for word in words)


def _is_about_the_account(error: ServiceError) -> bool:
    """Tell whether an error concerns whatever is asked, and not the task alone."""
    is_other = isinstance(error, errors.TokenRejected | errors.NotTheApi)
    return is_other or error.code.lower() in _ACCOUNT


def _title(body: bytes) -> str:
    match = _TITLE.search(body[:65536])
    return f' titled "{_brief(match[1].decode("utf-8", "replace"))}"' if match else ""


def _trace(value: Any) -> str | None:
    return _brief(value.get("trace_id"), _LONGEST_CODE) or None if isinstance(value, dict) else None


def _brief(value: Any, length: int = _LONGEST_TEXT) -> str:
    """Return a string of the service on one line, cut to `length` characters."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value[: 4 * length].split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
