"""What a user sees of a bug in flux: one line, and with FLUX_DEBUG where it is."""

import subprocess
import sys

import pytest

from flux_cli.errors import ExitCode
from tests.support.program import CANARY, Program


BUG = """
import sys
from flux_cli.commands.tasks import check
def read_ids(ctx, inputs, session, **_):
    raise ValueError(f"no {session.token.reveal()}\\n\\x1b[31mat all")
check.read_ids = read_ids
sys.argv = ["flux", "tasks", "check", "an-id-1"]
from flux_cli.__main__ import main
main()
"""


@pytest.mark.parametrize("setting", [None, "", "0", "1"])
def test_a_bug_is_one_line_and_its_traceback_is_shown_on_demand(
    flux: Program, setting: str | None
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", BUG],
        env=flux.variables({"FLUX_DEBUG": setting}),
        cwd=flux.folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    first, *more = run.stderr.decode().splitlines()
    assert run.returncode == ExitCode.BUG
    assert run.stdout == b""
    assert first.startswith("flux: a bug in flux")
    assert first.endswith("Please report this line")
    assert CANARY.encode() not in run.stderr
    assert b"\x1b" not in run.stderr
    if setting == "1":
        assert more[0] == "Traceback (most recent call last):"
        assert any(", in read_ids" in line for line in more), more
        assert more[-2].startswith("ValueError: no ")
    else:
        assert more == []
