"""What the service answers: statuses, errors, bodies, items."""

import email.utils
import gzip
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Faults, Sandbox
from tests.end_to_end.test_check import Start
from tests.faults.rows import (
    CHECK,
    COMMANDS,
    IDS,
    LOGIN,
    WATCH,
    Row,
    always,
    cases,
    label,
    meet,
    once,
)
from tests.support.fault_server import Request, Step, answer, reply
from tests.support.program import CANARY, Program
from tests.support.records import batch, error_body, finished, make_ids, running


SET_TOKEN = "Set FLUX_API_TOKEN to a valid token"  # noqa: S105 - no token
HTML = b"<html><head><title>Bad\ngateway \x1b[31m</title></head><body>long page</body></html>"
TOKEN_CODES = ("invalid_token", "token_expired", "token_mismatched", "no_token")
BOTH = ("check", "watch")


def error(status: int, code: str, **headers: str) -> bytes:
    return reply(status, error_body(code, "says so"), **headers)


def body(status: int, content: object) -> bytes:
    return reply(status, json.dumps(content).encode())


REJECTED = [
    Row(f"{status} {code}", always(error(status, code)), ExitCode.TOKEN, code, requests=1)
    for status, codes in {
        401: TOKEN_CODES,
        400: ("no_token", "token_mismatched"),
        200: ("invalid_token",),
        403: ("token_expired",),
        500: ("invalid_token",),
    }.items()
    for code in codes
] + [
    Row("401 without a code", always(reply(401, b"")), ExitCode.TOKEN, "HTTP 401", requests=1),
    Row("401 with a page", always(reply(401, HTML)), ExitCode.TOKEN, "HTTP 401", requests=1),
]
REFUSED = [
    Row("403 used_up", always(error(403, "used_up")), says="Top up your balance", requests=1),
    Row("403 forbidden", always(error(403, "forbidden")), says="change the prompt", requests=1),
    Row("401 forbidden", always(error(401, "forbidden")), says="change the prompt", requests=1),
    Row("403 disabled", always(error(403, "disabled")), says="disabled: says so", requests=1),
    Row("400 disabled", always(error(400, "disabled")), says="disabled: says so", requests=1),
    Row("404 no_api", always(error(404, "no_api")), says="Check the base URL", requests=1),
    Row("unknown 4xx", always(error(418, "teapot")), says="teapot: says so", requests=1),
    Row("4xx without a body", always(reply(451, b"")), says="HTTP 451", requests=1),
    Row("400 for everything", always(error(400, "bad_request")), says="bad_request: says so"),
]
FAULTY = [
    Row("500 once", once(error(500, "api_error")), ExitCode.OK, requests=2, commands=BOTH),
    *(
        Row(name, once(error(403, name)), ExitCode.OK, requests=2, commands=BOTH)
        for name in ("service_unavailable", "timeout", "503", "429")
    ),
    Row("500 always", always(error(500, "api_error")), says="(trace id trace-1)", requests=2),
    *(
        Row(f"{status} always", always(reply(status, HTML)), says=f"HTTP {status}", requests=2)
        for status in (502, 503, 504, 408, 425, 599)
    ),
    *(
        Row(f"{status} once", once(reply(status, HTML)), ExitCode.OK, requests=2, commands=BOTH)
        for status in (502, 503, 504, 408, 425)
    ),
    *(
        Row(f"{status} with {name}", always(reply(status, content)), says=says, requests=requests)
        for status, requests in ((403, 1), (503, 2))
        for name, content, says in (
            ("error a string", b'{"success": false, "error": "out of \\u001b[2J luck"}', "out of"),
            ("error null", b'{"success": false, "error": null}', f"HTTP {status}"),
            ("error a list", b'{"success": false, "error": [1, {}]}', f"HTTP {status}"),
            ("error of 5 MB", error_body("oops", "x\n" * 2_500_000), "oops: x x x"),
            ("code of 5 MB", error_body("x" * 5_000_000), "xxx…"),
            ("invalid JSON", b'{"success": fal', f"HTTP {status}"),
            ("not UTF-8", b'\xff\xfe{"error"', f"HTTP {status}"),
        )
    ),
]
UNSUCCESSFUL = [
    Row("200 used_up", always(error(200, "used_up")), says="used_up: says so", requests=1),
    Row("200 bad_request", always(error(200, "bad_request")), says="bad_request: says so"),
    Row("200 api_error", always(error(200, "api_error")), says="api_error", requests=2),
    Row("200 error once", once(error(200, "api_error")), ExitCode.OK, requests=2, commands=BOTH),
    Row("200 error a string", always(body(200, {"success": False, "error": "no"})), says="no"),
]
BOMB = gzip.compress(b"\0" * 200_000_000)
BODIES = [
    Row("body of 50 MB", always(reply(200, b" " * 50_000_000)), says="larger than 16 MiB"),
    Row("compressed bomb", always(reply(200, BOMB, content_encoding="gzip")), says="than 16 MiB"),
    Row(
        "a bomb in an error",
        always(reply(500, BOMB, content_encoding="gzip")),
        says="HTTP 500",
    ),
    Row(
        "truncated gzip",
        always(reply(200, gzip.compress(b"{}" * 1000)[:-9], content_encoding="gzip")),
        says="cut short",
    ),
    Row(
        "an encoding that was not asked for",
        always(reply(200, b"{}", content_encoding="br")),
        says="flux did not ask for",
    ),
    Row("body empty", always(reply(200, b"")), says="the reply is empty", requests=2),
    Row("body not whole", always(reply(200, b'{"items": [')), says="not complete JSON", requests=2),
    Row(
        "nested too deep",
        always(reply(200, b'{"items":' + b"[" * 200_000)),
        says="not complete JSON",
    ),
    *(
        Row(f"top level {content.decode()}", always(reply(200, content)), says="not an object")
        for content in (b"[]", b"7", b'"x"', b"NaN")
    ),
    Row("top level null", always(reply(200, b"null")), says="not an object", commands=BOTH),
    *(
        Row(f"items {what}", always(body(200, content)), says=f'"items" {says}', commands=BOTH)
        for what, content, says in (
            ("missing", {"count": 3}, "is missing"),
            ("null", {"items": None}, "is missing"),
            ("an object", {"items": {"a": 1}}, "is not a list"),
            ("a string", {"items": "x"}, "is not a list"),
        )
    ),
]
NONSENSE: list[Any] = [None, 7, "x", [], {}, {"id": None}, {"id": 7}, {"id": ""}, {"task_id": "x"}]


