"""The processes that a command has started, whatever groups they have made of themselves."""

from collections import defaultdict
from pathlib import Path


_PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Return the children of a process, theirs, and so on; none where there is no Linux /proc.

    What has lost its parent meanwhile belongs to nobody, and is not among them.
    """
    children: defaultdict[int, list[int]] = defaultdict(list)
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            parent = stat.read_bytes().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):  # it has just ended
            continue
        children[int(parent)].append(int(stat.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        waiting += (more := children[waiting.pop()])
        found += more
    return found
