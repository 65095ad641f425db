"""`flux tasks show`: everything about a task, for people and for programs."""

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start, StartSandbox, mixed, submit
from tests.support.fault_server import Script, reply
from tests.support.needs import need
from tests.support.patience import until
from tests.support.program import FLUX, Program
from tests.support.records import batch, error_body, finished
from tests.support.terminal import Terminal


SHOW = ("tasks", "show")


def test_a_card_on_a_terminal(flux: Program, service: Start) -> None:
    service(mixed)
    screen = Terminal(flux, *SHOW, "s-123456", "f-123456", "n1", columns=100).end()
    assert screen.code == ExitCode.OK
    assert screen.lines[0] == "✓ succeeded  s-123456"
    assert any(line.split() == ["prompt", "a", "cat"] for line in screen.lines)
    assert screen.lines.count("") == 2
    assert "✗ failed  f-123456" in screen.lines
    assert "∅ not_found  n1" in screen.lines


def test_ids_come_from_stdin_and_records_go_into_a_pipe(flux: Program, service: Start) -> None:
    service(mixed)
    run = flux(*SHOW, stdin="s-123456\nf-123456\ns-123456\n").expect(
        ExitCode.OK, stderr="skipped 1 duplicate id"
    )
    assert run.states == {"s-123456": "succeeded", "f-123456": "failed"}
    assert flux(*SHOW, "s-123456", "-o", "card").lines[0] == "✓ succeeded  s-123456"


def test_json_is_indented_one_record_after_the_other(flux: Program, service: Start) -> None:
    service(mixed)
    run = flux(*SHOW, "s-123456", "f-123456", "-o", "json").expect(ExitCode.OK)
    assert run.lines[:2] == ["{", '  "id": "s-123456",']
    one = flux(*SHOW, "s-123456", "-o", "json").expect(ExitCode.OK)
    line = flux(*SHOW, "s-123456").expect(ExitCode.OK)
    (indented, whole) = (json.loads(one.out), line.records[0])
    assert {**indented, "observed_at": ""} == {**whole, "observed_at": ""}
    assert len(run.lines) > len(one.lines)


def test_raw_is_the_record_of_the_service_and_null_where_there_is_none(
    flux: Program, service: Start
) -> None:
    record = finished("a-1", unknown_key={"deep": ["\x1b[2J\u202e", 1.5]})
    known = {"a-1": record}
    service(lambda request: [reply(200, batch(known[i] for i in request.ids if i in known))])
    run = flux(*SHOW, "--raw", "a-1").expect(ExitCode.OK)
    assert json.loads(run.out) == record
    assert '\n  "unknown_key": {\n' in run.out
    assert not set(run.out) & {"\x1b", "\u202e"}
    both = flux(*SHOW, "--raw", "a-1", "n-1", "-o", "jsonl").expect(ExitCode.OK)
    assert [json.loads(line) for line in both.lines] == [record, None]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("s-123456", "f-123456", "n1"), ExitCode.OK),
        (("s-123456", "f-123456", "--exit-status"), ExitCode.TASK_FAILED),
        (("n1", "--exit-status"), ExitCode.NOT_FOUND),
        ((), ExitCode.USAGE),
        (("--raw", "-o", "card", "s-123456"), ExitCode.USAGE),
    ],
)
def test_exit_codes_are_those_of_check(
    flux: Program, service: Start, arguments: tuple[str, ...], code: ExitCode
) -> None:
    service(mixed)
    flux(*SHOW, *arguments).expect(code)


def test_an_id_without_an_answer_is_shown_and_the_exit_code_tells(
    flux: Program, service: Start
) -> None:
    service(lambda _: [reply(403, error_body("used_up", "no balance"))])
    run = flux(*SHOW, "a-1", "-o", "card").expect(ExitCode.NO_ANSWER, stderr="used_up")
    assert run.lines[0] == "! unknown  a-1"
    assert "used_up: no balance" in run.out