def items(
    make: Callable[[list[str]], list[Any]], **more: object
) -> Callable[[Request], list[Step]]:
    """Return a script that answers with what `make` makes of the ids."""
    return lambda request: [body(200, {"items": make(request.ids), **more})]


def good(ids: list[str]) -> list[Any]:
    return [finished(task_id) for task_id in ids]


ITEMS = [
    Row(name, script, ExitCode.OK, requests=1, commands=BOTH)
    for name, script in (
        ("items that are not objects or lack an id", items(lambda ids: NONSENSE + good(ids))),
        ("items twice", items(lambda ids: good(ids) + good(ids))),
        ("items twice, state differs", items(lambda ids: [*map(running, ids), *good(ids)])),
        ("items twice, terminal first", items(lambda ids: [*good(ids), *map(running, ids)])),
        ("items never asked for", items(lambda ids: good(["evil", *ids, "", "0"]))),
        ("items in another order", items(lambda ids: good(ids)[::-1])),
        ("items in capitals", items(lambda ids: good([i.upper() for i in ids]))),
        ("count that lies", items(good, count=-1)),
        ("count that is no number", items(good, count="many")),
        ("unknown keys", items(good, limit=12, next="http://x", error=None, success=True)),
    )
]
TIMES: list[Any] = [
    float("nan"), float("inf"), -float("inf"), True, False, "soon", "1e9", [], {}, -1, 0, 1e400,
    10**400, 1e15, 4102444800, None,
]  # fmt: skip


@pytest.mark.parametrize(("row", "command"), cases(REJECTED), ids=label)
def test_rejected_tokens(flux: Program, service: Start, row: Row, command: str) -> None:
    run, _ = meet(flux, service, row, command)
    assert ("It was not saved" if command == "login" else SET_TOKEN) in run.stderr


