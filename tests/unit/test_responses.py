"""Bytes become a reply or one documented error, whatever they are."""

import contextlib
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.decoding import BodyCut, BodyTooLarge, UnknownEncoding, read_body
from flux_cli.api.responses import (
    ResponseHead,
    parse_batch,
    parse_known_api,
    parse_object,
    parse_record,
)
from flux_cli.errors import ExitCode, ServiceError
from tests.support.records import error_body
from tests.unit.test_state import JSON


CONTRACT = Path(__file__).parent.parent / "contract"
HTML = b"<html><head><title>\n Sign in </title></head><body>welcome</body></html>"


def failure(status: int, body: bytes, content_type: str = "") -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        parse_batch(ResponseHead(status, content_type), body)
    return caught.value


def test_keeps_the_records_that_are_objects() -> None:
    reply = parse_batch(
        ResponseHead(200), b'{"items": [{"id": "a"}, 5, null, "x", []], "count": 99}'
    )
    assert reply.items == ({"id": "a"},)
    assert (reply.size, reply.total) == (5, 99)


@pytest.mark.parametrize("count", ["null", '"many"', "1.5", "[]"])
def test_a_count_that_is_no_number_says_nothing(count: str) -> None:
    assert parse_batch(ResponseHead(200), b'{"items": [], "count": %s}' % count.encode()).total == 0


NO_SUCH_TASK = [
    (200, b"{}"),
    (200, b" null\n"),
    (200, b'{"success": false, "error": "task not found"}'),
    (404, b'{"error": {"code": "not_found", "message": "no such task"}}'),
    (400, b'{"error": {"code": "bad_request", "message": "Task not found."}}'),
    (400, b'{"error": {"code": "bad_request", "message": "The task abc-1 does not exist"}}'),
    (422, b'{"error": {"code": "task_not_found"}}'),
    (200, b'{"error": {"code": "not_found", "message": "?"}}'),
    (200, b"\xef\xbb\xbfnull"),
]


@pytest.mark.parametrize(("status", "body"), NO_SUCH_TASK)
def test_a_single_task_that_the_service_says_it_does_not_know(status: int, body: bytes) -> None:
    assert parse_record(ResponseHead(status), body) is None
    assert parse_known_api(ResponseHead(status), body) is None


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"message": "?"}', b"Not Found", HTML, b'{"error": "Not Found"}']
)
def test_a_404_is_an_unknown_task_where_the_api_is_known(status: int, body: bytes) -> None:
    assert parse_known_api(ResponseHead(status), body) is None
    with pytest.raises(errors.Refused):
        parse_record(ResponseHead(status), body)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("message", ["TaskNotFound", "task not found", "Task a-1 does not exist"])
def test_a_fault_that_denies_the_task_is_to_be_said_twice(status: int, message: str) -> None:
    for parse in (parse_record, parse_known_api):
        with pytest.raises(errors.TaskDenied):
            parse(ResponseHead(status), error_body("api_error", message))


NOT_OF_THE_TASK: list[tuple[int, str, type[ServiceError]]] = [
    (429, "too_many_requests", errors.RateLimited),
    (500, "api_error", errors.InternalFault),
    (500, "not_found", errors.InternalFault),
    (502, "", errors.ServerFault),
    (503, "service_unavailable", errors.ServerFault),
    (504, "timeout", errors.ServerFault),
    (503, "not_found", errors.ServerFault),
    (200, "service_unavailable", errors.ServerFault),
    (400, "bad_request", errors.BadRequest),
    (403, "forbidden", errors.BadRequest),
    (403, "not_found", errors.BadRequest),
    (404, "forbidden", errors.BadRequest),
    (401, "", errors.TokenRejected),
    (404, "no_api", errors.Refused),
]


