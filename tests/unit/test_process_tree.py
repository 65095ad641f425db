"""The descendants of a process are found, whatever groups they have made of themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flux_cli.engine.process_tree import descendants


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_children_and_theirs_are_found_also_in_sessions_of_their_own() -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'print(1, flush=True); input()'],"
        " stdout=subprocess.PIPE, start_new_session=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "child.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        assert descendants(child.pid) == [grandchild]
        assert {child.pid, grandchild} <= set(descendants(os.getpid()))
        assert descendants(grandchild) == []
        child.communicate(b"\n")
    assert child.pid not in descendants(os.getpid())
