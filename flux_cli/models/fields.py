"""The fields of a record, in every shape in which a service was seen to send them.

Nothing here raises, whatever a record holds: what makes no sense counts as not there.
"""

import json
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any


_END_OF_TIME = 253_402_300_800  # 10000-01-01, the first second that RFC 3339 cannot write
_MILLISECONDS = 1e11  # where they begin: as seconds the year 5138, as milliseconds 1973
_NANOSECONDS = 1e17  # likewise; nobody sends them
_LONGEST = 100 * 366 * 86_400  # seconds that anything takes
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_COMPACT = re.compile(r"((?:19|20)[0-9]{6})([0-9]{6})?")  # a date, and a time of day
_RFC_2822 = re.compile(r"(?:[A-Z]{3},? +)?([0-9]{1,2}) ([A-Z]{3}) ([0-9]{4}) (.+)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ZONE = re.compile(r"\s*(?:Z|UTC|GMT)$|\s+(?=[+-][0-9:]+$)")  # what is UTC anyway, and a space
_LEAP_SECOND = re.compile(r"(:[0-9]{2}:)60")
_URL_KEYS = {  # and the kind of what is there
    "image_url": "image",
    "image_urls": "image",
    "video_url": "video",
    "video_urls": "video",
}
_Output = tuple[str, str, Mapping[str, Any]]  # its kind, its URL, and the entry that holds it
_RESPONSE_KEYS = ("response", "result")
_ACKNOWLEDGES = frozenset({"id", "task_id", "trace_id"})  # and says no more than that


def as_text(value: Any) -> str | None:
    """Return a string that is not empty; anything else is None."""
    return value if isinstance(value, str) and value else None


def as_number(value: Any) -> float | None:
    """Return a finite number, also where it came as text; anything else, booleans too, is None."""
    if isinstance(value, str):
        match = _NUMBER.fullmatch(value.strip())
        value = match and (float(match[0]) if match[1] else int(match[0]))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_duration(value: Any) -> float | None:
    """Return how many seconds something took, a hundred years at the most."""
    number = as_number(value)
    return number if number is not None and 0 <= number <= _LONGEST else None


def as_time(value: Any) -> float | None:
    """Return a time in Unix seconds, from any notation: a number, ISO 8601 or RFC 2822.

    A number is in seconds, milliseconds or microseconds; text without a zone is UTC.
    """
    seconds = _seconds(value)
    return seconds if seconds is not None and 0 < seconds < _END_OF_TIME else None


def is_time(value: Any) -> bool:
    """Tell whether a time is there, be it one that cannot be read: text with digits in it."""
    if isinstance(value, str) and _seconds(value) is None:
        return any(digit in value for digit in "123456789")
    return as_time(value) is not None


def _seconds(value: Any) -> float | None:
    if isinstance(value, str) and (match := _COMPACT.fullmatch(value.strip())):
        return _from_text(f"{match[1]}T{match[2] or '00'}")
    number = as_number(value)
    if number is None:
        return _from_text(value) if isinstance(value, str) else None
    if number >= _NANOSECONDS:
        return None
    while number >= _MILLISECONDS:
        number /= 1000
    return number


def _from_text(text: str) -> float | None:
    text = text.strip().upper()
    if (match := _RFC_2822.fullmatch(text)) and match[2] in _MONTHS:
        day, month, year, rest = match.groups()
        text = f"{year}-{_MONTHS.index(month) + 1:02}-{day:0>2}T{rest}"
    text, leap = _LEAP_SECOND.subn(r"\g<1>59", _ZONE.sub("", text))
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() + leap
    except (ValueError, OverflowError):
        return None


def as_object(value: Any) -> Mapping[str, Any] | None:
    """Return an object, also where it came as JSON text; anything else is None."""
    value = parsed_json(value)
    return value if isinstance(value, dict) else None


def parsed_json(value: Any) -> Any:
    """Return the object or the list that came as JSON text; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return value


def error_code(error: Any) -> str | None:
    """Return the code of an error that is an object; it may be a number, and 0 is none."""
    error = as_object(error)
    code = error.get("code") if error else None
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    return code if isinstance(code, str) and code.strip() not in ("", "0") else None


def is_error(error: Any) -> bool:
    """Tell whether something is said to have gone wrong: in a text, by a code or a message."""
    details = as_object(error)
    if details is None:
        return isinstance(error, str) and bool(error.strip())
    has_message = details.get("code") in (None, "") and as_text(details.get("message"))
    return bool(error_code(details) or has_message)


def has_response(record: Mapping[str, Any]) -> bool:
    """Tell whether a record holds a response, of whatever shape."""
    found = [record.get(key) for key in _RESPONSE_KEYS]
    return any(
        value.strip() not in ("", "null") if isinstance(value, str) else value is not None
        for value in found
    )


def response_of(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the response that a record holds, final or a placeholder; None where there is none.

    It may stand under `result`, come as JSON text, or be its `data` alone: a list of objects.
    """
    found = [_as_response(record.get(key)) for key in _RESPONSE_KEYS]
    bodies = [body for body in found if body is not None]
    return next(filter(_says_something, bodies), bodies[0] if bodies else None)


def _as_response(value: Any) -> Mapping[str, Any] | None:
    value = parsed_json(value)
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return {"data": value}
    if not isinstance(value, dict):
        return None
    data = value.get("data")
    return {**value, "data": parsed_json(data)} if isinstance(data, str) else value


def body_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what tells how a task went: its response, or a record itself that has none.

    A response that is empty, or that acknowledges and no more, tells nothing.
    """
    response = response_of(record)
    if response is not None and _says_something(response):
        return response
    return record


def _says_something(response: Mapping[str, Any]) -> bool:
    return any(
        value not in (None, "", [], {})
        for key, value in response.items()
        if key not in _ACKNOWLEDGES
    )


def output_entries(record: Mapping[str, Any]) -> list[_Output]:
    """Return (kind, url, entry) for each output in a record: `image` or `video`.

    Each URL of an entry once; and none that the request gave: that is an echo of it.
    What stands in `data` goes before what stands beside it.
    """
    body = body_of(record)
    data = parsed_json(body.get("data"))
    entries = data if isinstance(data, list) else [data]
    given = set(_strings_in(as_object(record.get("request")), inside=None))
    found = list(_outputs_of(entries, given))
    # A record without a response may hold what was sent, flat: its URL counts once it tells an end.
    if not found and (body is not record or any(map(record.get, ("success", "status", "state")))):
        found = list(_outputs_of([body], given))
    return found


def _outputs_of(entries: Iterable[Any], given: Container[str]) -> Iterator[_Output]:
    for entry in entries:
        if isinstance(entry, dict):
            kinds = {
                url: kind
                for key, kind in _URL_KEYS.items()
                if key in entry
                for url in _strings_in(entry.get(key), inside="url")
                if url.strip() and url not in given
            }
            yield from ((kind, url, entry) for url, kind in kinds.items())


def _strings_in(value: Any, *, inside: str | None) -> Iterator[str]:
    """Yield a string, or those in a list and in the lists in it, also where it is JSON text.

    Of an object, what its key `inside` holds; without that, all that it holds.
    """
    todo = [value]
    for entry in todo:
        content = parsed_json(entry)
        if isinstance(content, list):
            todo += content
        elif isinstance(content, dict):
            todo += [content.get(inside)] if inside else content.values()
        elif isinstance(content, str):
            yield content
