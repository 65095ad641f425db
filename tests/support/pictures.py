"""A service whose tasks have all succeeded, with files on the same server."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.fault_server import Request, Script, Step, reply
from tests.support.media import FILES
from tests.support.program import Run
from tests.support.records import batch, finished


PNG = FILES["png"]  # type: ignore[index]
TAG = '"the-file"'


def whole(request: Request) -> list[Step]:
    """Serve the file, or the rest of it, as a good server does."""
    return [file_reply(request, PNG)]


def file_reply(request: Request, data: bytes, tag: str = TAG) -> bytes:
    """Return `data`, or the part that was asked for if it is still the same file."""
    start = int(request.headers.get("range", "bytes=0-")[6:-1])
    if not start or request.headers.get("if-range") != tag:
        return reply(200, data, etag=tag)
    place = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return reply(206, data[start:], etag=tag, content_range=place)


def with_files(
    file: Script = whole, *, url: str = "{base}/{id}.png", count: int = 1, **changes: Any
) -> Script:
    """Return a script: every task has `count` outputs at `url`, which `file` serves."""

    def script(request: Request) -> Iterable[Step]:
        if request.path != "/flux/tasks":
            return file(request)
        base = f"http://{request.headers['host']}"

        def record(task_id: str) -> dict[str, Any]:
            data = [
                {"image_url": url.format(base=base, id=task_id, n=n), "seed": n}
                for n in range(1, count + 1)
            ]
            return finished(task_id, response={"success": True, "data": data}, **changes)

        return [reply(200, batch(map(record, request.ids)))]

    return script


def saved(run: Run, folder: Path) -> list[Path]:
    """Return the files that the records of `run` name, after comparing each with its record."""
    paths = []
    for record in run.records:
        for output in record["outputs"]:
            if output.get("path") is None:
                continue
            path = folder / output["path"]
            data = path.read_bytes()
            assert (output["bytes"], output["error"]) == (len(data), None)
            assert output["sha256"] == hashlib.sha256(data).hexdigest()
            paths.append(path)
    return paths


def leftovers(folder: Path) -> list[str]:
    """Return the names of temporary files below `folder`."""
    return [path.name for path in folder.rglob("*.part")]
