"""Submissions as they are printed: in every shell, after a login alone, with the token unseen."""

import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Sandbox
from tests.end_to_end.test_docs import EXAMPLES, LEAVES
from tests.support.needs import need
from tests.support.program import FLUX, Program


SERVICE = "https://api.acedata.cloud"
SUBMISSIONS = [
    name for name, text in EXAMPLES.items() if "/flux/images" in text and "flux sandbox" not in text
]
FLUX_FOR_THE_SANDBOX = """#!/bin/sh
FLUX_API_BASE_URL={url} exec {flux} "$@"
"""
CURL_FOR_THE_SANDBOX = """#!/bin/sh
printf '%s\\n' "$@" >> {log}
for word; do
    shift
    case $word in
    {service}/*) word={url}${{word#{service}}} ;;
    esac
    set -- "$@" "$word"
done
exec {curl} "$@"
"""


@pytest.fixture
def server(flux: Program, sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox that stands in for the service, of which the token is stored."""
    need("curl", "jq")
    server = sandbox()
    task = {"action": "generate", "model": "flux-dev", "prompt": "will fail"}
    (flux.folder / "ids.txt").write_text(server.store.submit(task).id)
    del flux.environment["FLUX_API_TOKEN"]
    flux("auth", "login", "--with-token", stdin=TOKEN).expect(ExitCode.OK)
    del flux.environment["FLUX_API_BASE_URL"]
    fill = {
        "url": server.base_url,
        "service": SERVICE,
        "flux": shlex.quote(FLUX),
        "curl": shutil.which("curl"),
        "log": shlex.quote(str(flux.folder / "curl.log")),
    }
    programs = flux.folder / "bin"
    programs.mkdir()
    for name, text in (("flux", FLUX_FOR_THE_SANDBOX), ("curl", CURL_FOR_THE_SANDBOX)):
        (programs / name).write_text(text.format(**fill))
        (programs / name).chmod(0o755)
    flux.environment["PATH"] = f"{programs}:{flux.environment['PATH']}"
    return server


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_submission_works_after_a_login_alone(
    flux: Program, server: Sandbox, name: str, shell: str
) -> None:
    need(shell)
    run = subprocess.run(
        [shell, "-eu", "-c", EXAMPLES[name]],
        cwd=flux.folder,
        env=flux.variables({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    file, part = LEAVES[name]
    assert part in (flux.folder / file).read_text()
    arguments = (flux.folder / "curl.log").read_text()
    assert f"{SERVICE}/flux/images" in arguments
    assert "content-type: application/json" in arguments
    assert TOKEN not in arguments
    newest = server.store.newest()[0].request
    assert newest["action"] == "generate"
    assert newest["size"] == "1:1"


def test_there_are_submissions() -> None:
    assert len(SUBMISSIONS) == 3


def test_what_the_sandbox_prints_is_accepted_as_printed(flux: Program) -> None:
    need("bash", "curl")
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
