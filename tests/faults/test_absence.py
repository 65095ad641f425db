"""Whether a task is there: never told by a reply that may not be whole."""

import gzip
import json
import threading
from collections.abc import Callable, Iterable

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.faults.rows import CHECK, COMMANDS, LOGIN, WATCH, check_stderr
from tests.support.fault_server import Request, Script, Step, answer, reply
from tests.support.patience import until
from tests.support.program import CANARY, Program
from tests.support.records import batch, error_body, finished, make_ids, running


IDS = make_ids(50)
OTHERS = make_ids(60, start=1 << 40)
NOT_KNOWN = {
    "{}": reply(200, b"{}"),
    "null": reply(200, b"null"),
    "404": reply(404, b""),
    "404 that names it": reply(404, error_body("not_found", "no such task")),
    "400 that names it": reply(400, error_body("bad_request", "Task not found")),
    "200 that names it": reply(200, error_body("", "task not found")),
    "404 as text": reply(404, b"Not Found", content_type="text/plain"),
    "404 as a page": reply(404, b"<html><title>Not Found</title>", content_type="text/html"),
    "410": reply(410, b"{}"),
    "does not exist": reply(400, error_body("bad_request", "task does not exist")),
    "null after a mark": reply(200, b"\xef\xbb\xbfnull"),
}
BOTH = ("check", "watch")


def newest(
    own: Iterable[str] = (),
    *,
    known: Iterable[str] = IDS,
    missing: Step = NOT_KNOWN["{}"],
    make: Callable[[str], object] = finished,
) -> Script:
    """Return a service that answers a batch with the newest tasks, of which `own` are asked for."""
    there = set(known)

    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            task_id = request.body["id"]
            return [reply(200, json.dumps(make(task_id)).encode()) if task_id in there else missing]
        return [reply(200, batch(map(make, [*own, *OTHERS][: request.body["limit"]])))]

    return script


@pytest.mark.parametrize("own", [0, 12, 49])
@pytest.mark.parametrize("command", BOTH)
def test_a_service_that_ignores_ids(flux: Program, service: Start, command: str, own: int) -> None:
    server = service(newest(IDS[:own]))
    run = flux(*COMMANDS[command], *IDS).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS, "succeeded")
    if command == "check":
        assert [record["id"] for record in run.records] == IDS
    assert len(server.requests) <= 51


@pytest.mark.parametrize("missing", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_each_way_to_say_that_a_task_is_not_known(
    flux: Program, service: Start, missing: Step
) -> None:
    server = service(newest(known=IDS[1:3], missing=missing))
    run = flux(*CHECK, *IDS[:4]).expect(ExitCode.OK)
    assert list(run.states.values()) == ["not_found", "succeeded", "succeeded", "not_found"]
    assert len(server.requests) == 5


def test_a_fault_that_denies_the_task_is_asked_about_once_more(
    flux: Program, service: Start
) -> None:
    missing = reply(500, error_body("api_error", "TaskNotFound"))
    server = service(newest(known=IDS[:1], missing=missing))
    run = flux(*CHECK, *IDS[:3]).expect(ExitCode.OK)
    assert list(run.states.values()) == ["succeeded", "not_found", "not_found"]
    assert len(server.requests) == 1 + 1 + 2 * 2


@pytest.mark.parametrize(
    "fault",
    [
        reply(503, error_body("service_unavailable", "endpoint not found")),
        reply(502, b'{"error": "DNS: host not found"}'),
        reply(500, error_body("api_error", "upstream host not found")),
        reply(429, error_body("too_many_requests", "quota not found"), retry_after="0"),
    ],
)
def test_trouble_is_asked_about_again_whatever_was_not_found(
    flux: Program, service: Start, fault: Step
) -> None:
    troubled: set[str] = set()

    def script(request: Request) -> list[Step]:
        if (task_id := request.body.get("id")) and task_id not in troubled:
            troubled.add(task_id)
            return [fault]
        return list(newest()(request))

    service(script)
    run = flux(*CHECK, *IDS[:3]).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS[:3], "succeeded")


def test_an_error_beside_no_items_is_that_error(flux: Program, service: Start) -> None:
    body = {"items": [], "count": 0, "error": {"code": "service_unavailable", "message": "down"}}
    server = service(lambda _: [reply(200, json.dumps(body).encode())])
    run = flux(*CHECK, *IDS, "--retries", "1").expect(ExitCode.NO_ANSWER, stderr="down")
    assert set(run.states.values()) == {"unknown"}
    assert len(server.requests) == 2


def test_an_error_beside_items_leaves_the_others_open(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        items = [finished(task_id) for task_id in request.ids[:20]]
        body = {"items": items, "count": 20, "error": {"code": "timeout", "message": "shard 2"}}
        return [reply(200, json.dumps(body).encode())]

    service(script)
    run = flux(*CHECK, *IDS).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS, "succeeded")


@pytest.mark.parametrize("more", [{"count": "3"}, {"count": 3.0}, {"total": 3}, {"has_more": True}])
def test_each_way_to_say_that_there_is_more(
    flux: Program, service: Start, more: dict[str, object]
) -> None:
    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            return [reply(200, json.dumps(finished(request.body["id"])).encode())]
        return [reply(200, json.dumps({"items": [], "count": 0, **more}).encode())]

    service(script)
    run = flux(*CHECK, *IDS[:3]).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS[:3], "succeeded")


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (reply(404, error_body("not_found", "task not found")), "not_found"),
        (reply(200, error_body("not_found", "x")), "not_found"),
        (reply(422, error_body("invalid_id", "x")), "unknown"),
    ],
)
def test_one_id_that_makes_the_batch_fail_costs_that_one_alone(
    flux: Program, service: Start, refusal: Step, state: str
) -> None:
    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            return [reply(200, b"{}")]
        return [refusal] if IDS[3] in request.ids else answer(request)

    server = service(script)
    run = flux(*CHECK, *IDS[:10])
    assert list(run.states.values()) == ["succeeded"] * 3 + [state] + ["succeeded"] * 6
    assert run.code == (ExitCode.NO_ANSWER if state == "unknown" else ExitCode.OK)
    assert len(server.requests) <= 10


@pytest.mark.parametrize("body", [error_body("no_api", "API not found"), b"", b"Not Found"])
def test_a_404_that_says_nothing_of_a_task_stops_at_once(
    flux: Program, service: Start, body: bytes
) -> None:
    server = service(lambda _: [reply(404, body)])
    flux(*CHECK, *IDS).expect(ExitCode.NO_ANSWER, stderr="Check the base URL")
    assert len(server.requests) == 1


@pytest.mark.parametrize("known", [0, 1, 49, 50])
def test_a_batch_that_is_answered_truly_is_believed(
    flux: Program, service: Start, known: int
) -> None:
    def script(request: Request) -> list[Step]:
        return [reply(200, batch(finished(i) for i in request.ids if i in IDS[:known]))]

    server = service(script)
    run = flux(*CHECK, *IDS).expect(ExitCode.OK)
    assert list(run.states.values()) == ["succeeded"] * known + ["not_found"] * (50 - known)
    assert {request.body["action"] for request in server.requests} == {"retrieve_batch"}
    assert len(server.requests) == 1 + (known < 50)


@pytest.mark.parametrize("items", [0, 1])
def test_a_count_larger_than_the_items(flux: Program, service: Start, items: int) -> None:
    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            return [reply(200, json.dumps(finished(request.body["id"])).encode())]
        shown = [finished(task_id) for task_id in IDS[:items]]
        return [reply(200, json.dumps({"items": shown, "count": 3}).encode())]

    service(script)
    run = flux(*CHECK, *IDS[:3]).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS[:3], "succeeded")


def test_an_answer_about_another_task_is_not_believed(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        if request.body.get("id") == IDS[1]:
            return [reply(200, json.dumps(finished(OTHERS[0])).encode())]
        return list(newest()(request))

    service(script)
    run = flux(*CHECK, *IDS[:3]).expect(ExitCode.NO_ANSWER, stderr="1 of 3 tasks: the service")
    assert list(run.states.values()) == ["succeeded", "unknown", "succeeded"]
    check_stderr(run)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (reply(403, error_body("forbidden")), "forbidden"),
        (reply(502, b""), "http_502"),
        (reply(500, error_body("api_error")), "api_error"),
        (reply(200, b"[]"), "bad_reply"),
    ],
)
def test_an_error_about_one_task_concerns_that_one_alone(
    flux: Program, service: Start, fault: Step, code: str
) -> None:
    def script(request: Request) -> list[Step]:
        return [fault] if request.body.get("id") == IDS[1] else list(newest()(request))

    service(script)
    run = flux(*CHECK, *IDS[:9], "--retries", "1").expect(ExitCode.NO_ANSWER)
    assert list(run.states.values()) == ["succeeded", "unknown", *["succeeded"] * 7]
    assert run.records[1]["error"]["code"] == code


def test_a_token_that_is_rejected_meanwhile_stops_all(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            return [reply(401, error_body("invalid_token"))]
        return list(newest()(request))

    server = service(script)
    run = flux(*CHECK, *IDS).expect(ExitCode.TOKEN, stderr="invalid_token")
    assert list(run.states) == IDS
    assert len(server.requests) <= 1 + 8


def test_single_questions_are_asked_side_by_side_and_no_more_than_allowed(
    flux: Program, service: Start
) -> None:
    lock = threading.Lock()
    under_way = most = 0

    def script(request: Request) -> list[Step]:
        nonlocal under_way, most
        if request.body["action"] == "retrieve":
            with lock:
                under_way += 1
                most = max(most, under_way)
            until(lambda: most == 4)
            with lock:
                under_way -= 1
        return list(newest()(request))

    service(script)
    run = flux(*CHECK, *IDS, "--concurrency", "4").expect(ExitCode.OK)
    assert list(run.states) == IDS
    assert most == 4


def test_single_questions_wait_when_the_service_asks_for_a_pause(
    flux: Program, service: Start
) -> None:
    times: list[float] = []

    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            times.append(request.at)
            if len(times) == 1:
                return [reply(429, error_body("too_many_requests"), retry_after="1")]
        return list(newest()(request))

    service(script)
    run = flux(*CHECK, *IDS[:9], "--concurrency", "1").expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS[:9], "succeeded")
    assert times[1] - times[0] >= 0.95