@pytest.mark.parametrize(
    ("row", "command"), cases(REFUSED + FAULTY + UNSUCCESSFUL + BODIES + ITEMS), ids=label
)
def test_rows(flux: Program, service: Start, row: Row, command: str) -> None:
    run, _ = meet(flux, service, row, command)
    assert "long page" not in run.stderr
    assert "log in" not in run.stderr
    if row.code is ExitCode.OK:
        final = {record["id"]: record["state"] for record in run.records}
        assert final == dict.fromkeys(IDS, "succeeded")


def test_a_stored_token_is_kept_when_it_is_rejected(flux: Program, service: Start) -> None:
    service(always(error(401, "token_expired")))
    flux(*LOGIN, "--no-verify", stdin="stored-token-not-a-secret", FLUX_API_TOKEN=None)
    stored = (flux.config / "credentials.json").read_bytes()
    run = flux(*CHECK, *IDS, FLUX_API_TOKEN=None).expect(ExitCode.TOKEN, stderr="token_expired")
    assert f"The token is from {flux.config / 'credentials.json'}" in run.stderr
    assert (flux.config / "credentials.json").read_bytes() == stored


def test_a_rejected_token_stops_all_work_at_once(flux: Program, service: Start) -> None:
    server = service(always(error(401, "invalid_token")))
    ids = make_ids(5000)
    run = flux(*CHECK, stdin=" ".join(ids)).expect(ExitCode.TOKEN, stderr="(trace id trace-1)")
    assert list(run.states) == ids
    assert len(server.requests) <= 8


@pytest.mark.parametrize("command", BOTH)
def test_bad_request_because_of_one_id(flux: Program, service: Start, command: str) -> None:
    ids = make_ids(50)

    def script(request: Request) -> list[Step]:
        return [error(400, "bad_request")] if ids[17] in request.ids else answer(request)

    server = service(script)
    run = flux(*COMMANDS[command], *ids)
    run.expect(ExitCode.NO_ANSWER, stderr="1 of 50 tasks: the service answered bad_request")
    refused = next(record for record in run.records if record["id"] == ids[17])
    assert refused["error"]["code"] == "bad_request"
    assert run.states == dict.fromkeys(ids, "succeeded") | {ids[17]: "unknown"}
    assert len(server.requests) <= 1 + 2 * 6  # the halves of 50, 25, 13, 7, 4 and 2


@pytest.mark.parametrize(
    ("retry_after", "least"),
    [
        (None, 0.0),
        ("1", 0.95),
        ("1.5", 1.4),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("date in three seconds", 1.9),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ],
)
@pytest.mark.parametrize("command", BOTH)
def test_429_then_well(
    flux: Program, service: Start, command: str, retry_after: str | None, least: float
) -> None:
    def throttle() -> Step:
        value = retry_after
        if value == "date in three seconds":  # from the reply, however long flux took to ask
            value = email.utils.formatdate(time.time() + 3, usegmt=True)
        headers = {} if value is None else {"retry_after": value}
        return error(429, "too_many_requests", **headers)

    seen: list[Request] = []

    def script(request: Request) -> list[Step]:
        seen.append(request)
        return [throttle()] if len(seen) == 1 else answer(request)

    row = Row("", script, ExitCode.OK, requests=2)
    _, server = meet(flux, service, row, command)
    first, second = server.requests
    assert second.at - first.at >= least


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in capitals": lambda text: text.replace(CANARY, CANARY.upper()).encode(),
    "in escapes": lambda text: text.replace(
        CANARY, "".join(f"\\u{ord(c):04X}" for c in CANARY)
    ).encode(),
    "in some escapes": lambda text: text.replace(CANARY, f"\\u0043{CANARY[1:]}").encode(),
    "in UTF-16": lambda text: text.encode("utf-16"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "command",
    [
        *(("tasks", "check", "-o", o) for o in ("table", "jsonl", "json", "csv", "ids", "urls")),
        ("tasks", "check", "--raw", "--debug"),
        ("tasks", "check", "--raw", "-o", "csv"),
        ("tasks", "watch", "--exec", "cat; env | grep FLUX_TASK"),
        ("tasks", "watch", "-o", "csv"),
    ],
    ids=" ".join,
)
def test_a_token_that_the_service_repeats_is_in_no_output(
    flux: Program, service: Start, command: tuple[str, ...], spelling: str
) -> None:
    def script(_: Request) -> list[Step]:
        said = f"it is {CANARY}"
        link = f"https://cdn.example/{CANARY}.png"
        data = [{"image_url": link, CANARY: [{"k": said}]}]
        good = finished(
            "a1",
            request={"prompt": said, "model": said, CANARY: 1},
            response={"success": True, "data": data},
            trace_id=CANARY,
        )
        bad = finished(
            "b2", response={"success": False, "error": {"code": CANARY, "message": said}}
        )
        return [reply(200, SPELLINGS[spelling](batch([good, bad]).decode()))]

    service(script)
    run = flux(*command, "a1", "b2")
    assert run.code in (ExitCode.OK, ExitCode.TASK_FAILED)
    shown = run.out + run.stderr
    assert CANARY not in shown.lower()
    assert "[token]" in shown or "ids" in command
    unescaped = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), shown)
    assert CANARY not in unescaped.replace("\ufffd", "").lower()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_token_in_an_error_of_the_service_is_in_no_output(
    flux: Program, service: Start, spelling: str
) -> None:
    body = error_body("used_up", f"{CANARY} is out", trace_id=CANARY).decode()
    service(lambda _: [reply(403, SPELLINGS[spelling](body))])
    run = flux(*CHECK, *IDS, "--debug").expect(ExitCode.NO_ANSWER, stderr="[token] is out")
    assert CANARY not in (run.out + run.stderr).replace("\ufffd", "").lower()


