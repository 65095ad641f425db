"""What a watch shows outside its window: title, progress at the tab, a message at the end."""

import re
import signal
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.faults.test_interrupts import Shell
from tests.support.fault_server import Request, Script, Step, answer, reply
from tests.support.patience import until
from tests.support.program import CANARY, FLUX, Program
from tests.support.records import batch, failed, finished, running
from tests.support.terminal import Terminal


WATCH = ("tasks", "watch", "--interval", "1s")
GHOSTTY: dict[str, str | None] = {"TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.2.0"}
PUSH, POP = "\x1b[22;0t", "\x1b[23;0t"
TITLE, NO_TITLE = "\x1b]2;flux: ", "\x1b]2;\x1b\\"
PROGRESS, NO_PROGRESS = "\x1b]9;4;1;", "\x1b]9;4;0;"
BELL = "\x07"


class Gate:
    """A service whose tasks end one by one, as a test lets them."""

    def __init__(self) -> None:
        self.ended = 0

    def __call__(self, request: Request) -> list[Step]:
        ended = [f"id-{number}" for number in range(self.ended)]
        return [reply(200, batch((running, finished)[i in ended](i) for i in request.ids))]


def is_reset(sent: str) -> bool:
    """Tell whether what was shown was taken away again, each time."""
    assert sent.count(PUSH) == sent.count(POP) == sent.count(NO_TITLE) > 0
    assert sent.rindex(POP) > sent.rindex(NO_TITLE) > sent.rindex(TITLE)
    return sent.rindex(NO_PROGRESS) > sent.rindex(PROGRESS)


def test_the_title_and_the_tab_show_the_share_that_is_done(flux: Program, service: Start) -> None:
    gate = Gate()
    service(gate)
    terminal = Terminal(flux, *WATCH, "id-0", "id-1", "id-2", variables=GHOSTTY)
    for done, percent in enumerate((0, 33, 66)):
        terminal.expect(f"{TITLE}{done} of 3 done\x1b\\{PROGRESS}{percent}\x1b\\")
        gate.ended += 1
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    assert f"{TITLE}3 of 3 done\x1b\\{PROGRESS}100\x1b\\" in screen.sent
    assert is_reset(screen.sent)
    assert screen.sent.count(PUSH) == 1
    assert screen.lines[-1] == "3 tasks: 3 succeeded"
    assert not any("flux:" in line or "[22" in line for line in screen.lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_they_are_reset_whatever_ends_the_watch(
    flux: Program, service: Start, number: signal.Signals
) -> None:
    service(Gate())
    terminal = Terminal(flux, *WATCH, "id-0", gets_signals=True, variables=GHOSTTY)
    terminal.expect(f"{TITLE}0 of 1 done")
    terminal.process.kill(number)
    screen = terminal.end()
    assert screen.code == 128 + number
    assert is_reset(screen.sent)


def test_they_are_reset_by_a_quit_in_the_middle_of_the_view(flux: Program, service: Start) -> None:
    service(Gate())
    terminal = Terminal(flux, *WATCH, "id-0", gets_signals=True, variables=GHOSTTY)
    terminal.expect(f"{TITLE}0 of 1 done")
    terminal.expect("processing")
    terminal.process.kill(signal.SIGQUIT)
    assert is_reset(terminal.end().sent)


def test_ctrl_z_resets_them_and_fg_sets_them_anew(flux: Program, service: Start) -> None:
    gate = Gate()
    service(gate)
    shell = Shell(flux, **GHOSTTY)
    shell.type(f"{FLUX} {' '.join(WATCH)} id-0\n", wait_for=TITLE)
    for _ in range(2):
        shell.type("\x1a", wait_for=NO_PROGRESS)
        shell.type("", wait_for="READY> ")
        assert is_reset(shell.sent)
        shell.type("fg\n", wait_for=f"{TITLE}0 of 1 done")
    shell.type("\x1a", wait_for=NO_PROGRESS)
    shell.type("", wait_for="READY> ")
    shell.type("bg\n", wait_for="READY> ")
    shell.type("fg\n", wait_for=TITLE)
    gate.ended = 1
    shell.type("", wait_for="READY> ")
    assert is_reset(shell.end())


def test_the_demo_shows_and_resets_them(flux: Program) -> None:
    screen = Terminal(flux, "demo", variables={**GHOSTTY, "FLUX_API_TOKEN": None}).end()
    assert f"{TITLE}12 of 12 done" in screen.sent
    assert is_reset(screen.sent)


@pytest.mark.parametrize(
    ("variables", "has_title", "has_progress"),
    [
        ({"TERM": "xterm-256color"}, True, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, False),
        ({"TERM": "linux"}, False, False),
        ({"TERM": "dumb", **GHOSTTY}, False, False),
        ({"TERM": "tmux-256color", **GHOSTTY}, True, False),
    ],
)
def test_what_a_terminal_may_not_understand_is_not_sent(
    flux: Program,
    service: Start,
    variables: dict[str, str | None],
    *,
    has_title: bool,
    has_progress: bool,
) -> None:
    service(answer)
    sent = Terminal(flux, *WATCH, "a", variables=variables).end().sent
    assert (PUSH in sent, POP in sent, TITLE in sent) == (has_title,) * 3
    assert ("]9;4" in sent) is has_progress


def test_only_a_live_view_shows_them(flux: Program, service: Start) -> None:
    service(answer)
    for words in (("tasks", "check", "a"), (*WATCH, "a", "-o", "jsonl"), ("auth", "status")):
        sent = Terminal(flux, *words, variables=GHOSTTY).end().sent
        assert "\x1b]2;" not in sent
        assert "\x1b]9;" not in sent


def mixed(request: Request) -> list[Step]:
    evil = '\x1b]9;owned\x07`touch owned`$(touch owned)"; touch owned'
    return [
        reply(200, batch([*map(finished, request.ids[1:]), failed(request.ids[0], evil, evil)]))
    ]


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        (GHOSTTY, "\x1b]9;flux: 2 succeeded, 1 failed\x1b\\"),
        ({"TERM": "xterm-kitty"}, "\x1b]9;flux: 2 succeeded, 1 failed\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;flux;2 succeeded, 1 failed\x1b\\"),
    ],
)
def test_a_terminal_that_can_notify_does(
    flux: Program, service: Start, variables: dict[str, str | None], code: str
) -> None:
    service(mixed)
    screen = Terminal(flux, *WATCH, "a", "b", "c", "--notify", variables=variables).end()
    assert screen.code == ExitCode.TASK_FAILED
    assert screen.sent.count(code) == 1
    assert BELL not in screen.sent
    assert "owned\x07" not in screen.sent


