"""Looks at processes of this machine, with Linux's /proc or, elsewhere, ps."""

import subprocess
from pathlib import Path


_PROC = Path("/proc")


def is_stopped(pid: int) -> bool:
    """Tell whether a process was stopped, as by Ctrl-Z."""
    stat = _PROC / str(pid) / "stat"
    if _PROC.is_dir():
        return stat.read_text().rpartition(")")[2].split()[0] == "T"
    return _ps("-o", "state=", "-p", str(pid)).strip().startswith("T")


def running_with(text: str) -> list[str]:
    """Return the command lines of running processes that hold `text`."""
    if not _PROC.is_dir():
        lines = _ps("-eo", "args").splitlines()
        return [line for line in lines if text in line]
    found = []
    for file in _PROC.glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if text in line:
            found.append(line)
    return found


def _ps(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=False).stdout
