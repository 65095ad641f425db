"""Which error a reply amounts to. The contract's whole table is in `test_responses`."""

from typing import Any

import pytest

from flux_cli import errors
from flux_cli.api.error_replies import error_for
from flux_cli.errors import ExitCode, ServiceError


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"code": "forbidden", "message": "no"}, errors.Refused),  # the code before the status
        (200, {"code": "invalid_token"}, errors.TokenRejected),
        (400, {"code": "429"}, errors.RateLimited),
        (401, "no", errors.TokenRejected),
        (429, None, errors.RateLimited),
        (500, None, errors.InternalFault),
        (502, None, errors.ServerFault),
        (418, {"code": "teapot"}, errors.Refused),
    ],
)
def test_the_code_decides_before_the_status(
    status: int, error: Any, kind: type[ServiceError]
) -> None:
    assert type(error_for(status, {"success": False, "error": error})) is kind


def test_moderation_says_what_to_change_and_nothing_about_the_token() -> None:
    error = error_for(403, {"error": {"code": "forbidden", "message": "policy"}})
    assert "change the prompt" in error.hint
    assert "log in" not in f"{error.message} {error.hint}".lower()
    assert error.exit_code is ExitCode.NO_ANSWER


@pytest.mark.parametrize("value", [None, [], "text", {"error": ["x" * 10_000_000]}])
def test_anything_else_is_one_short_line(value: Any) -> None:
    error = error_for(503, value, title=' titled "Sorry"', retry_after=7.0)
    assert len(error.message) < 500
    assert "\n" not in error.message
    assert error.retry_after == 7.0
