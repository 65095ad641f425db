"""The commonest mistakes: each gets one clear line that tells what to do, and its exit code."""

import re
import shlex
import socket
import subprocess
import sys

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN
from tests.end_to_end.test_check import Start, StartSandbox
from tests.support.fault_server import answer, reply
from tests.support.peak import peak_memory
from tests.support.program import CANARY, FLUX, Program, Run
from tests.support.records import make_ids
from tests.support.terminal import Terminal


CHECK = ("tasks", "check")


def one_line(run: Run, code: ExitCode, *parts: str) -> None:
    """Assert the exit code, and that one line of stderr, the last, says all of `parts`."""
    run.expect(code)
    errors = [line for line in run.stderr.splitlines() if line.startswith("flux: ")]
    assert len(errors) == 1, run.stderr
    for part in parts:
        assert part in errors[0]


def test_no_token(flux: Program) -> None:
    run = flux(*CHECK, "an-id", FLUX_API_TOKEN=None)
    one_line(
        run,
        ExitCode.TOKEN,
        "no API token for https://api.acedata.cloud. Create one at https://platform.acedata.cloud,",
        "then run: flux auth login, or set FLUX_API_TOKEN.",
    )
    assert run.stdout == b""


def test_wrong_token(flux: Program, sandbox: StartSandbox) -> None:
    sandbox()
    run = flux(*CHECK, "an-id", FLUX_API_TOKEN=CANARY)
    one_line(run, ExitCode.TOKEN, "invalid_token", "trace id", "Set FLUX_API_TOKEN")
    assert run.states == {"an-id": "unknown"}


