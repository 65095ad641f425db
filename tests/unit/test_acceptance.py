"""What the reply to a submission means: a task, an error, and whether it is certain."""

import json
from pathlib import Path
from typing import Any

import pytest

from flux_cli import errors
from flux_cli.api.acceptance import Acceptance, parse_acceptance
from flux_cli.api.responses import ResponseHead
from flux_cli.errors import ServiceError
from flux_cli.token import Token


CONTRACT = Path(__file__).parents[1] / "contract"
TASK = "5f7fa1f0-3a8c-4c41-8e0c-1b3d7b7e2f11"
TRACE = "trace-1"
TOKEN = "0d5f3f4e-7d43-4b7e-9b8e-3d1f0c9a7b66"  # noqa: S105 - a UUID as tokens are, and none
PAGE = b"<!doctype html><html><head><title>Bad gateway</title></head><body>no</body></html>"


def parse(status: int, document: Any, kind: str = "application/json") -> Acceptance:
    """Read a reply as the client does: the token is hidden in it before."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    token = Token(TOKEN)
    return parse_acceptance(ResponseHead(status, kind), token.hide_bytes(body), token=token)


def failed(code: str = "", **rest: Any) -> dict[str, Any]:
    """Return an error in the contract's shape."""
    return {"success": False, "error": {"code": code, "message": "no"}, "trace_id": TRACE, **rest}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("reply", "task_id"),
    [
        ({"task_id": TASK, "trace_id": TRACE}, TASK),
        ({"success": True, "task_id": TASK, "trace_id": TRACE}, TASK),
        ({"task_id": TASK}, TASK),
        ({"id": TASK}, TASK),
        ({"task_id": TASK, "id": "another-id-1"}, TASK),
        ({"task_id": None, "id": TASK}, TASK),
        ({"task_id": TASK, "error": None}, TASK),
        ({"task_id": TASK, "error": {}}, TASK),
        ({"task_id": TASK.upper()}, TASK),  # as the history spells it
        ({"task_id": 1234567}, "1234567"),  # as a record may have it
        ({"data": {"task_id": TASK}}, TASK),
        ({"response": {"id": TASK}}, TASK),
        ({"result": json.dumps({"task_id": TASK})}, TASK),
    ],
)
def test_a_task_is_accepted(status: int, reply: dict[str, Any], task_id: str) -> None:
    assert parse(status, reply) == Acceptance(task_id, reply.get("trace_id"))


def test_the_documented_reply_is_understood() -> None:
    reply = json.loads((CONTRACT / "accepted-async.json").read_text())
    assert parse(200, reply) == Acceptance(reply["task_id"], reply["trace_id"])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((200, "api_error"), (403, "forbidden"), (429, "too_many_requests"), (500, "api_error")),
        *((503, "service_unavailable"), (504, "timeout"), (200, "used_up")),
    ],
)
def test_a_reply_that_names_its_task_is_about_that_task(status: int, code: str) -> None:
    """As the final response of a task is, which says how it went; so nothing is sent again."""
    assert parse(status, failed(code, task_id=TASK)).task_id == TASK
    assert parse(status, {"response": failed(code, task_id=TASK)}).task_id == TASK


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, failed("no_token"), errors.TokenRejected),
        (400, failed("token_mismatched"), errors.TokenRejected),
        (401, failed("invalid_token"), errors.TokenRejected),
        (401, failed("token_expired"), errors.TokenRejected),
        (401, {}, errors.TokenRejected),
        (200, failed("invalid_token"), errors.TokenRejected),
        (403, failed("used_up"), errors.Refused),
        (200, failed("used_up"), errors.Refused),
        (400, failed("disabled"), errors.Refused),
        (403, failed("disabled"), errors.Refused),
        (400, failed("api_not_implemented"), errors.Refused),
        (404, failed("no_api"), errors.Refused),
        (404, b"", errors.Refused),
        (404, PAGE, errors.Refused),
        (402, failed("whatever"), errors.Refused),
        (405, {}, errors.Refused),
        (429, failed("too_many_requests"), errors.RateLimited),
        (429, PAGE, errors.RateLimited),
        (200, failed("too_many_requests"), errors.RateLimited),
        (500, failed("too_many_requests"), errors.RateLimited),
        (503, failed("service_unavailable"), errors.ServerFault),
        (301, b"", errors.NotTheApi),
        (307, PAGE, errors.NotTheApi),
        (308, {"task_id": TASK}, errors.NotTheApi),
    ],
)
def test_nothing_was_taken_and_all_is_to_wait(
    status: int, error: Any, kind: type[ServiceError]
) -> None:
    """It is the account, the address, or the moment: what was not taken may be sent later."""
    with pytest.raises(kind) as caught:
        parse(status, error)
    assert not isinstance(caught.value, errors.BadRequest)
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, failed("bad_request"), "bad_request"),
        (400, failed(""), "http_400"),
        (400, {"error": "size is required"}, "http_400"),
        (400, {"error": None}, "http_400"),
        (400, PAGE, "http_400"),
        (200, failed("bad_request"), "bad_request"),
        (403, failed("forbidden"), "forbidden"),
        (200, failed("forbidden"), "forbidden"),
        (403, failed("403"), "403"),
        (403, PAGE, "http_403"),
        (409, failed("conflict"), "conflict"),
        (413, PAGE, "http_413"),
        (422, {"detail": "no"}, "http_422"),
        (451, failed("legal"), "legal"),
        (400, failed("400"), "400"),
    ],
)
def test_one_prompt_is_refused_and_the_others_go_on(status: int, error: Any, code: str) -> None:
    with pytest.raises(errors.BadRequest) as caught:
        parse(status, error)
    assert caught.value.code == code
    assert not caught.value.may_have_taken_effect


