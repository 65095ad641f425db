"""The outputs of tasks, as the bytes of files."""

from functools import lru_cache

from flux_cli.sandbox.clips import make_clip
from flux_cli.sandbox.png import make_png
from flux_cli.sandbox.store import SandboxTask, seed_of


_KEPT = 64  # files
_TYPES = {"png": "image/png", "mp4": "video/mp4", "webm": "video/webm"}


def content(task: SandboxTask, file: str) -> bytes:
    """Return what is in `file`, an output of `task`."""
    if task.type == "videos":
        return make_clip(file)
    return _picture(seed_of(file), str(task.request.get("size")), str(task.request.get("prompt")))


def media_type(file: str) -> str:
    """Return the type of `file`, as HTTP names it."""
    return _TYPES[file.rpartition(".")[2]]


_picture = lru_cache(_KEPT)(make_png)
