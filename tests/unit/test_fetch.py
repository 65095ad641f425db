"""One file is fetched until it is whole, by as many exchanges as that takes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux_cli.api.file_client import FileResponse
from flux_cli.api.throttle import Throttle
from flux_cli.engine.fetch import Fetch
from flux_cli.engine.hosts import Hosts
from flux_cli.engine.partial_file import PartialFile
from flux_cli.errors import ConnectionFault, DownloadError, FluxError
from flux_cli.models.media import Media
from flux_cli.models.task import File
from tests.support.media import FILES


PNG = FILES[Media.PNG]
DAMAGED = PNG[:-12] + b"\0" * 12  # as long, and without its end
URL = "https://cdn.example/a.png"


class Server:
    """Gives one reply after the other: from where, of how many bytes, which, and what then."""

    def __init__(self, *replies: tuple[int, int | None, bytes, FluxError | None]) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[int, str | None]] = []
        self.moved_to: list[int] = []

    @contextlib.contextmanager
    def open(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> Iterator[FileResponse]:
        assert url == URL
        self.asked.append((start, validator))
        first, total, data, error = self.replies.pop(0)

        def chunks() -> Iterator[bytes]:
            yield data
            if error is not None:
                raise error

        yield FileResponse(first, total, f'"{len(self.asked)}"', chunks())

    def moved(self, path: Path, size: int, total: int | None) -> None:
        del path, total
        self.moved_to.append(size)

    def ended(self, path: Path, file: File, name: str) -> None:
        del path, file, name

    def fetch(self, folder: Path, *, max_size: int = 1 << 20) -> bytes:
        """Fetch the file and return what there is."""
        hosts = Hosts(
            lambda: Throttle(concurrency=1, retries=3, uniform=lambda *_: 0.0, wait=lambda *_: None)
        )
        path = folder / "part"
        part = PartialFile(path, wait=lambda _: None)
        try:
            fetch = Fetch(self.open, hosts, self, max_size=max_size)
            fetch.into(part, folder / "a", URL, pause=lambda: None)
            part.sync()
            return path.read_bytes()
        finally:
            part.abort()


def cut() -> ConnectionFault:
    return ConnectionFault("the file is truncated", code="reply_cut")


def test_a_file_that_comes_whole_is_asked_for_once(tmp_path: Path) -> None:
    server = Server((0, len(PNG), PNG, None))
    assert server.fetch(tmp_path) == PNG
    assert (server.asked, server.moved_to) == ([(0, None)], [len(PNG)])


def test_a_file_that_was_cut_goes_on_there_with_its_validator(tmp_path: Path) -> None:
    size = len(PNG)
    parts = [(0, PNG[:50], cut()), (50, PNG[50:90], cut()), (90, PNG[90:], None)]
    server = Server(*((start, size, data, error) for start, data, error in parts))
    assert server.fetch(tmp_path) == PNG
    assert server.asked == [(0, None), (50, '"1"'), (90, '"2"')]


def test_a_server_that_begins_anew_is_followed(tmp_path: Path) -> None:
    server = Server((0, len(PNG), PNG[:50], cut()), (0, len(PNG), PNG, None))
    assert server.fetch(tmp_path) == PNG


def test_another_part_than_was_asked_for_is_not_taken(tmp_path: Path) -> None:
    size = len(PNG)
    other = PNG[40:-10]  # as long as what is missing
    server = Server((0, size, PNG[:50], cut()), (40, None, other, None), (0, size, PNG, None))
    assert server.fetch(tmp_path) == PNG
    assert server.asked[2] == (0, None)


def test_a_file_of_unknown_length_that_lacks_its_end_was_cut(tmp_path: Path) -> None:
    server = Server((0, None, PNG[:-5], None), (len(PNG) - 5, None, PNG[-5:], None))
    assert server.fetch(tmp_path) == PNG


def test_a_damaged_file_is_fetched_once_more(tmp_path: Path) -> None:
    server = Server((0, len(PNG), DAMAGED, None), (0, len(PNG), PNG, None))
    assert server.fetch(tmp_path) == PNG


def test_a_file_that_is_the_same_without_its_end_is_what_the_server_has(tmp_path: Path) -> None:
    server = Server(*[(0, len(PNG), DAMAGED, None)] * 2)
    assert server.fetch(tmp_path) == DAMAGED


def test_a_file_that_is_damaged_differently_each_time_is_refused(tmp_path: Path) -> None:
    other = DAMAGED[:-1] + b"\1"
    server = Server((0, len(PNG), DAMAGED, None), (0, len(PNG), other, None))
    with pytest.raises(DownloadError, match="differently each time"):
        server.fetch(tmp_path)


@pytest.mark.parametrize("total", [len(PNG), None])
def test_a_file_that_is_too_large_is_refused(tmp_path: Path, total: int | None) -> None:
    assert Server((0, total, PNG, None)).fetch(tmp_path, max_size=len(PNG)) == PNG
    with pytest.raises(DownloadError, match="--max-size") as caught:
        Server((0, total, PNG, None)).fetch(tmp_path, max_size=len(PNG) - 1)
    assert caught.value.code == "too_large"
