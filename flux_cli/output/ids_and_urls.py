"""Output for xargs and for another flux: the ids alone, or the URLs of the outputs."""

from collections.abc import Callable, Iterable

from flux_cli.models.task import Task
from flux_cli.output.sanitize import web_url
from flux_cli.output.terminal import Stdout


class IdWriter:
    """One id a line, as the user spelled it; none for a submission that brought none."""

    def __init__(self, stdout: Stdout) -> None:
        self._stdout = stdout

    def write(self, tasks: Iterable[Task]) -> int:
        return self._stdout.write_pieces(
            [f"{task.id}\n".encode("ascii") if task.id else b"" for task in tasks]
        )

    def close(self) -> None:
        pass


class UrlWriter:
    """One URL of an output a line; only http(s), whatever the service sends."""

    def __init__(self, stdout: Stdout, *, note: Callable[[str], None]) -> None:
        self._stdout = stdout
        self._note = note
        self._left_out = 0

    def write(self, tasks: Iterable[Task]) -> int:
        return self._stdout.write_pieces([self._lines(task) for task in tasks])

    def _lines(self, task: Task) -> bytes:
        urls = [web_url(output.url) for output in task.outputs]
        self._left_out += urls.count(None)
        return "".join(f"{url}\n" for url in urls if url is not None).encode("ascii")

    def close(self) -> None:
        if self._left_out:
            self._note(f"flux: skipped {self._left_out} output(s) whose URL is not http(s)")