def test_where_nothing_is_found_the_token_is_named(flux: Program, service: Start) -> None:
    service(mixed)
    flux(*SHOW, "n1").expect(ExitCode.OK, stderr="may belong to another account")


def test_what_the_card_says_to_type_submits_the_task_again(
    flux: Program, sandbox: StartSandbox, tmp_path: Path
) -> None:
    need("bash")
    server = sandbox()
    prompts = [f'bound to fail : it\'s "quoted" {number} $HOME' for number in range(9)]
    ids = [json.loads(submit(server, prompt))["task_id"] for prompt in prompts]
    flux.environment["PATH"] = f"{Path(FLUX).parent}:{flux.environment['PATH']}"
    records = flux("tasks", "watch", *ids, "-o", "csv", "--fields", "id,prompt,error")
    rows = csv.DictReader(io.StringIO(records.out))
    row = next(row for row in rows if row["error_code"] == "api_error")
    task_id, prompt = row["id"], row["prompt"]
    card = flux(*SHOW, "-o", "card", task_id).expect(ExitCode.OK)
    lines = [line.strip() for line in card.lines]
    start = next(n for n, line in enumerate(lines) if line.startswith("flux tasks retry"))
    run = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", "\n".join(lines[start:])],
        cwd=tmp_path,
        env=flux.variables({}),
        capture_output=True,
        check=True,
    )
    again = json.loads(run.stdout)["id"]
    assert again != task_id
    assert flux(*SHOW, again).records[0]["prompt"] == prompt


def browsing(flux: Program, **changes: str) -> dict[str, str | None]:
    """Return an environment in which a browser writes down what it is told to open."""
    browser = flux.folder / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{flux.folder}/opened"\n')
    browser.chmod(0o755)
    return {"BROWSER": f"{browser} %s", "DISPLAY": ":0", **changes}


def opened(flux: Program) -> list[str]:
    path = flux.folder / "opened"
    return path.read_text().splitlines() if path.exists() else []


def with_links(*links: str) -> Script:
    """Return a service whose tasks have these outputs."""
    data = [{"image_url": link} for link in links]
    response = {"success": True, "data": data}
    return lambda request: [
        reply(200, batch(finished(task_id, response=response) for task_id in request.ids))
    ]


def test_open_opens_the_outputs_of_the_web_alone(flux: Program, service: Start) -> None:
    links = ("https://x.example/1.png", "https://x.example/a b;$(id)\n'.png")
    others = ("file:///etc/passwd", "javascript:alert(1)", "--version", "https:1.png")
    service(with_links(*links, *others))
    run = flux.outside(*SHOW, "a-1", "--open", variables=browsing(flux)).expect(ExitCode.OK)
    until(lambda: len(opened(flux)) == 2)  # the browser is not waited for
    assert opened(flux) == [
        "https://x.example/1.png",
        "https://x.example/a%20b;$(id)%0A%27.png",
    ]
    assert run.stderr.count("not opened, as it is not a web address") == len(others)


@pytest.mark.parametrize("changes", [{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, {"DISPLAY": ""}])
def test_where_no_browser_can_be_seen_the_links_are_printed(
    flux: Program, service: Start, changes: dict[str, str]
) -> None:
    service(with_links("https://x.example/1.png"))
    run = flux.outside(*SHOW, "a-1", "--open", variables=browsing(flux, **changes)).expect(
        ExitCode.OK
    )
    assert opened(flux) == []
    assert run.stderr == "flux: open in a browser: https://x.example/1.png\n"


def test_a_service_cannot_open_a_thousand_tabs(flux: Program, service: Start) -> None:
    service(with_links(*(f"https://x.example/{number}.png" for number in range(100))))
    run = flux.outside(*SHOW, "a-1", "--open", variables=browsing(flux)).expect(ExitCode.OK)
    until(lambda: len(opened(flux)) == 20)
    assert run.stderr.count("open in a browser") == 80
