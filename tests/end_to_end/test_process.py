"""One run of each kind in a process of its own, which does what it does in the tests' process."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import mixed
from tests.support.fault_server import FaultServer, Request, Step, answer
from tests.support.pictures import whole, with_files
from tests.support.program import Program, Run
from tests.support.records import make_ids


CHECK = ("tasks", "check")
TOKEN = b"test-token-not-a-secret\n"
MANY = "\n".join(f"s{number}" for number in range(3000))
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d+(\.\d+)? ?(ms|s|kB/s)\b")


def serve(request: Request) -> list[Step]:
    """Answer by the first letter of each id; what begins with a digit has a file."""
    if request.path == "/flux/tasks" and not request.ids:
        return answer(request)  # auth login asks whether the token is good
    if request.path != "/flux/tasks" or request.ids[0][0].isdigit():
        return list(with_files(whole)(request))
    return mixed(request)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(serve) as made:
        yield made


def told(run: Run, program: Program) -> tuple[int, str, str]:
    """Return what a run says, without the times and the folder, which are its own."""
    out, err = (
        _TIMES.sub("<time>", text.replace(str(program.folder), "<folder>"))
        for text in (run.out, run.stderr)
    )
    return run.code, out, err


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("--version",), b"", ExitCode.OK),
        (("--help",), b"", ExitCode.OK),
        ((*CHECK, "--help"), b"", ExitCode.OK),
        (("help", "exit-codes"), b"", ExitCode.OK),
        (("schema",), b"", ExitCode.OK),
        (("--show-completion", "bash"), b"", ExitCode.OK),
        ((), b"", ExitCode.USAGE),
        (("tasks", "chek"), b"", ExitCode.USAGE),
        ((*CHECK, "bad,id"), b"", ExitCode.USAGE),
        ((*CHECK, "-f", "missing"), b"", ExitCode.USAGE),
        ((*CHECK,), b"", ExitCode.USAGE),
        ((*CHECK, "s1", "f1", "n1"), b"", ExitCode.OK),
        ((*CHECK, "s1", "--debug"), b"", ExitCode.OK),
        ((*CHECK, "-o", "ids"), MANY.encode(), ExitCode.OK),
        ((*CHECK, "-o", "json"), b"s1 \xc3\xa9", ExitCode.USAGE),
        ((*CHECK, "s1", "r1", "-o", "table", "--exit-status"), b"", ExitCode.STILL_RUNNING),
        ((*CHECK, "s1", "-o", "csv", "--base-url", "http://127.0.0.1:1", "--retries", "0"), b"", 5),
        (("tasks", "watch", "s1", "f1"), b"", ExitCode.TASK_FAILED),
        (("tasks", "watch", "s1", "--exec", "cat >&2; echo $FLUX_ID"), b"", ExitCode.OK),
        (("tasks", "watch", "s1", "r1", "--until", "any"), b"", ExitCode.OK),
        (("tasks", "download", *make_ids(1), "-d", "out", "--sidecar"), b"", ExitCode.OK),
        (("auth", "login", "--with-token"), TOKEN, ExitCode.OK),
        (("auth", "status"), b"", ExitCode.TOKEN),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_run_is_the_same_in_a_process_of_its_own(
    tmp_path: Path, server: FaultServer, arguments: tuple[str, ...], stdin: bytes, code: int
) -> None:
    programs = []
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        programs.append(Program(tmp_path / name, {"FLUX_API_BASE_URL": server.url}))
        if arguments[0:1] == ("auth",):
            del programs[-1].environment["FLUX_API_TOKEN"]
    inside, outside = programs
    expected = told(outside.outside(*arguments, stdin=stdin), outside)
    assert expected[0] == code, expected
    assert told(inside(*arguments, stdin=stdin), inside) == expected
    assert files(inside.folder) == files(outside.folder)