def test_no_network(flux: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    run = flux(*CHECK, "an-id", "--base-url", f"http://127.0.0.1:{port}", "--retries", "1")
    one_line(
        run,
        ExitCode.NO_ANSWER,
        f"cannot connect to 127.0.0.1:{port}: connection refused",
        "Check the network",
    )
    assert run.states == {"an-id": "unknown"}


def test_wrong_base_url(flux: Program, service: Start, sandbox: StartSandbox) -> None:
    server = sandbox()
    run = flux(*CHECK, "an-id", "--base-url", f"{server.base_url}/v2", FLUX_API_TOKEN=TOKEN)
    one_line(run, ExitCode.NO_ANSWER, "no_api", "Check the base URL")

    page = reply(200, b"<html><title>Welcome</title><p>hi</p></html>", content_type="text/html")
    service(lambda _: [page])
    run = flux(*CHECK, "an-id")
    one_line(run, ExitCode.NO_ANSWER, 'a web page titled "Welcome"', "does not look like the API")
    assert "<p>" not in run.stderr

    moved = service(lambda _: [reply(302, b"", location="https://evil.example/")])
    run = flux(*CHECK, "an-id")
    one_line(run, ExitCode.NO_ANSWER, "redirect (302)", "does not look like the API")
    assert len(moved.requests) == 1

    run = flux(*CHECK, "an-id", FLUX_API_BASE_URL="http://api.example")
    one_line(run, ExitCode.USAGE, "FLUX_API_BASE_URL", "unencrypted", "https://api.acedata.cloud")


def test_bad_ids_are_named_and_nothing_is_sent(flux: Program, service: Start) -> None:
    server = service(answer)
    (flux.folder / "ids.txt").write_text("good-1\n\ngood-2 bad,3\n{bad-4}\n" + "x;" * 30 + "\n")
    run = flux(*CHECK, "bad(0)", "-f", "ids.txt").expect(ExitCode.USAGE)
    assert run.stderr == (
        'flux: argument 1: "bad(0)" is not a task id: it contains a bracket. Nothing was sent. '
        "Give each id as its own argument.\n"
    )
    run = flux(*CHECK, "-f", "ids.txt").expect(ExitCode.USAGE)
    assert run.stderr.splitlines() == [
        (
            'flux: ids.txt:3: "bad" does not look like a task id: it contains no digit. '
            "Nothing was sent. Separate ids with whitespace or commas; CSV needs a task_id or"
            " id column."
        ),
        'flux: ids.txt:4: "{bad-4}" does not look like a task id: it contains a bracket',
        f'flux: ids.txt:5: "{"x;" * 19}x…" does not look like a task id: it contains no digit',
    ]
    assert run.stdout == b""
    assert server.requests == []


def test_no_more_than_five_bad_ids_are_named(flux: Program) -> None:
    run = flux(*CHECK, stdin="a1\n" + "a\n" * 1200).expect(ExitCode.USAGE)
    assert len(run.stderr.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("tasks", "check", "a", "--stat", "failed"), ("--stat", "--state")),
        (("nonsense",), ("there is no command nonsense. Try: flux --help",)),
        (("tasks", "nonsense"), ("there is no command tasks nonsense. Try: flux tasks --help",)),
        (("--colour",), ("--colour", "flux --help")),
        ((*CHECK, "a", "--concurrency", "0"), ("--concurrency", "1<=x<=64")),
        ((*CHECK, "a", "--concurrency", "many"), ("--concurrency", "many")),
        ((*CHECK, "a", "--batch-size", "51"), ("--batch-size", "1<=x<=50")),
        ((*CHECK, "a", "--request-timeout", "nan"), ("--request-timeout", "from 0.1s to 1h")),
        ((*CHECK, "a", "--request-timeout", "-5"), ("--request-timeout", "from 0.1s to 1h")),
        ((*CHECK, "a", "--retries", "-1"), ("--retries", "0<=x<=20")),
        ((*CHECK, "a", "--state", "done"), ("--state", "done", "succeeded")),
        ((*CHECK, "a", "-o", "xml"), ("xml", "jsonl")),
        ((*CHECK, "-f"), ("-f",)),
        (("sandbox", "--port", "70000"), ("--port", "0<=x<=65535")),
    ],
)
def test_wrong_words_on_the_command_line(
    flux: Program, arguments: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    one_line(flux(*arguments), ExitCode.USAGE, *parts, "--help")


def test_a_group_without_a_command_shows_its_help(flux: Program) -> None:
    for group in ((), ("tasks",), ("auth",)):
        run = flux(*group).expect(ExitCode.USAGE)
        assert run.stderr.startswith("Usage: flux")
        assert "Commands:\n" in run.stderr


def test_a_token_that_cannot_be_one(flux: Program) -> None:
    run = flux(*CHECK, "an-id", FLUX_API_TOKEN=f"Bearer {CANARY}")
    one_line(run, ExitCode.TOKEN, "FLUX_API_TOKEN: this is not a valid token")


def test_nothing_is_sent_and_little_is_kept_for_a_bad_id_at_the_very_end(flux: Program) -> None:
    def peak(count: int) -> int:
        (flux.folder / "ids").write_text("\n".join([*make_ids(count), "bad-id"]))
        code, _, used = peak_memory([FLUX, *CHECK, "-f", "ids"], flux.variables({}), flux.folder)
        assert code == ExitCode.USAGE
        return used

    assert (peak(410_000) - peak(10_000)) / 400_000 <= 200  # bytes for each id


GUESSES = {
    "check t-5": "flux tasks check t-5",
    "status t-5 -o csv": "flux tasks check t-5 -o csv",
    "wait -f 'my ids.txt'": "flux tasks watch -f 'my ids.txt'",
    "download t-5": "flux tasks download t-5",
    "list --since 1d": "flux tasks list --since 1d",
    "history": "flux tasks list",
    "task t-5": "flux tasks check t-5",
    "task check t-5": "flux tasks check t-5",
    "task": "flux tasks",
    "tasks t-5 t-6 --raw": "flux tasks check t-5 t-6 --raw",
    "tasks chek t-5": "flux tasks check t-5",
    "tasks wait t-5": "flux tasks watch t-5",
    "t-5": "flux tasks check t-5",
    "check": "flux tasks check",  # ids may come from stdin
    "check t-5 --wait": "flux tasks check ID",  # which has no such option
    "generate 'a red fox' -m flux-pro": "flux images generate 'a red fox' -m flux-pro",
    "submit -f prompts.csv": "flux images generate -f prompts.csv",
    "image generate 'a red fox'": "flux images generate 'a red fox'",
    "retry t-5": "flux tasks retry t-5",
    "login": "flux auth login",
    "login a-secret": "flux auth login",
    "auth logni": "flux auth login",
    "whoami": "flux auth status",
    "mcp conf cursor": "flux mcp config cursor",
    "version": "flux --version",
    "completion": "flux --show-completion",
}


@pytest.mark.parametrize(("typed", "meant"), GUESSES.items(), ids=GUESSES)
def test_a_wrong_guess_is_answered_with_the_right_command(
    flux: Program, typed: str, meant: str
) -> None:
    run = flux(*shlex.split(typed)).expect(ExitCode.USAGE)
    assert run.stdout == b""
    assert re.fullmatch(
        rf"flux: there is no command .*; did you mean: {re.escape(meant)}\?\n", run.stderr
    )
    if meant.startswith("flux tasks check t-5"):  # what is offered is no wrong guess
        flux(*shlex.split(meant)[1:], "--help").expect(ExitCode.OK)


def test_on_a_terminal_a_wrong_guess_shows_where_ids_belong(flux: Program) -> None:
    screen = Terminal(flux, "check", columns=100).end()
    assert screen.lines == ["flux: there is no command check; did you mean: flux tasks check ID?"]


def test_a_wrong_guess_costs_nobody_else_time(flux: Program) -> None:
    code = "import sys; from flux_cli.app import make_app; make_app(['tasks', 'check']);"
    code += "sys.exit('flux_cli.commands.guesses' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=flux.variables({}))