def test_a_watch_of_a_service_that_ignores_ids_asks_only_for_what_is_open(
    flux: Program, service: Start
) -> None:
    asked: dict[str, int] = dict.fromkeys(IDS[:10], 0)

    def script(request: Request) -> list[Step]:
        if request.body["action"] == "retrieve":
            asked[request.body["id"]] += 1
        return list(newest(make=make)(request))

    def make(task_id: str) -> object:
        is_slow = task_id == IDS[0] and asked[task_id] < 3
        return running(task_id) if is_slow else finished(task_id)

    server = service(script)
    run = flux(*WATCH, *IDS[:10]).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS[:10], "succeeded")
    assert list(asked.values()) == [3] + [1] * 9
    assert len(server.requests) == 3 + 3 + 9


HUGE = b" " * (17 << 20)


def test_a_reply_over_the_cap_is_asked_for_in_halves(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        if len(request.ids) > 20:
            return [reply(200, HUGE)]
        return answer(request)

    server = service(script)
    run = flux(*CHECK, *IDS).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS, "succeeded")
    assert len(server.requests) == 7


def test_only_a_single_task_over_the_cap_is_unknown(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        if IDS[2] in (*request.ids, request.body.get("id")):
            return [reply(200, HUGE)]
        return answer(request)

    service(script)
    run = flux(*CHECK, *IDS[:5]).expect(ExitCode.NO_ANSWER, stderr="larger than 16 MiB")
    assert list(run.states.values()) == ["succeeded"] * 2 + ["unknown"] + ["succeeded"] * 2
    error = run.records[2]["error"]
    assert error["code"] == "reply_too_large"
    assert "report its id to the service" in error["message"]


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_reply_in_several_gzip_members(flux: Program, service: Start, encoding: str) -> None:
    def script(request: Request) -> list[Step]:
        body = batch(map(finished, request.ids))
        packed = gzip.compress(body[:99]) + gzip.compress(body[99:])
        return [reply(200, packed, content_encoding=encoding)]

    service(script)
    run = flux(*CHECK, *IDS).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS, "succeeded")


OTHER_ACCOUNT = "No task was found. The token, from {}, may belong to another account."
LOOKS = (CHECK, WATCH, ("tasks", "download", "-d", "out"))


@pytest.mark.parametrize("command", LOOKS, ids=lambda command: command[1])
def test_a_token_of_another_account_is_suspected_when_no_task_is_found(
    flux: Program, service: Start, command: tuple[str, ...]
) -> None:
    service(lambda _: [reply(200, batch([]))])
    run = flux(*command, *IDS[:2])
    assert OTHER_ACCOUNT.format("FLUX_API_TOKEN") in run.stderr.splitlines()
    assert "another account" not in flux(*command, "-q", *IDS[:2]).stderr
    flux(*LOGIN, "--no-verify", stdin=CANARY, FLUX_API_TOKEN=None)
    run = flux(*command, *IDS[:2], FLUX_API_TOKEN=None)
    file = f"the file {flux.config / 'credentials.json'}"
    assert OTHER_ACCOUNT.format(file) in run.stderr.splitlines()


@pytest.mark.parametrize("command", LOOKS, ids=lambda command: command[1])
def test_no_account_is_suspected_when_a_task_is_found(
    flux: Program, service: Start, command: tuple[str, ...]
) -> None:
    service(lambda _: [reply(200, batch([running(IDS[0])]))])
    command = (*command, "--timeout", "0s") if command is WATCH else command
    assert "another account" not in flux(*command, *IDS[:2]).stderr


def test_a_rejected_token_gives_the_same_record_in_watch_as_in_check(
    flux: Program, service: Start
) -> None:
    service(lambda _: [reply(401, error_body("invalid_token", "says so"))])
    told = []
    for command in (CHECK, ("tasks", "watch"), ("tasks", "watch", "-o", "csv")):
        run = flux(*command, *IDS[:2]).expect(ExitCode.TOKEN)
        if "csv" in command:
            assert run.out.count("invalid_token: says so") == 2
        else:
            told.append([record | {"observed_at": None} for record in run.records])
    assert told[0] == told[1]
    assert [record["error"]["code"] for record in told[0]] == ["invalid_token"] * 2


def test_a_service_that_says_null_of_an_unknown_task_takes_the_token(
    flux: Program, service: Start
) -> None:
    for known in ("{}", "null", "404 that names it"):
        service(lambda _, known=known: [NOT_KNOWN[known]])  # type: ignore[misc]
        flux(*LOGIN, stdin=CANARY, FLUX_API_TOKEN=None).expect(ExitCode.OK)
    service(lambda _: [reply(404, b"")])
    flux(*LOGIN, stdin=CANARY, FLUX_API_TOKEN=None).expect(
        ExitCode.NO_ANSWER, stderr="Check the base URL"
    )
