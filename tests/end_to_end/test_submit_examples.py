"""Submissions as they are printed: in every shell, after a login alone, with the token unseen."""

import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Sandbox
from tests.end_to_end.test_docs import EXAMPLES, LEAVES
from tests.support.needs import need
from tests.support.program import FLUX, Program


SUBMISSIONS = [
    name
    for name, text in EXAMPLES.items()
    if "curl flux/images" in text and "flux sandbox" not in text
]
LOGGING_CURL = """#!/bin/sh
printf '%s\\n' "$@" >> {log}
exec {curl} "$@"
"""


@pytest.fixture
def server(flux: Program, sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox whose token is stored; no variable names it or its token."""
    need("curl", "jq")
    server = sandbox()
    task = {"action": "generate", "model": "flux-dev", "prompt": "overloaded"}
    (flux.folder / "ids.txt").write_text(server.store.submit(task).id)
    time.sleep(0.05)  # which is long, at its speed: the task has failed then
    del flux.environment["FLUX_API_TOKEN"]
    flux("auth", "login", "--with-token", stdin=TOKEN).expect(ExitCode.OK)
    del flux.environment["FLUX_API_BASE_URL"]
    programs = flux.folder / "bin"
    programs.mkdir()
    (programs / "flux").symlink_to(FLUX)
    log = shlex.quote(str(flux.folder / "curl.log"))
    (programs / "curl").write_text(LOGGING_CURL.format(log=log, curl=shutil.which("curl")))
    (programs / "curl").chmod(0o755)
    flux.environment["PATH"] = f"{programs}:{flux.environment['PATH']}"
    return server


@pytest.mark.parametrize("variable", ["FLUX_API_BASE_URL", "ACEDATACLOUD_API_BASE_URL"])
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_goes_where_the_stored_token_belongs(
    flux: Program, server: Sandbox, name: str, shell: str, variable: str
) -> None:
    need(shell)
    run = subprocess.run(
        [shell, "-eu", "-c", EXAMPLES[name]],
        cwd=flux.folder,
        env=flux.variables({variable: server.base_url}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    file, part = LEAVES[name]
    assert part in (flux.folder / file).read_text()
    arguments = (flux.folder / "curl.log").read_text()
    assert arguments.startswith("-sS\n-K\n-\n-d\n{")
    assert "://" not in arguments
    assert TOKEN not in arguments
    newest = server.store.newest()[0].request
    assert newest["action"] == "generate"
    assert newest["size"] == "1:1"


@pytest.mark.parametrize("path", ["flux/images", "/flux/images"])
def test_curl_is_told_of_one_service_with_its_own_token(flux: Program, path: str) -> None:
    shown = flux("auth", "token", "--curl", path, FLUX_API_TOKEN=TOKEN).expect(ExitCode.OK)
    assert shown.lines == [
        'url = "https://api.acedata.cloud/flux/images"',
        "globoff",
        f'header = "authorization: Bearer {TOKEN}"',
        'header = "content-type: application/json"',
    ]


@pytest.mark.usefixtures("server")
def test_curl_is_told_nothing_where_no_token_belongs(flux: Program) -> None:
    shown = flux("auth", "token", "--curl", "flux/images").expect(ExitCode.TOKEN)
    assert shown.stdout == b""
    assert "is sent nowhere else" in shown.stderr


@pytest.mark.parametrize(
    "path", ["", "/", "https://x.example/", 'a"', "a b", "a\\b", "a\nb", "\u00e9", "a#b"]
)
def test_what_is_no_path_is_refused(flux: Program, path: str) -> None:
    run = flux("auth", "token", "--curl", path, FLUX_API_TOKEN=TOKEN).expect(ExitCode.USAGE)
    assert run.stderr == ("flux: --curl: not a path on the service. Example: --curl flux/images.\n")
    assert run.stdout == b""


def test_there_are_submissions() -> None:
    assert len(SUBMISSIONS) == 1


def test_what_the_sandbox_prints_is_accepted_as_printed(flux: Program) -> None:
    need("bash")
    with flux.start("sandbox", "--port", "0", "--speed", "100", FLUX_API_TOKEN=None) as server:
        exports = [server.line(), server.line()]
        assert server.process.stderr is not None
        heading, command = (server.process.stderr.readline().decode() for _ in range(2))
        assert "submit" in heading
        assert "TOKEN" not in command
        script = "\n".join(("set -eu -o pipefail", *exports, command))
        run = subprocess.run(
            ["bash", "-c", script],
            cwd=flux.temporary,  # another folder than the sandbox was started in
            env=flux.variables({}),
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert re.search('"prompt":"a red fox","size":"1:1"', run.stdout)
        server.signal(signal.SIGINT)
        server.end().expect(ExitCode.INTERRUPTED)
