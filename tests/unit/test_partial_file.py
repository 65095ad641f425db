"""A file on its way: recognised early, whole at its end, and never taken for the final one."""

import hashlib
from pathlib import Path

import pytest

from flux_cli.engine.partial_file import PartialFile
from flux_cli.errors import DownloadError
from flux_cli.models.media import Media
from tests.support.media import FILES


PNG = FILES[Media.PNG]


class Busy(Exception):
    """Somebody else has the file."""


def refuse(seconds: float) -> None:
    del seconds
    raise Busy


@pytest.mark.parametrize("media", list(FILES))
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_bytes_in_pieces_become_the_file(tmp_path: Path, media: Media, step: int) -> None:
    data = FILES[media]
    part = PartialFile(tmp_path / "part", wait=refuse)
    for start in range(0, len(data), step):
        part.write(data[start : start + step])
    assert (part.is_whole(), part.media, part.size) == (True, media, len(data))
    assert part.digest == hashlib.sha256(data).hexdigest()
    part.finish(tmp_path / "final")
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    assert (tmp_path / "final").read_bytes() == data


def test_a_file_that_was_cut_is_not_whole_and_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "part", wait=refuse)
    part.write(PNG[:-5])
    assert not part.is_whole()
    part.write(PNG[-5:])
    assert part.is_whole()
    part.abort()
    part.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html>" + b" " * 100, "it is a web page, not an image or a video"),
        (b"\n <!doctype html>" + b" " * 100, "it is a web page"),
        (b"{}" * 100, "it is not an image or a video"),
    ],
)
def test_what_is_no_media_is_refused_at_its_beginning(
    tmp_path: Path, data: bytes, message: str
) -> None:
    part = PartialFile(tmp_path / "part", wait=refuse)
    with pytest.raises(DownloadError, match=message) as caught:
        part.write(data)
    assert caught.value.code == "not_media"
    part.abort()


def test_what_is_too_short_to_be_known_is_refused_at_its_end(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "part", wait=refuse)
    part.write(b"<p>")
    with pytest.raises(DownloadError, match="a web page"):
        part.is_whole()
    part.abort()


def test_beginning_anew_forgets_everything(tmp_path: Path) -> None:
    part = PartialFile(tmp_path / "part", wait=refuse)
    part.write(FILES[Media.GIF])
    part.validator = '"a"'
    part.clear()
    assert [part.size, part.media, part.validator] == [0, None, None]
    part.write(PNG)
    assert part.is_whole()
    assert part.digest == hashlib.sha256(PNG).hexdigest()
    part.sync()
    assert (tmp_path / "part").read_bytes() == PNG
    part.abort()


def test_two_at_once_wait_for_each_other_and_a_crash_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"what a crash left" * 1000)
    first = PartialFile(path, wait=refuse)
    assert path.stat().st_size == 0
    with pytest.raises(Busy):
        PartialFile(path, wait=refuse)
    first.abort()
    PartialFile(path, wait=refuse).abort()
