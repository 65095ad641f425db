"""What tests need of a machine beside Python.

A test whose need is not met is left out and counted; with CI set it fails.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest


CHROME_OF_MACOS = Path("/Applications/Google Chrome.app")


def need(*programs: str) -> None:
    """Leave the test out unless all `programs` are there, by the names of their packages."""
    for program in programs:
        if not _is_there(program):
            leave_out(program)


def leave_out(need: str) -> NoReturn:
    """Leave the test out, as the machine lacks what is named by `need`."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"needs {need}; with CI set nothing may be left out", pytrace=False)
    pytest.skip(f"needs {need}")


def browser() -> str | None:
    """Return the path of Chromium or of a relative, where it is on the PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def account(reasons: Iterable[str]) -> str:
    """Return the line that counts the tests that were left out, each for one of `reasons`."""
    counts = Counter(reasons)
    if not counts:
        return "No test was left out."
    listed = ", ".join(f"{reason} ({count})" for reason, count in sorted(counts.items()))
    total = counts.total()
    return f"Left out {total} test{'s'[: total > 1]}: {listed}"


def _is_there(program: str) -> bool:
    if program == "chromium":
        return browser() is not None or CHROME_OF_MACOS.exists()
    if program == "parallel":  # moreutils has another program of this name
        return shutil.which(program) is not None and "GNU parallel" in _version(program)
    return shutil.which(program) is not None


def _version(program: str) -> str:
    run = subprocess.run(
        [program, "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout
