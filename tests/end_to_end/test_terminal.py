"""On a terminal: the table at every width, the help, Ctrl-C."""

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.commands.topics import TOPICS
from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Sandbox
from tests.end_to_end.test_check import Start, mixed
from tests.support.fault_server import Request, Step, Wait, answer, reply
from tests.support.needs import need
from tests.support.program import FLUX, Program
from tests.support.records import batch, error_body, finished, make_ids
from tests.support.terminal import Terminal


def test_a_table_on_a_terminal(flux: Program, service: Start) -> None:
    service(mixed)
    screen = Terminal(flux, "tasks", "check", "s-123456", "f-123456", "r1", "n1").end()
    assert screen.code == ExitCode.OK
    assert screen.lines[0].split() == ["STATE", "ID", "PROMPT", "MODEL", "TOOK", "RESULT"]
    assert screen.lines[1].startswith("✓ succeeded   s-123456  a cat   flux-dev  9.6s ")
    assert "123456.png" in screen.lines[1]
    assert screen.lines[2].startswith("✗ failed      f-123456")
    assert screen.lines[2].endswith("api_error: fetch failed")
    assert screen.lines[-3] == "4 tasks: 1 processing, 1 succeeded, 1 failed, 1 not found"
    assert screen.lines[-2].endswith(" api_error: fetch failed")
    assert "\x1b]8;" in screen.sent
    assert not screen.cursor_hidden


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_ids_are_whole_at_every_width(flux: Program, service: Start, columns: int) -> None:
    service(answer)
    ids = make_ids(3)
    screen = Terminal(flux, "tasks", "check", *ids, columns=columns).end()
    assert all(len(line) <= columns for line in screen.lines)
    text = "".join("".join(screen.lines).split())
    for task_id in ids:
        assert task_id in text


HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07\x1b[31m\r✓ succeeded   forged\n\x9b5A\u202e\x1b]8;;http://evil/\x1b\\"
)


OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;(id=\d+;https://x/[!-~]*|;)\x1b\\")


@pytest.mark.parametrize("columns", [20, 40, 100, 250])
def test_hostile_text_moves_and_colours_nothing(
    flux: Program, service: Start, columns: int
) -> None:
    def script(request: Request) -> list[Step]:
        records = [
            finished(
                task_id,
                request={"prompt": HOSTILE, "model": HOSTILE},
                trace_id=HOSTILE,
                response={
                    "success": number % 2 == 0,
                    "error": {"code": HOSTILE, "message": HOSTILE},
                    "data": [{"image_url": f"https://x/{HOSTILE}"}] if number % 2 == 0 else [],
                },
            )
            for number, task_id in enumerate(request.ids)
        ]
        return [reply(200, batch(records))]

    service(script)
    screen = Terminal(flux, "tasks", "check", "id-1", "id-2", columns=columns).end()
    assert "\x1b[2J" not in screen.sent
    assert "\x1b]0;" not in screen.sent
    assert "\x9b" not in screen.sent
    assert "\u202e" not in screen.sent
    assert "\x1b" not in OURS.sub("", screen.sent)
    assert sum(line.startswith(("✓", "✗")) for line in screen.lines) == 2
    end = " ".join(screen.lines).rpartition("2 tasks: ")[2]
    assert " ".join(end.split()).startswith("1 succeeded, 1 failed 1 ")


def test_hostile_text_in_an_error_is_one_safe_line(flux: Program, service: Start) -> None:
    service(lambda _: [reply(403, error_body("used_up", HOSTILE, trace_id=HOSTILE))])
    screen = Terminal(flux, "tasks", "check", "an-id", columns=200).end()
    assert screen.code == ExitCode.NO_ANSWER
    assert "\x1b[2J" not in screen.sent
    assert "\x9b" not in screen.sent


HELP = [
    *(("--help",), ("tasks", "--help"), ("auth", "--help"), ("mcp", "--help")),
    *(("tasks", verb, "--help") for verb in ("check", "watch", "list", "download")),
    *(("auth", verb, "--help") for verb in ("login", "status", "token", "logout")),
    *((name, "--help") for name in ("demo", "sandbox", "schema", "help")),
    ("mcp", "config", "--help"),
    *(("help", topic) for topic in TOPICS),
]


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_help_breaks_no_word_and_cuts_no_sentence(flux: Program, words: tuple[str, ...]) -> None:
    def shown(columns: int) -> list[str]:
        lines = flux(*words, COLUMNS=str(columns)).expect(ExitCode.OK).lines
        assert all(len(line) <= columns for line in lines)
        text = re.sub(r"\|\s+", "|", "\n".join(lines))  # a choice may begin a line
        return [word for word in text.split() if word != "\\"]

    assert shown(40) == shown(80) == shown(200)
    assert not any(word.endswith("...") and word not in ELLIPSES for word in shown(80))


ELLIPSES = {"[ID]...", "[ARGS]...", "[TOPIC|COMMAND]..."}


def test_help_on_a_terminal_is_as_wide_as_the_window(flux: Program) -> None:
    screen = Terminal(flux, "tasks", "watch", "--help", columns=40, rows=300).end()
    assert screen.code == ExitCode.OK
    assert screen.lines == flux("tasks", "watch", "--help", COLUMNS="40").lines


def stall(request: Request) -> list[Step]:
    return [Wait(30)] if "slow" in request.ids[0] else answer(request)


def test_the_demo_runs_a_dozen_tasks_to_their_end(flux: Program) -> None:
    screen = Terminal(flux, "demo", columns=100, rows=60, FLUX_API_TOKEN=None).end()
    assert screen.code == ExitCode.OK
    assert any(line.startswith("12 tasks: 11 succeeded, 1 failed; ") for line in screen.lines)
    assert not (flux.folder / "config").exists()


@pytest.mark.parametrize("columns", [40, 80])
def test_what_the_demo_says_to_type_has_a_line_for_itself(flux: Program, columns: int) -> None:
    """There is nothing on it but the command: interactive zsh, for one, has no comments."""
    flux.environment["PATH"] = f"{Path(FLUX).parent}:{flux.environment['PATH']}"
    screen = Terminal(flux, "demo", columns=columns, rows=60, FLUX_API_TOKEN=None).end()
    start = next(n for n, line in enumerate(screen.lines) if line.startswith("That was"))
    lines = screen.lines[start:]
    steps = [number for number, line in enumerate(lines) if line.startswith("    ")]
    assert [lines[number].strip() for number in steps] == [
        "flux auth login",
        "flux images generate 'a fox' --watch",
        "flux tasks check -f ids.txt",
        "flux tasks watch -f ids.txt",
        "flux tasks download -f ids.txt",
        "flux tasks check --help",
        "flux sandbox",
    ]
    for number in steps:
        assert re.fullmatch(r"  \w.*:", lines[number - 1])
    joined = " ".join(" ".join(lines[: steps[0] - 1]).split())
    assert joined.startswith("That was a sandbox. Make pictures of your own:")


SUBMIT = (
    'curl -sS -H "authorization: Bearer $FLUX_API_TOKEN" -d'
    ' \'{"action": "generate", "prompt": "a fox", "size": "3:2", "async": true}\''
    " $FLUX_API_BASE_URL/flux/images > reply.json"
)


def test_a_sandbox_for_any_client(flux: Program, tmp_path: Path) -> None:
    need("bash", "curl")
    options = ("--port", "0", "--speed", "100", "--failure-rate", "0")
    with flux.start("sandbox", *options, FLUX_API_TOKEN=None) as server:
        exports = [server.line(), server.line()]
        assert exports[0].startswith("export FLUX_API_BASE_URL=http://127.0.0.1:")
        assert exports[1] == "export FLUX_API_TOKEN=sandbox-token-not-a-secret"
        script = "\n".join(
            (
                "set -eu -o pipefail",
                *exports,
                SUBMIT,
                "sleep 0.3",
                f"{FLUX} tasks check -q < reply.json > records.jsonl",
                f"{FLUX} tasks check -q -f records.jsonl -o urls | xargs -n 1 curl -sS -o fox.png",
            )
        )
        subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=flux.variables({}), check=True, timeout=30
        )
        png = (tmp_path / "fox.png").read_bytes()
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert png[16:24] == (624).to_bytes(4) + (416).to_bytes(4)
        assert png[-8:-4] == b"IEND"
        server.signal(signal.SIGINT)
        server.end().expect(ExitCode.INTERRUPTED)


def test_a_taken_port_is_named(flux: Program, sandbox: Callable[..., Sandbox]) -> None:
    port = sandbox().server_address[1]
    flux("sandbox", "--port", str(port)).expect(
        ExitCode.USAGE, stderr=f"flux: port {port}: address already in use."
    )
