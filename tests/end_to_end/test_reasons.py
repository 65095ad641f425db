"""Why tasks failed: below the summary, and as an output of its own."""

# ruff: noqa: RUF001 - the sign of multiplication, and Chinese commas, are what is printed

import json
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from tests.support.fault_server import FaultServer, Request, Script, Step, reply
from tests.support.program import CANARY, Program
from tests.support.records import batch, error_body, failed, finished, make_ids
from tests.support.terminal import Terminal


Start = Callable[[Script], FaultServer]
VERBS = ("check", "watch", "download")
IDS = make_ids(20)
REASONS = {  # by what is left when the number of a task is divided by four
    1: ("api_error", "fetch failed"),
    2: ("bad_request", "{id} is {n} pixels wide, see https://docs.example/{n}"),
    3: ("forbidden", "内容审核未通过：提示词包含敏感内容，请修改后重试"),
}
LINES = [
    "20 tasks: 5 succeeded, 15 failed",
    "  5 × api_error: fetch failed",
    f"    {IDS[1]} {IDS[5]} {IDS[9]}",
    "  5 × bad_request: <id> is <n> pixels wide, see <url>",
    f"    {IDS[2]} {IDS[6]} {IDS[10]}",
    f"  5 × forbidden: {REASONS[3][1]}",
    f"    {IDS[3]} {IDS[7]} {IDS[11]}",
]


def quarters(request: Request) -> list[Step]:
    """Answer with a success, then a failure for each reason, and so on."""
    records = []
    for task_id in request.ids:
        number = IDS.index(task_id)
        if number % 4:
            code, message = REASONS[number % 4]
            records.append(failed(task_id, code, message.format(id=task_id, n=number)))
        else:
            records.append(finished(task_id, response={"success": True, "data": []}))
    return [reply(200, batch(records))]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("form", ["jsonl", "ids", "csv"])
def test_reasons_stand_below_the_summary_and_quiet_silences_them(
    flux: Program, service: Start, verb: str, form: str
) -> None:
    service(quarters)
    loud = flux("tasks", verb, *IDS, "-o", form, "--state", "succeeded")
    assert [line for line in loud.stderr.splitlines() if "saved" not in line] == LINES
    quiet = flux("tasks", verb, *IDS, "-o", form, "--state", "succeeded", "-q")
    assert quiet.stderr == ""
    assert (quiet.stdout.count(b"\n"), quiet.code) == (loud.stdout.count(b"\n"), loud.code)


