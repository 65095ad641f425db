"""The fields of a record, in every shape in which a service was seen to send them.

Nothing here raises, whatever a record holds: what makes no sense counts as not there.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any


_END_OF_TIME = 253_402_300_800  # 10000-01-01, the first second that RFC 3339 cannot write
_MILLISECONDS = 1e11  # where they begin: as seconds the year 5138, as milliseconds 1973
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_URL_KEYS = {  # and the kind of what is there
    "image_url": "image",
    "image_urls": "image",
    "video_url": "video",
    "video_urls": "video",
}


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


def as_time(value: Any) -> float | None:
    """Return a time in Unix seconds: from seconds, milliseconds, or ISO 8601, which is UTC."""
    number = as_number(value)
    if number is None:
        return _from_iso(value) if isinstance(value, str) else None
    if not 0 < number < 1000 * _END_OF_TIME:
        return None
    return number if number < _MILLISECONDS else number / 1000


def _from_iso(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text.strip())
        seconds = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _END_OF_TIME else None


def as_object(value: Any) -> Mapping[str, Any] | None:
    """Return an object, also where it came as JSON text; anything else is None."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def error_code(error: Any) -> str | None:
    """Return the code of an error that is an object; it may be a number, and 0 is none."""
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and not isinstance(code, bool):
        code = str(code)
    return code if isinstance(code, str) and code.strip() not in ("", "0") else None


def response_of(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the body that a record holds, final or a placeholder; None where there is none.

    It may stand under `result`, and as JSON text.
    """
    first = record.get("response")
    if first and isinstance(first, dict):  # as nearly always
        return first
    bodies = [
        body for key in ("response", "result") if (body := as_object(record.get(key))) is not None
    ]
    return next(filter(None, bodies), bodies[0] if bodies else None)


def output_entries(record: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return (kind, url, entry) for each output in a record: `image` or `video`.

    Each URL of an entry once; and none that the request gave: that is an echo of it.
    """
    response = response_of(record)
    if not response:
        return []
    data = response.get("data")
    entries: list[Mapping[str, Any]] = [
        entry for entry in (data if isinstance(data, list) else [data]) if isinstance(entry, dict)
    ]
    request = as_object(record.get("request")) or {}
    given = set(_strings_in([*request.values()]))
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for entry in entries or [response]:
        kinds = {
            url: kind
            for key, kind in _URL_KEYS.items()
            if key in entry
            for url in _strings_in(entry.get(key))
            if url.strip() and url not in given
        }
        found += [(kind, url, entry) for url, kind in kinds.items()]
    return found


def _strings_in(value: Any) -> Iterator[str]:
    """Yield a string, or those in a list and in the lists in it."""
    todo = [value]
    for entry in todo:
        if isinstance(entry, list):
            todo += entry
        elif isinstance(entry, str):
            yield entry
