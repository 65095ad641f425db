"""Measures the peak memory of a whole process."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


_CHILD = """
import json, resource, subprocess, sys
with open(sys.argv[1], "wb") as out:
    code = subprocess.run(sys.argv[2:], stdin=sys.stdin, stdout=out).returncode
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
print(json.dumps([code, peak]))
"""


def peak_memory(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, stdin: str = ""
) -> tuple[int, str, int]:
    """Run `command` in `folder`; return its exit code, its output, and its peak in bytes."""
    output = folder / "peak-output"
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, str(output), *command],
        input=stdin.encode(),
        capture_output=True,
        env=environment,
        cwd=folder,
        check=True,
    )
    code, peak = json.loads(ran.stdout)
    return code, output.read_text(), peak