def test_five_reasons_are_named_and_the_rest_is_counted(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        return [
            reply(200, batch(failed(i, f"code_{'abcdefg'[int(i[1]) % 7]}") for i in request.ids))
        ]

    service(script)
    lines = flux("tasks", "check", *(f"t{n}" for n in range(10))).stderr.splitlines()
    assert [line.split()[2] for line in lines[1:-1:2]] == [
        *("code_a:", "code_b:", "code_c:", "code_d:", "code_e:"),
    ]
    assert lines[-1] == "  2 × other reasons: see -o reasons"


NOTHING = {"success": False, "data": []}


def test_a_failure_without_an_error_has_no_reason(flux: Program, service: Start) -> None:
    service(lambda request: [reply(200, batch(finished(i, response=NOTHING) for i in request.ids))])
    run = flux("tasks", "check", "a1").expect(ExitCode.OK)
    assert run.stderr == "1 task: 1 failed\n  1 × no reason given\n    a1\n"


@pytest.mark.parametrize("verb", VERBS)
def test_an_output_of_reasons_is_json_lines_in_a_pipe(
    flux: Program, service: Start, verb: str
) -> None:
    service(quarters)
    run = flux("tasks", verb, *IDS, "-o", "reasons")
    assert [list(record) for record in run.records] == 3 * [
        ["code", "message", "count", "ids", "state"]
    ]
    assert run.records[1] == {
        "code": "bad_request",
        "message": "<id> is <n> pixels wide, see <url>",
        "count": 5,
        "ids": [IDS[2], IDS[6], IDS[10]],
        "state": "failed",
    }
    assert [line for line in run.stderr.splitlines() if "saved" not in line] == LINES[:1]


def test_it_tells_why_there_was_no_answer_too_and_states_choose(
    flux: Program, service: Start
) -> None:
    def script(request: Request) -> list[Step]:
        if "t2" in request.ids:
            return [reply(400, error_body("bad_request", "no such id"))]
        return [reply(200, batch(failed(i) for i in request.ids))]

    service(script)
    options = ("tasks", "check", "t1", "t2", "t3", "-o", "reasons")
    found = [(r["state"], r["ids"]) for r in flux(*options).expect(ExitCode.NO_ANSWER).records]
    assert found == [("failed", ["t1", "t3"]), ("unknown", ["t2"])]
    (record,) = flux(*options, "--state", "unknown").records
    assert (record["code"], record["state"]) == ("bad_request", "unknown")
    below = flux(*options[:-2]).stderr.splitlines()
    assert below[:3] == [
        *("3 tasks: 2 failed, 1 unknown", "  2 × api_error: fetch failed", "    t1 t3"),
    ]
    assert below[3].startswith("flux: no answer for 1 of 3 tasks")


def test_nothing_failed_and_nothing_is_written(flux: Program, service: Start) -> None:
    service(lambda request: [reply(200, batch(map(finished, request.ids)))])
    assert flux("tasks", "check", "a1", "-o", "reasons").expect(ExitCode.OK).stdout == b""
    screen = Terminal(flux, "tasks", "check", "a1", "-o", "reasons").end()
    assert screen.lines == ["1 task: 1 succeeded"]


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_it_is_a_table(flux: Program, service: Start, columns: int) -> None:
    service(quarters)
    screen = Terminal(flux, "tasks", "check", *IDS, "-o", "reasons", columns=columns).end()
    assert screen.lines[0].split() == ["COUNT", "REASON", "EXAMPLES"]
    assert screen.lines[1].split() == ["5", "api_error:", "fetch", "failed", IDS[1]]
    assert screen.lines[2].strip() == IDS[5]
    assert screen.lines[-1] == LINES[0]
    assert len(screen.lines) == 11


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("form", ["reasons", "urls"])
def test_in_any_window_ids_are_whole_and_wrapped_text_is_indented(
    flux: Program, service: Start, columns: int, form: str
) -> None:
    service(quarters)
    screen = Terminal(flux, "tasks", "check", *IDS, "-o", form, columns=columns).end()
    text = "\n".join(screen.lines)
    assert all(task_id in text for number, task_id in enumerate(IDS[:12]) if number % 4)
    assert "请修改后重试" in "".join(text.replace("\0", "").split())
    if form == "urls" or columns == 40:
        (summary,) = (line for line in screen.lines if not line.startswith("  "))
        assert summary == LINES[0]


HOSTILE = f"\x1b[2J\r\nflux: forged\u202e\0 Bearer {CANARY} " + 60 * "字"


@pytest.mark.parametrize("form", ["reasons", "urls"])
@pytest.mark.parametrize("columns", [20, 40, 120])
def test_hostile_reasons_move_nothing_and_show_no_token(
    flux: Program, service: Start, columns: int, form: str
) -> None:
    service(lambda request: [reply(200, batch(failed(i, HOSTILE, HOSTILE) for i in request.ids))])
    screen = Terminal(flux, "tasks", "check", "a1", "-o", form, columns=columns).end()
    assert "\x1b[2J" not in screen.sent
    assert "\u202e" not in screen.sent
    assert CANARY not in screen.sent.replace("\r\n", "").replace(" ", "")
    assert not any(line.startswith("flux") for line in screen.lines)
    run = flux("tasks", "check", "a1", "-o", form).expect(ExitCode.OK)
    assert b"\x1b" not in run.stdout
    if form == "reasons":
        assert json.loads(run.stdout)["code"].startswith("\x1b[2J\r\nflux: forged")