@pytest.mark.parametrize("what", ["upstream host", "endpoint", "quota", "policy", "task queue"])
@pytest.mark.parametrize(("status", "code", "kind"), NOT_OF_THE_TASK)
def test_something_else_that_was_not_found_says_nothing_of_the_task(
    status: int, code: str, kind: type[ServiceError], what: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_known_api(ResponseHead(status), error_body(code, f"{what} not found"))
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [429, 502, 503, 504, 401, 403])
def test_no_status_of_trouble_denies_a_task(status: int) -> None:
    for body in (error_body("", "task not found"), b'{"error": "task not found"}'):
        with pytest.raises(ServiceError) as caught:
            parse_known_api(ResponseHead(status), body)
        assert not isinstance(caught.value, errors.NotFound | errors.TaskDenied)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, error_body("not_found", "task a not found"), errors.NotFound),
        (404, error_body("not_found"), errors.NotFound),
        (200, error_body("not_found"), errors.NotFound),
        (200, b'{"error": "Task not found"}', errors.NotFound),
        (422, error_body("invalid_id"), errors.BadRequest),
        (422, b"", errors.BadRequest),
        (404, error_body("no_api", "API not found"), errors.Refused),
        (404, b'{"error": "Not Found"}', errors.Refused),
        (404, b"{}", errors.Refused),
        (422, error_body("used_up"), errors.Refused),
        (500, error_body("api_error", "TaskNotFound"), errors.InternalFault),
    ],
)
def test_a_batch_is_refused_because_of_an_id_or_for_another_reason(
    status: int, body: bytes, kind: type[ServiceError]
) -> None:
    assert type(failure(status, body)) is kind


@pytest.mark.parametrize(
    ("fields", "total"),
    [
        ('"count": "50"', 50),
        ('"count": 50.0', 50),
        ('"count": 0, "total": 50', 50),
        ('"count": 50, "total": 0', 50),
        ('"count": 0, "has_more": true', 0),
        ('"count": 0, "error": {"code": "timeout"}', 0),
        ('"count": 0, "success": false', 0),
    ],
)
def test_a_reply_that_says_it_is_not_all_is_not_whole(fields: str, total: int) -> None:
    reply = parse_batch(ResponseHead(200), f'{{"items": [], {fields}}}'.encode())
    assert reply.total == total
    assert not reply.may_be_whole
    assert parse_batch(ResponseHead(200), b'{"items": [], "has_more": false}').may_be_whole


def test_an_error_beside_items_is_read_like_any_other() -> None:
    body = json.dumps({"items": [{"id": "a"}], "error": {"code": "timeout"}, "success": False})
    reply = parse_batch(ResponseHead(200), body.encode())
    assert reply.items == ({"id": "a"},)
    assert type(reply.error) is errors.ServerFault
    assert parse_batch(ResponseHead(200), b'{"items": [], "error": null}').error is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"code": "forbidden"}}',
        b'{"error": {"code": 403}}',
        b'{"error": "forbidden"}',
        b'{"code": "forbidden", "message": "x"}',
    ],
)
def test_each_way_to_say_forbidden_is_moderation(body: bytes) -> None:
    assert "content moderation" in failure(403, body).hint


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, error_body("no_api", "API not found"), errors.Refused),
        (401, error_body("invalid_token", "token not found"), errors.TokenRejected),
        (403, error_body("disabled", "not found"), errors.Refused),
        (405, b"", errors.BadRequest),
        (403, error_body("forbidden"), errors.BadRequest),
        (418, error_body("teapot"), errors.BadRequest),
        (429, error_body("too_many_requests"), errors.RateLimited),
        (502, b"<html><title>not found</title></html>", errors.ServerFault),
        (200, b"<html><title>not found</title></html>", errors.NotTheApi),
        (200, b"[]", errors.BrokenContract),
        (200, b"", errors.ConnectionFault),
        (302, b"not found", errors.NotTheApi),
    ],
)
def test_anything_else_says_nothing_of_a_single_task(
    status: int, body: bytes, kind: type[ServiceError]
) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_known_api(ResponseHead(status), body)
    assert type(caught.value) is kind


