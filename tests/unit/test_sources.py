"""Files and stdin, opened by the names that people give them."""

import io
from pathlib import Path

import pytest

from flux_cli.errors import InputError
from flux_cli.input.sources import Enough, Source, is_taken_for_file, opened


def test_a_file_and_stdin_are_read_under_their_names(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"a1")
    with opened(str(file), None, "ids") as source:
        assert (source.name, source.read(10), source.read(10)) == (str(file), b"a1", b"")
    with opened("-", io.TextIOWrapper(io.BytesIO(b"b1")), "ids") as source:
        assert (source.name, source.read(10)) == ("stdin", b"b1")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("-", "stdin: is closed"),
        ("missing", "missing: cannot be read: No such file or directory"),
        (".", ".: is a folder, not a file"),
        ("a\0b", "a\0b: cannot be read: not a valid file name"),
    ],
)
def test_what_cannot_be_opened_is_named(name: str, message: str) -> None:
    with pytest.raises(InputError) as caught, opened(name, None, "prompts"):
        pytest.fail("it was opened")
    assert caught.value.message == message


def test_what_fails_while_it_is_read_is_named() -> None:
    class Broken(io.RawIOBase):
        def read(self, _: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="tape: cannot be read: Input/output error"):
        Source(Broken(), "tape").read(1)  # type: ignore[arg-type]


def test_nothing_is_read_once_it_is_enough() -> None:
    source = Source(io.BytesIO(b"a"), "in")
    source.is_enough = True
    with pytest.raises(Enough):
        source.read(1)


def test_an_argument_that_names_a_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fox").touch()
    Path("folder").mkdir()
    assert [is_taken_for_file(name) for name in ("fox", "@fox", "-")] == [True] * 3
    assert [is_taken_for_file(name) for name in ("cat", "folder", "a\0", "x" * 999)] == [False] * 4
