"""The commonest mistakes: each gets one clear line that tells what to do, and its exit code."""

import socket
import subprocess
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN
from tests.end_to_end.test_check import Start, StartSandbox
from tests.support.fault_server import answer, reply
from tests.support.program import CANARY, FLUX, Program, Run
from tests.support.records import error_body


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
    one_line(run, ExitCode.TOKEN, "no API token for https://api.acedata.cloud", "flux auth login")
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
    (flux.folder / "ids.txt").write_text("good-1\n\ngood-2 bad,3\n{bad-4}\n" + "x," * 7)
    run = flux(*CHECK, "bad(0)", "-f", "ids.txt").expect(ExitCode.USAGE)
    assert run.stderr.splitlines() == [
        (
            'flux: argument 1: "bad(0)" is not a task id: it holds a bracket. Nothing was sent.'
            " Separate ids by white space; a CSV needs a column task_id or id."
        ),
        'flux: ids.txt:3: "bad,3" is not a task id: it holds a comma',
        'flux: ids.txt:4: "{bad-4}" is not a task id: it holds a bracket',
        'flux: ids.txt:5: "x,x,x,x,x,x,x," is not a task id: it holds a comma',
    ]
    assert run.stdout == b""
    assert server.requests == []


def test_no_more_than_five_bad_ids_are_named(flux: Program) -> None:
    run = flux(*CHECK, stdin="a,\n" * 1200).expect(ExitCode.USAGE)
    assert len(run.stderr.splitlines()) == 6
    assert run.stderr.endswith("flux: and 1,195 more\n")


@pytest.mark.parametrize("text", ["a\x1b[31mb", "x\x07", "x" * 10_000, "\u202eevil", "\x9b2J"])
def test_a_bad_id_is_not_echoed_raw(flux: Program, text: str) -> None:
    run = flux(*CHECK, stdin=text).expect(ExitCode.USAGE, stderr="stdin:1:")
    assert len(run.stderr) < 300
    assert not set(run.stderr) & set("\x1b\x07\x9b\u202e")


@pytest.mark.parametrize(
    "text",
    [CANARY, CANARY.upper(), f"a {CANARY},b", f'{{"id": "{CANARY}"}}', f"{'x' * 30}={CANARY},"],
)
def test_the_token_is_not_an_id(flux: Program, service: Start, text: str) -> None:
    server = service(answer)
    run = flux(*CHECK, stdin=text).expect(ExitCode.USAGE, stderr="flux: stdin:1: ")
    assert CANARY[:9] not in run.stderr
    assert CANARY.upper() not in run.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.txt", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("binary", "this is a binary file"),
        ("latin.txt", "this is not text in UTF-8"),
        ("empty.txt", "no task ids in there"),
        ("broken.json", "this JSON cannot be read: "),
        ("error.json", "this is a reply about an error, not a task: used_up: no"),
    ],
)
def test_a_file_that_is_no_use(flux: Program, name: str, reason: str) -> None:
    (flux.folder / "binary").write_bytes(b"PK\x03\x04\0\0")
    (flux.folder / "latin.txt").write_bytes("é".encode("latin-1"))
    (flux.folder / "empty.txt").write_text("# nothing\n")
    (flux.folder / "broken.json").write_text('{"id": "a"\n')
    (flux.folder / "error.json").write_bytes(error_body("used_up"))
    run = flux(*CHECK, "-f", name)
    one_line(run, ExitCode.USAGE, f"flux: {name}", reason)
    assert run.stdout == b""


def test_empty_and_closed_stdin(flux: Program) -> None:
    one_line(flux(*CHECK), ExitCode.USAGE, "stdin: no task ids in there", "--file")
    closed = subprocess.run(
        ["sh", "-c", '"$0" tasks check <&-', FLUX],
        env=flux.variables({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert closed.returncode == ExitCode.USAGE
    assert "no task ids" in closed.stderr


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("tasks", "check", "a", "--stat", "failed"), ("--stat", "--state")),
        (("tasks", "chek", "a"), ("'chek'", "Did you mean 'check'?", "flux tasks --help")),
        (("task", "check"), ("'task'", "Did you mean 'tasks'?", "flux --help")),
        (("--colour",), ("--colour", "flux --help")),
        ((*CHECK, "a", "--concurrency", "0"), ("--concurrency", "1<=x<=64")),
        ((*CHECK, "a", "--concurrency", "many"), ("--concurrency", "many")),
        ((*CHECK, "a", "--batch-size", "51"), ("--batch-size", "1<=x<=50")),
        ((*CHECK, "a", "--request-timeout", "nan"), ("--request-timeout", "from 0.1s to 3600s")),
        ((*CHECK, "a", "--request-timeout", "-5"), ("--request-timeout", "from 0.1s to 3600s")),
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
    one_line(run, ExitCode.TOKEN, "FLUX_API_TOKEN: this cannot be a token")


def test_stdout_that_cannot_be_written(flux: Program, service: Start) -> None:
    service(answer)
    ids = " ".join(f"id-{n}" for n in range(200))
    for redirect, code in (("> /dev/full", 7), (">&-", 0), ("| true", 0)):
        run = subprocess.run(
            [
                "bash",
                "-c",
                f'set -o pipefail; echo "$1" | "$0" tasks check -q {redirect}',
                FLUX,
                ids,
            ],
            env=flux.variables({}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == code, (redirect, run.stderr)
        assert ("No space left on device" in run.stderr) == (code == 7)
        assert "Traceback" not in run.stderr
        assert "Exception" not in run.stderr


def test_a_closed_stderr_changes_nothing(flux: Program, service: Start) -> None:
    service(answer)
    for redirect in ("2>&-", "2> /dev/full"):
        run = subprocess.run(
            ["bash", "-c", f'"$0" tasks check an-id -o ids {redirect}', FLUX],
            env=flux.variables({}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stdout) == (0, "an-id\n")


def test_nothing_is_sent_and_little_is_kept_for_a_bad_id_at_the_very_end(
    flux: Program, tmp_path: Path
) -> None:
    def peak(count: int) -> int:
        ids = "\n".join(f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(count))
        (tmp_path / "ids.txt").write_text(f"{ids}\nbad,id\n")
        code = (
            "import resource, subprocess, sys\n"
            "run = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL)\n"
            "print(run.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        out = subprocess.run(
            ["python3", "-c", code, FLUX, *CHECK, "-f", str(tmp_path / "ids.txt")],
            env=flux.variables({}),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert out[0] == "2"
        return int(out[1]) * 1024

    assert (peak(400_000) - peak(10_000)) / 390_000 <= 200  # bytes for each id
