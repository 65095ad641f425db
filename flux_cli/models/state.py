"""The state of a task, which the service never sends: derived by one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flux_cli.models.fields import (
    body_of,
    error_code,
    has_response,
    is_error,
    is_time,
    output_entries,
    parsed_json,
    response_of,
)


class State(StrEnum):
    """Where a task stands, in the order in which flux lists and counts them."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_FOUND = "not_found"  # the service answered, without this id
    UNKNOWN = "unknown"  # the service did not answer for this id

    @property
    def is_final(self) -> bool:
        """Whether a task in this state can never change again."""
        return self in (State.SUCCEEDED, State.FAILED)

    @property
    def is_running(self) -> bool:
        return self in (State.PENDING, State.PROCESSING)


_FAILURE_WORDS = frozenset({"failed", "failure", "error", "cancelled", "canceled", "rejected"})
_DONE_WORDS = frozenset({"succeed", "succeeded", "success", "completed", "complete", "finished"})
_STATUS_KEYS = ("status", "state")


def derive_state(  # noqa: PLR0911 - a table
    record: Mapping[str, Any], *, has_output: bool | None = None
) -> State:
    """Derive the state of one record of the service; the first rule that fits wins.

    The rules are the service's, as its documentation, clients and web front
    end show them. Any mapping is accepted, none raises. `has_output` is for
    whoever has looked already.
    """
    response, body = response_of(record), body_of(record)
    is_own_body = body is record
    words = _own_words(record) if response is None else _words_below(response)
    success = body.get("success")
    own_code = error_code(record.get("error"))
    has_code = bool(error_code(body.get("error")) or own_code)
    has_output = bool(output_entries(record)) if has_output is None else has_output
    is_finished = is_time(record.get("finished_at")) or is_time(body.get("finished_at"))

    if words & _FAILURE_WORDS:
        return State.FAILED
    if words & _DONE_WORDS:
        return State.SUCCEEDED if has_output else State.FAILED
    if words:
        return State.PROCESSING
    if success is False and (has_output or has_code):
        return State.FAILED
    if is_own_body and own_code:
        return State.FAILED
    if is_finished and isinstance(success, bool):
        return State.SUCCEEDED if success else State.FAILED
    if has_output:
        return State.SUCCEEDED
    if is_finished and is_own_body and is_error(record.get("error")):
        return State.FAILED
    if is_time(record.get("started_at")) or has_response(record):
        return State.PROCESSING
    return State.PENDING


def _words_of(mapping: Mapping[str, Any]) -> set[str]:
    found = [mapping[key] for key in _STATUS_KEYS if key in mapping]
    words = {word.strip().lower() for word in found if isinstance(word, str)} if found else set()
    return words - {""}


def _own_words(record: Mapping[str, Any]) -> set[str]:
    """Return the status words of a record without a response, and of what is in its `data`."""
    return _words_of(record) | _words_below({"data": parsed_json(record.get("data"))})


def _words_below(response: Mapping[str, Any]) -> set[str]:
    """Return the status words anywhere in a response, without recursion."""
    words = set(_words_of(response))
    todo: list[Any] = [response]
    while todo:
        value = todo.pop()
        for entry in value.values() if isinstance(value, dict) else value:
            kind = type(entry)  # of parsed JSON; far cheaper than asking each value twice
            if kind is dict:
                if "status" in entry or "state" in entry:
                    words |= _words_of(entry)
                todo.append(entry)
            elif kind is list:
                todo.append(entry)
    return words
