"""Which error a reply amounts to: by its code first, by its status second."""

import re
from typing import Any

from flux_cli import errors
from flux_cli.errors import ServiceError
from flux_cli.models.fields import error_code


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
_GONE = r"(?:not[\s_-]?found|(?:does not|doesn.t) exist)"
_NOTHING = re.compile(rf"(?:task|record|id)?[\s_-]*{_GONE}[.!]?", re.IGNORECASE)  # and no word more
_NO_TASK = re.compile(  # its id may stand between; but not "the task queue was not found"
    r"no such (?:task|record)\b|\b(?:task|record)(?:[\s_-]{0,3}(?:with )?id)?[\s_:'\"-]{0,3}"
    rf"(?:[^\s'\"]{{0,80}}\d[^\s'\"]{{0,80}}['\"]?)?[\s_-]{{0,3}}(?:(?:is|was|could) )?{_GONE}",
    re.IGNORECASE,
)
_ABOUT_THE_IDS = frozenset({200, 400, 404, 410, 422})  # statuses of answers to a question
_MISSING = frozenset({404, 410})
_RETRYABLE_STATUSES = frozenset({408, 425})
_MODERATION = (
    "Blocked by the service's content moderation: change the prompt or the input before"
    " you resubmit"
)
_BASE_URL = "Check the base URL"
_HINTS = {
    "used_up": "Top up your balance, then run the same command again",
    "forbidden": _MODERATION,
    "403": _MODERATION,
    "disabled": "The application is disabled: enable it in the service's console",
    "no_api": _BASE_URL,
    "api_not_implemented": _BASE_URL,
    "http_404": _BASE_URL,
    "http_405": _BASE_URL,
}
_LONGEST_TEXT = 300  # characters of the service's own words in one message
_LONGEST_CODE = 64


def error_for(
    status: int, value: Any, *, title: str = "", retry_after: float | None = None
) -> ServiceError:
    """Return the error that a reply amounts to: JSON, or a page with its `title`."""
    code, text = _error_of(value)
    answer = (code or f"HTTP {status}") + (f": {text}" if text else title)
    code_or_status = code or f"http_{status}"
    return _kind(status, code.lower(), text)(
        f"the service answered {answer}",
        code=code_or_status,
        hint=_HINTS.get(code_or_status.lower()) or _HINTS.get(f"http_{code}", ""),
        trace_id=trace_of(value),
        retry_after=retry_after,
    )


def denies_the_task(value: Any) -> bool:
    """Tell whether an error names the task, and nothing else, as not found."""
    return any(map(_NO_TASK.search, _error_of(value)))


def is_about_the_account(error: errors.Refused) -> bool:
    """Tell whether an error concerns whatever is asked, and not one task alone."""
    return error.code.lower() in _ACCOUNT


def says_missing(status: int, error: errors.Refused) -> bool:
    """Tell whether what was asked for is not there, by the status or a code that is one."""
    code = error.code.lower()
    status = int(code) if _STATUS_CODE.fullmatch(code) else status
    return status in _MISSING and code != "forbidden"


def without_address_hint(error: ServiceError) -> str:
    """Return the hint of an error of a service whose address is right."""
    return "" if error.hint == _BASE_URL else error.hint


def _error_of(value: Any) -> tuple[str, str]:
    """Return the code and the message of an error, each empty where there is none.

    A string may be either; without an error they may stand at the top.
    """
    if not isinstance(value, dict):
        return "", ""
    error = value.get("error") or value
    if isinstance(error, str):
        is_code = error.strip().lower() in _KINDS
        return (_brief(error, _LONGEST_CODE), "") if is_code else ("", _brief(error))
    if not isinstance(error, dict):
        return "", ""
    return _brief(error_code(error), _LONGEST_CODE), _brief(error.get("message"))


def _kind(status: int, code: str, text: str) -> type[ServiceError]:  # noqa: PLR0911 - a table
    if code in _KINDS:
        kind = _KINDS[code]
        is_denial = kind is errors.BadRequest and _names_not_found(status, "", text)
        return errors.NotFound if is_denial else kind
    if _STATUS_CODE.fullmatch(code):
        status, code = int(code), ""
    if _names_not_found(status, code, text):
        return errors.NotFound
    if status == 401:  # noqa: PLR2004
        return errors.TokenRejected
    if status == 422 or (status == 400 and not code):  # noqa: PLR2004
        return errors.BadRequest
    if status == 429:  # noqa: PLR2004
        return errors.RateLimited
    if status in (200, 500):
        return errors.InternalFault
    if status > 500 or status in _RETRYABLE_STATUSES:  # noqa: PLR2004
        return errors.ServerFault
    return errors.Refused


def _names_not_found(status: int, code: str, text: str) -> bool:
    """Tell whether an error says of what was asked for that it is not there.

    A bare "not found" of a 404 may be any server's, about the address.
    """
    if status not in _ABOUT_THE_IDS:
        return False
    is_bare = status not in _MISSING and _NOTHING.fullmatch(text.strip())
    return bool(is_bare or _NOTHING.fullmatch(code) or _NO_TASK.search(text))


def page_title(body: bytes) -> str:
    """Return words that name the title of a web page, if it has one."""
    match = _TITLE.search(body[:65536])
    return f' titled "{_brief(match[1].decode("utf-8", "replace"))}"' if match else ""


def trace_of(value: Any) -> str | None:
    """Return the id under which the service's support finds a reply."""
    return _brief(value.get("trace_id"), _LONGEST_CODE) or None if isinstance(value, dict) else None


def _brief(value: Any, length: int = _LONGEST_TEXT) -> str:
    """Return a string of the service on one line, cut to `length` characters."""
    if not isinstance(value, str):
        return ""
    text = " ".join(value[: 4 * length].split())
    return text if len(text) <= length else f"{text[: length - 1]}…"