def test_moderation_says_what_to_do_and_does_not_stop() -> None:
    with pytest.raises(errors.BadRequest) as caught:
        parse(403, failed("forbidden"))
    assert "moderation" in caught.value.hint
    assert caught.value.trace_id == TRACE


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        (200, {}),
        (200, {"success": True}),
        (200, {"success": False}),
        (200, {"success": False, "id": TASK}),
        (200, {"success": True, "trace_id": TRACE}),
        (200, {"error": "fetch failed"}),
        (200, failed("api_error")),
        (200, failed("a_word_that_nobody_knows")),
        (200, failed("service_unavailable")),
        (200, b""),
        (200, b'{"task_id": "5f7fa1f0-3a8c'),
        (200, []),
        (200, [{"task_id": TASK}]),
        (200, None),
        (200, PAGE),
        (204, b""),
        (206, b""),
        (302, b""),  # what was posted may have been taken, and its page be elsewhere
        (303, {"task_id": TASK}),
        (408, {}),
        (425, failed("")),
        (500, failed("api_error")),
        (500, PAGE),
        (500, failed("429")),  # that of another service, behind this one, which took it
        (502, failed("400")),
        (502, PAGE),
        (503, PAGE),
        (503, {}),
        (503, failed("timeout")),
        (504, failed("timeout")),
        (504, failed("service_unavailable")),
        (504, PAGE),
        (520, PAGE),
    ],
)
def test_whatever_else_comes_leaves_it_in_doubt(status: int, reply: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        parse(status, reply)
    assert caught.value.may_have_taken_effect


@pytest.mark.parametrize(
    "task_id",
    [
        *("", "null", "None", "undefined", "task_id", "---", "two words", "käse", "a" * 129),
        *("5f7fa1f0-3a8c-4c41-8e0c-", "\x1b[31m1", "<b>1</b>", TOKEN, TOKEN.upper()),
        *(True, False, 1.5, None, [TASK], {"id": TASK}),
    ],
)
@pytest.mark.parametrize("key", ["task_id", "id"])
def test_what_cannot_be_an_id_is_none(key: str, task_id: Any) -> None:
    with pytest.raises(errors.BrokenContract, match="it has no task id") as caught:
        parse(200, {key: task_id, "trace_id": TRACE})
    assert caught.value.may_have_taken_effect
    assert caught.value.trace_id == TRACE
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_id_beside_an_error_is_that_of_the_error(status: int) -> None:
    """Services number their errors, too; only `task_id` is without doubt a task's."""
    with pytest.raises(ServiceError):
        parse(status, failed("api_error", id=TASK))
    with pytest.raises(ServiceError):
        parse(status, {"error": {"code": "bad_request", "task_id": TASK}})


@pytest.mark.parametrize("key", ["request", "error", "trace", "output"])
def test_an_id_elsewhere_in_the_reply_is_not_taken_for_the_task(key: str) -> None:
    with pytest.raises(errors.BrokenContract):
        parse(200, {"trace_id": TRACE, key if key != "error" else "note": {"id": TASK}})


def test_the_message_is_one_line_whatever_the_service_says() -> None:
    long = {"error": {"code": "forbidden", "message": "no\n" * 9000}}
    with pytest.raises(errors.BadRequest) as caught:
        parse(403, long)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400
