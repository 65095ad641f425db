"""What an error says of a submission's fate."""

import pytest

from flux_cli.engine.submission_fate import fate_of, reason_of, refusal_of_all, was_not_taken
from flux_cli.errors import BadRequest, ConnectionFault, RateLimited, Refused, ServiceError
from flux_cli.models.submission import SubmissionState
from flux_cli.models.task import TaskError


@pytest.mark.parametrize(
    ("kind", "may_have_taken_effect", "fate"),
    [
        (ConnectionFault, True, SubmissionState.UNKNOWN),
        (ConnectionFault, False, SubmissionState.PLANNED),
        (RateLimited, False, SubmissionState.PLANNED),
        (Refused, False, SubmissionState.PLANNED),
        (BadRequest, False, SubmissionState.REFUSED),
        (BadRequest, True, SubmissionState.UNKNOWN),
    ],
)
def test_what_may_have_been_taken_is_in_doubt_whatever_else_is_said(
    kind: type[ServiceError], may_have_taken_effect: bool, fate: SubmissionState
) -> None:
    error = kind("no", code="x", may_have_taken_effect=may_have_taken_effect)
    assert fate_of(error) is fate
    assert was_not_taken(error) is not may_have_taken_effect


def test_a_record_does_not_say_who_answered() -> None:
    error = BadRequest("the service answered bad_request: size is required.", code="bad_request")
    assert reason_of(error) == TaskError("bad_request", "size is required.")
    assert reason_of(ConnectionFault("it was lost", code="x")) == TaskError("x", "it was lost")


def test_the_refusal_of_all_names_the_last_and_their_number() -> None:
    stop = refusal_of_all(BadRequest("no such model", code="bad_request", trace_id="t-1"), 20)
    assert stop.message == "no such model; the first 20 prompts were all refused"
    assert (stop.code, stop.trace_id, stop.may_have_taken_effect) == ("bad_request", "t-1", False)