@pytest.mark.parametrize("retry_after", ["61", "3600", "9" * 400, "Fri, 31 Dec 2999 23:59:59 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_429_with_a_huge_retry_after(
    flux: Program, service: Start, status: int, retry_after: str
) -> None:
    fault = error(status, "too_many_requests", retry_after=retry_after)
    row = Row("", always(fault), says="it asks to retry in ", requests=1)
    meet(flux, service, row, "check")


def test_a_dead_service_is_asked_about_20_times_for_1000_batches(
    flux: Program, service: Start
) -> None:
    server = service(always(reply(502, HTML)))
    ids = make_ids(50_000)
    run = flux(*CHECK, "-o", "ids", stdin=" ".join(ids))
    run.expect(ExitCode.NO_ANSWER, stderr='HTTP 502 titled "Bad gateway')
    assert run.lines == ids
    assert 16 <= len(server.requests) <= 24


@pytest.mark.parametrize("limit", [12, 10, 1])
@pytest.mark.parametrize("command", BOTH)
def test_a_page_limit(
    flux: Program, sandbox: Callable[..., Sandbox], limit: int, command: str
) -> None:
    server = sandbox(faults=Faults(page_limit=limit))
    ids = [server.store.submit({"prompt": "x"}).id for _ in range(120)]
    time.sleep(0.05)
    run = flux(*COMMANDS[command], *ids).expect(ExitCode.OK)
    assert run.states == dict.fromkeys(ids, "succeeded")
    assert server.batch_queries <= -(-120 // limit) * 1.1 + 3


@pytest.mark.parametrize("value", TIMES, ids=lambda value: str(value)[:9])
def test_times_that_are_none(flux: Program, service: Start, value: object) -> None:
    names = ("created_at", "started_at", "finished_at", "elapsed")
    odd = dict.fromkeys(names, value)
    service(lambda r: [reply(200, batch(running(i) | odd for i in r.ids))])
    for form in ("jsonl", "json", "csv", "table"):
        run = flux(*CHECK, *IDS, "-o", form, "--raw").expect(ExitCode.OK)
        if form in ("jsonl", "json"):
            json.loads(run.lines[0] if form == "jsonl" else run.out, parse_constant=reject)
        if form == "table":
            assert " -" not in run.out.partition("\n")[2]


def reject(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def test_memory_stays_small_whatever_arrives(flux: Program, service: Start) -> None:
    for fault in (reply(200, BOMB, content_encoding="gzip"), reply(200, b" " * 50_000_000)):
        service(always(fault))
        with flux.start(*WATCH, *IDS, "--retries", "0", "--give-up-after", "2s") as background:
            peak = 0
            while background.process.poll() is None:
                peak = max(peak, memory(background.process.pid))
                time.sleep(0.02)
            background.end().expect(ExitCode.NO_ANSWER)
        assert 0 < peak < 90_000  # kB; a cap of 16 MiB, and the interpreter


def memory(pid: int) -> int:
    """Return the peak memory of a running process in kB; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - a path of the system's
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0
