"""What flux says on stderr in a window of any width: words, ids and commands stay whole."""

import re
import subprocess
from pathlib import Path

import pytest
from rich.cells import cell_len

from flux_cli.sandbox.server import TOKEN
from tests.end_to_end.test_check import Start, StartSandbox
from tests.support.fault_server import Request, Step, answer, reply
from tests.support.program import FLUX, Program
from tests.support.records import batch, error_body, finished, make_ids
from tests.support.terminal import Screen, Terminal


IDS = make_ids(3)
WIDE = "余额不足 请先充值 然后 重新 提交 任务 🌱 🌱 🌱 then submit the very same tasks once more"
SAYINGS: dict[
    str, tuple[tuple[str, ...], dict[str, str | None]]
] = {  # what somebody types, and what the environment lacks
    "duplicates": (("tasks", "check", IDS[0], IDS[0]), {}),
    "no token": (("tasks", "check", IDS[0]), {"FLUX_API_TOKEN": None}),
    "no ids": (("tasks", "check"), {}),
    "no command": (("chek", *IDS), {}),
    "no such option": (("tasks", "check", "--stat", "failed", IDS[0]), {}),
    "no file": (("tasks", "check", "-f", "a-folder/that-is-not-there.txt"), {}),
    "no path of the service": (("auth", "token", "--curl", "https://x/"), {}),
    "no account": (("auth", "list"), {}),
    "a token as an argument": (("auth", "login", "secret"), {}),
    "several tasks": (("tasks", "check", *IDS, "-o", "ids"), {}),
    "a group": (("tasks",), {}),
}


def on_terminal(
    flux: Program,
    words: tuple[str, ...],
    columns: int,
    variables: dict[str, str | None] | None = None,
) -> Screen:
    """Run flux with stderr alone on a terminal of `columns`."""
    line = " ".join(["exec", FLUX, *words, ">/dev/null"])
    return Terminal(flux, columns=columns, command=line, variables=variables).end()


def check_lines(screen: Screen, plain: str, columns: int) -> None:
    """Assert that the terminal folded nothing, and that all the words of `plain` are there."""
    assert "\x1b" not in screen.sent
    lines = screen.sent.replace("\r\n", "\n").splitlines()
    for line in lines:
        is_alone = len(line.split()) == 1 or re.match(r"  +\S*(flux|[0-9a-f-]{36}) ?", line)
        assert cell_len(line) <= columns or is_alone, line
    shown = " ".join(lines).split()
    assert [word.rstrip(",.?") for word in shown] == [word.rstrip(",.?") for word in plain.split()]


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("name", SAYINGS)
def test_no_word_is_broken(flux: Program, service: Start, name: str, columns: int) -> None:
    service(answer)
    words, changes = SAYINGS[name]
    terminal = on_terminal(flux, words, columns, changes)
    if name == "no ids":  # with a terminal on stdin, which a test has only there
        assert "ids. Give them" in " ".join(" ".join(terminal.lines).split())
        assert all(len(line) <= columns for line in terminal.lines)
        return
    check_lines(terminal, flux.outside(*words, variables=changes).stderr, columns)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_wide_letters_count_for_the_columns_that_they_take(
    flux: Program, service: Start, columns: int
) -> None:
    service(lambda _: [reply(403, error_body("used_up", WIDE))])
    terminal = on_terminal(flux, ("tasks", "check", IDS[0]), columns)
    check_lines(terminal, flux("tasks", "check", IDS[0]).stderr, columns)
    assert len(terminal.lines) == len(terminal.sent.splitlines())  # the terminal folded none


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_command_copied_from_the_terminal_works(
    flux: Program, sandbox: StartSandbox, columns: int
) -> None:
    sandbox()
    terminal = on_terminal(flux, ("chek", *IDS, "--state", "'not_found, failed'"), columns)
    meant = f"flux tasks check {' '.join(IDS)} --state 'not_found, failed'"
    line = next(line for line in terminal.sent.splitlines() if meant in line)
    assert line == f"  {meant}"  # too long for any of these windows beside its sentence
    path = f"{Path(FLUX).parent}:{flux.environment['PATH']}"
    variables = flux.variables({"PATH": path, "FLUX_API_TOKEN": TOKEN})
    copied = subprocess.run(
        ["bash", "-c", line], env=variables, capture_output=True, text=True, check=False
    )
    assert copied.stdout.count("not_found") == 3, copied


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("verb", ["watch", "download"])
def test_what_is_said_above_a_live_view_breaks_no_word(
    flux: Program, service: Start, verb: str, columns: int
) -> None:
    def script(request: Request) -> list[Step]:
        if request.path == "/a.png":
            return [reply(404, b"gone")]
        data = [{"image_url": f"{server.url}/a.png"}]
        return [reply(200, batch([finished(IDS[0], response={"success": True, "data": data})]))]

    server = service(script)
    folder = "--download" if verb == "watch" else "--dir"
    screen = Terminal(flux, "tasks", verb, IDS[0], folder, "pictures", columns=columns).end()
    start = next(n for n, line in enumerate(screen.lines) if line.startswith("flux:"))
    end = next(n for n, line in enumerate(screen.lines) if "HTTP" in line)
    said = screen.lines[start : end + 1]
    text = f"flux: {IDS[0]}, output 1: not saved: the link has expired (HTTP 404)"
    assert " ".join(" ".join(said).split()) == text
    assert all(line.startswith("  ") for line in said[1:])


def test_a_question_breaks_no_word(flux: Program, sandbox: StartSandbox) -> None:
    sandbox()
    prompts = [f"fox {number}" for number in range(11)]
    terminal = Terminal(flux, "images", "generate", *prompts, columns=40)
    terminal.expect("[y/N]")
    terminal.type("n\r")
    lines = terminal.end().lines
    asked = lines[: next(n for n, line in enumerate(lines) if "[y/N]" in line) + 1]
    assert len(asked) > 1
    assert all(line.startswith("  ") for line in asked[1:])