# The contract's table of errors, row by row, and the other statuses that a code may come with.
BY_CODE: list[tuple[type[ServiceError], tuple[str, ...], tuple[int, ...]]] = [
    (errors.TokenRejected, ("no_token", "token_mismatched"), (400, 401, 200, 403, 500)),
    (errors.TokenRejected, ("invalid_token", "token_expired"), (401, 200, 403, 500)),
    (errors.BadRequest, ("bad_request", "Bad_Request"), (400, 401, 200, 500)),
    (errors.Refused, ("api_not_implemented", "disabled"), (400, 403, 401, 200, 500)),
    (errors.Refused, ("used_up", "forbidden"), (403, 401, 400, 200, 500, 503)),
    (errors.Refused, ("no_api",), (404, 401, 200, 500)),
    (errors.RateLimited, ("too_many_requests",), (429, 401, 403, 200, 500)),
    (errors.InternalFault, ("api_error",), (500, 401, 400, 429, 503, 200)),
    (errors.ServerFault, ("service_unavailable",), (503, 401, 403, 400, 500, 200)),
    (errors.ServerFault, ("timeout",), (504, 408, 401, 403, 400, 500, 200)),
    (errors.ServerFault, ("bad_gateway",), (502, 503)),
    (errors.Refused, ("something_new", "40301"), (418, 403)),
    # the number of a status as a code, which then decides
    (errors.TokenRejected, ("401",), (200, 400, 403, 500)),
    (errors.BadRequest, ("400",), (200, 400, 500)),
    (errors.Refused, ("403", "404"), (200, 400, 401, 500)),
    (errors.RateLimited, ("429",), (200, 400, 500)),
    (errors.InternalFault, ("500",), (200, 400, 503)),
    (errors.ServerFault, ("502", "503", "504", "408"), (200, 400, 401, 500)),
]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(s, c, kind) for kind, codes, statuses in BY_CODE for c in codes for s in statuses],
)
def test_decides_by_code_first(status: int, code: str, kind: type[ServiceError]) -> None:
    error = failure(status, error_body(code, "because"))
    assert type(error) is kind
    assert (error.code, error.trace_id) == (code, "trace-1")
    assert error.message == f"the service answered {code}: because"


@pytest.mark.parametrize("code", [401, 503, 0, None, True, "0", "", " "])
def test_a_code_may_be_a_number_and_nothing_is_no_code(code: object) -> None:
    error = failure(400, json.dumps({"error": {"code": code, "message": "no"}}).encode())
    kinds = {401: errors.TokenRejected, 503: errors.ServerFault}
    is_number = code in (401, 503)
    assert type(error) is (
        kinds[code] if isinstance(code, int) and is_number else errors.BadRequest
    )
    assert error.code == (str(code) if is_number else "http_400")


def test_moderation_is_not_about_the_token() -> None:
    error = failure(403, error_body("forbidden", "flagged"))
    assert error.exit_code is ExitCode.NO_ANSWER
    assert error.hint.startswith("Blocked by the service's content moderation: change the prompt")
    assert not [word for word in ("token", "log in", "login") if word in error.hint.lower()]


def test_a_record_with_an_error_of_its_own_is_an_answer() -> None:
    record = {"id": "a", "error": {"code": "api_error", "message": "no"}}
    assert parse_object(ResponseHead(200), json.dumps(record).encode()) == record
    with pytest.raises(errors.InternalFault):
        parse_object(ResponseHead(200), json.dumps({**record, "success": False}).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.TokenRejected),
        (403, errors.Refused),
        (404, errors.Refused),
        (400, errors.BadRequest),
        (408, errors.ServerFault),
        (425, errors.ServerFault),
        (429, errors.RateLimited),
        (500, errors.InternalFault),
        (502, errors.ServerFault),
        (503, errors.ServerFault),
        (504, errors.ServerFault),
        (599, errors.ServerFault),
    ],
)
@pytest.mark.parametrize("body", [b"", HTML, b"{", b"[]", b'{"error": null}', b'{"error": [1]}'])
def test_decides_by_status_without_a_code(
    status: int, kind: type[ServiceError], body: bytes
) -> None:
    error = failure(status, body)
    assert type(error) is kind
    assert error.code == f"http_{status}"
    assert "welcome" not in error.message


def test_names_the_title_of_an_error_page_and_nothing_else_of_it() -> None:
    assert failure(502, HTML).message == 'the service answered HTTP 502 titled "Sign in"'


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_the_api(status: int) -> None:
    assert type(failure(status, b"")) is errors.NotTheApi


@pytest.mark.parametrize("content_type", ["", "text/html; charset=utf-8"])
def test_a_web_page_is_not_the_api(content_type: str) -> None:
    error = failure(200, HTML, content_type)
    assert type(error) is errors.NotTheApi
    assert "captive portal" in error.hint


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", errors.ConnectionFault, "the reply is empty"),
        (b'{"items": [', errors.ConnectionFault, "the reply is not complete JSON"),
        (b"[" * 100_000, errors.ConnectionFault, "the reply is not complete JSON"),
        (
            b'{"items": ' + b"9" * 5000 + b"}",
            errors.ConnectionFault,
            "the reply is not complete JSON",
        ),
        (b"[1]", errors.BrokenContract, "top level is not an object"),
        (b"{}", errors.BrokenContract, '"items" is missing'),
        (b'{"items": {}}', errors.BrokenContract, '"items" is not a list'),
        (b'{"success": false, "error": null}', errors.BrokenContract, '"items" is missing'),
        (b'{"success": false, "error": "odd"}', errors.InternalFault, "HTTP 200: odd"),
        (b'{"success": false, "error": [1]}', errors.InternalFault, "HTTP 200"),
    ],
)
def test_a_200_that_is_no_reply(body: bytes, kind: type[ServiceError], message: str) -> None:
    error = failure(200, body)
    assert type(error) is kind
    assert message in error.message


