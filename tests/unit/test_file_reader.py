"""One file is read into memory, whole, within a size and a time."""

import contextlib
from collections.abc import Iterator

import pytest

from flux_cli.api.file_client import FileResponse
from flux_cli.api.throttle import Throttle
from flux_cli.engine.file_reader import read_file
from flux_cli.engine.hosts import Hosts
from flux_cli.errors import ConnectionFault, DownloadError


class Server:
    """Gives one reply after the other: what it says its length is, and the pieces."""

    def __init__(self, *replies: tuple[int | None, list[bytes]]) -> None:
        self.replies = list(replies)
        self.now = 0.0

    @contextlib.contextmanager
    def open(
        self, url: str, *, start: int = 0, validator: str | None = None
    ) -> Iterator[FileResponse]:
        assert (url, start, validator) == ("https://cdn.example/a.png", 0, None)
        total, pieces = self.replies.pop(0)

        def chunks() -> Iterator[bytes]:
            for piece in pieces:
                self.now += 1.0
                yield piece

        yield FileResponse(0, total, None, chunks())

    def read(self, *, retries: int = 0) -> bytes:
        """Read the file with at most ten bytes, in at most five seconds."""
        hosts = Hosts(
            lambda: Throttle(
                concurrency=1, retries=retries, uniform=lambda *_: 0.0, wait=lambda *_: None
            )
        )
        url = "https://cdn.example/a.png"
        return read_file(self.open, hosts, url, max_size=10, seconds=5.0, clock=lambda: self.now)


@pytest.mark.parametrize("total", [None, 6])
def test_all_pieces_are_one_file(total: int | None) -> None:
    assert Server((total, [b"abc", b"def"])).read() == b"abcdef"


def test_a_file_that_is_too_large_is_left_as_soon_as_that_is_known() -> None:
    server = Server((None, [b"x" * 6] * 9))
    with pytest.raises(DownloadError) as caught:
        server.read()
    assert caught.value.code == "too_large"
    assert server.now == 2.0


def test_a_file_that_drips_is_left_when_the_time_is_over() -> None:
    with pytest.raises(DownloadError) as caught:
        Server((None, [b"x"] * 9)).read()
    assert caught.value.code == "too_slow"


def test_a_file_that_was_cut_is_asked_for_again() -> None:
    assert Server((6, [b"abc"]), (6, [b"abcdef"])).read(retries=1) == b"abcdef"
    with pytest.raises(ConnectionFault):
        Server((6, [b"abc"])).read()