def test_it_notifies_where_stderr_alone_is_a_terminal(flux: Program, service: Start) -> None:
    service(answer)
    line = f"{FLUX} {' '.join(WATCH)} a --notify -o csv > tasks.csv"
    shell = Shell(flux, **GHOSTTY)
    shell.type(f"{line}\n", wait_for="\x1b]9;flux: 1 succeeded\x1b\\")
    shell.type("", wait_for="READY> ")
    shell.end()
    assert "\x1b" not in (flux.folder / "tasks.csv").read_text()


def program(flux: Program, name: str, script: str) -> str:
    """Put a program of this name in front of all others; return the PATH for it."""
    folder = flux.folder / "bin"
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{flux.environment['PATH']}"


def test_a_program_is_told_counts_and_no_secret(flux: Program, service: Start) -> None:
    service(mixed)
    said = flux.folder / "said"
    path = program(flux, "notify-send", f'printf "%s\\n" "$@" > {said}; env >> {said}')
    screen = Terminal(flux, *WATCH, "a", "b", "c", "--notify", PATH=path).end()
    lines = said.read_text().splitlines()
    assert lines[:3] == ["--app-name=flux", "flux", "2 succeeded, 1 failed"]
    assert CANARY not in said.read_text()
    assert "\x1b]9;" not in screen.sent
    assert BELL not in screen.sent


@pytest.mark.parametrize("script", ["exit 1", "sleep 1000", "kill -9 $$"])
def test_a_program_that_cannot_is_not_waited_for(
    flux: Program, service: Start, script: str
) -> None:
    service(answer)
    path = program(flux, "notify-send", f"exec {script}" if "sleep" in script else script)
    screen = Terminal(flux, *WATCH, "a", "--notify", PATH=path).end()
    assert screen.code == ExitCode.OK
    assert screen.sent.count(BELL) == 1
    until(lambda: "sleep 1000" not in running_commands())


def running_commands() -> str:
    return "".join(
        path.read_text(errors="replace").replace("\0", " ")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    )


def test_over_ssh_the_desktop_is_another_machines(flux: Program, service: Start) -> None:
    service(answer)
    path = program(flux, "notify-send", f"touch {flux.folder}/ran")
    variables: dict[str, str | None] = {"PATH": path, "SSH_CONNECTION": "1 2 3 4"}
    screen = Terminal(flux, *WATCH, "a", "--notify", variables=variables).end()
    assert screen.sent.count(BELL) == 1
    assert not (flux.folder / "ran").exists()


@pytest.mark.parametrize("options", [(), ("--until", "any"), ("-o", "table"), ("-o", "csv")])
@pytest.mark.parametrize("script", [answer, mixed], ids=["well", "not well"])
def test_a_script_sees_nothing_of_all_this(
    flux: Program, service: Start, script: Script, options: tuple[str, ...]
) -> None:
    service(script)
    path = program(flux, "notify-send", f"touch {flux.folder}/ran")
    world = {**GHOSTTY, "WT_SESSION": "1", "KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"}
    words = (*WATCH, "a", "b", "--notify", "--bell", *options)
    run = flux.outside(*words, variables={**world, "PATH": path})
    assert not set(run.stdout + run.stderr.encode()) & {0x1B, 0x07}
    assert not (flux.folder / "ran").exists()


def test_the_hint_to_go_on_repeats_it(flux: Program, service: Start) -> None:
    service(Gate())
    run = flux(*WATCH, "id-0", "--notify", "--timeout", "0").expect(ExitCode.TIMED_OUT)
    assert re.search("flux tasks watch .*--notify.* id-0\n", run.stderr)