def test_the_documented_errors() -> None:
    error = failure(401, (CONTRACT / "error-401.json").read_bytes())
    assert type(error) is errors.TokenRejected
    assert error.trace_id == "2efa9340-b21b-4e26-9e14-4aac95f343ab"
    error = failure(500, (CONTRACT / "error-500.json").read_bytes())
    assert type(error) is errors.InternalFault
    assert error.message == "the service answered api_error: fetch failed"


def test_an_enormous_error_is_cut_to_300_characters() -> None:
    error = failure(403, error_body("used_up", "x\n" * 5_000_000))
    assert len(error.message) < 350
    assert "\n" not in error.message


def test_numbers_that_json_does_not_have_become_null() -> None:
    reply = parse_batch(ResponseHead(200), b'{"items": [{"a": NaN, "b": -Infinity}]}')
    assert reply.items == ({"a": None, "b": None},)


@given(st.integers(100, 999), st.one_of(st.binary(), JSON.map(lambda v: json.dumps(v).encode())))
def test_anything_is_a_reply_or_an_error(status: int, body: bytes) -> None:
    for parse in (parse_batch, parse_object):
        with contextlib.suppress(ServiceError):
            parse(ResponseHead(status), body)


def test_reads_plain_and_gzipped_bodies() -> None:
    assert read_body([b"ab", b"c"], "") == b"abc"
    packed = gzip.compress(b"abc" * 1000)
    assert read_body([packed[:5], packed[5:]], "gzip") == b"abc" * 1000


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("padding", [b"", b"\0" * 8])
def test_a_gzipped_body_may_have_several_members(encoding: str, size: int, padding: bytes) -> None:
    packed = b"".join(map(gzip.compress, (b"abc", b"", b"def" * 1000))) + padding
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert read_body(chunks, encoding) == b"abc" + b"def" * 1000


def test_the_cap_is_for_all_members_together() -> None:
    members = [gzip.compress(b"\0" * 1000)] * 3
    for chunks in (members, [b"".join(members)]):
        assert len(read_body(chunks, "gzip", max_bytes=3000)) == 3000
        with pytest.raises(BodyTooLarge):
            read_body(chunks, "gzip", max_bytes=2999)


def test_a_later_member_that_is_cut_or_damaged_is_noticed() -> None:
    first, second = gzip.compress(b"abc"), gzip.compress(b"def" * 1000)
    for broken in (second[:1], second[:-1], second[: len(second) // 2], b"\x1f\x8bnot gzip"):
        with pytest.raises(BodyCut):
            read_body([first + broken], "gzip")


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_body_over_the_cap_is_cut(encoding: str) -> None:
    body = b"\0" * 2000
    chunks = [gzip.compress(body)] if encoding else [body[:1500], body[1500:]]
    with pytest.raises(BodyTooLarge):
        read_body(chunks, encoding, max_bytes=1999)
    assert len(read_body(chunks, encoding, max_bytes=2000)) == 2000


def test_a_truncated_or_damaged_gzip_body_is_noticed() -> None:
    packed = gzip.compress(b"abc" * 1000)
    for broken in (packed[:-1], packed[: len(packed) // 2], b"not gzip at all"):
        with pytest.raises(BodyCut):
            read_body([broken], "gzip")


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(UnknownEncoding):
        read_body([b""], "br")


@given(st.lists(st.binary(max_size=50)), st.sampled_from(["", "identity", "gzip", "x-gzip", "br"]))
def test_any_bytes_are_a_body_or_one_of_three_errors(chunks: list[bytes], encoding: str) -> None:
    with contextlib.suppress(BodyTooLarge, BodyCut, UnknownEncoding):
        assert len(read_body(chunks, encoding, max_bytes=100)) <= 100


@given(st.lists(st.binary(), min_size=1, max_size=4), st.integers(1, 50))
def test_a_gzipped_body_is_read_however_it_is_cut(members: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, members))
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    assert read_body(chunks, "gzip") == b"".join(members)
