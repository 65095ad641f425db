"""Ids out of every format and encoding, and where the bad ones are."""

import contextlib
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.errors import InputError
from flux_cli.input.readers import Problem, read_ids


def read(data: str | bytes) -> list[tuple[str, int]]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return [(str(found), line) for found, line, _ in read_ids(stream, "in")]


def problems(data: str) -> list[tuple[str, int]]:
    found = read_ids(io.BytesIO(data.encode()), "in")
    return [(item.message, line) for item, line, _ in found if isinstance(item, Problem)]


BATCH_REPLY = json.dumps({"items": [{"_id": "x", "id": "a"}, {"id": "b"}], "count": 2}, indent=1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        (" \n\n", []),
        ("a b\n\tc\n", [("a", 1), ("b", 1), ("c", 2)]),
        ("a # b c\n#d\ne#f", [("a", 1), ("e#f", 3)]),
        ("a\r\nb\r\n", [("a", 1), ("b", 2)]),
        ('{"task_id": "a", "trace_id": "t"}', [("a", 1)]),
        ('{"id": "a"}\n{"id": "b", "task_id": "c"}\n', [("a", 1), ("c", 2)]),
        ('{"id": "a"}{"id": "b"}', [("a", 1), ("b", 1)]),
        ('\n\n["a", {"id": "b"},\n "c"]', [("a", 3), ("b", 3), ("c", 4)]),
        ('"a"\n"b"\n', [("a", 1), ("b", 2)]),
        (BATCH_REPLY, [("a", 1), ("b", 1)]),
        ("id,prompt\na,x\nb,y\n", [("a", 2), ("b", 3)]),
        ('prompt,task_id,id\n"x,\ny",a,z\n\n,b,z\n', [("a", 2), ("b", 5)]),
        ("name;ID\r\nx;a\r\n", [("a", 2)]),
        ('"task_id"\t"x"\na\t1\n', [("a", 2)]),
        ("task_id\na\n", [("a", 2)]),
    ],
)
def test_tells_formats_apart_by_content(data: str, expected: list[tuple[str, int]]) -> None:
    assert read(data) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("data", ["a\nb\n", '["a",\n"b"]', "id,prompt\na,é\nb,\n"])
def test_reads_every_encoding(data: str, encoding: str) -> None:
    assert [found for found, _ in read(data.encode(encoding))] == ["a", "b"]


@pytest.mark.parametrize("order", ["le", "be"])
def test_reads_utf_16_of_either_byte_order(order: str) -> None:
    assert [found for found, _ in read("\ufeffa b".encode(f"utf-16-{order}"))] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\nb\xff\n", "in:2: this is not text in UTF-8"),
        (b"a\0b", "in: this is a binary file"),
        (b'{"id": "a"}\n{"id": \n', "in:3: this JSON cannot be read"),
        (b'{"id": "a"}\n{"id" "b"}\n', "in:2: this JSON cannot be read: Expecting ':'"),
        (b'["a", "b"', "in:1: this JSON cannot be read: the array is not closed"),
        (b"[" + b"9" * 5000 + b"]", "in:1: this JSON cannot be read: a number too long"),
        (b'{"a":' * 100_000, "in:1: this JSON cannot be read"),
        (b'id\n"' + b"x" * 200_000, "in:2: this CSV cannot be read"),
    ],
)
def test_names_the_place_of_what_cannot_be_read(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"id": "a"}\n{}\n', [('this object has no "task_id" and no "id"', 2)]),
        ('{"id": 5}', [('"id" is not a string', 1)]),
        ("[[1]]", [("this is no task id, and no object with one", 1)]),
        ("id,x\n,1\n", [("this row has no task id", 2)]),
        ("x,id\n1\n", [("this row has no task id", 2)]),
        (
            '{"success": false, "error": {"code": "used_up", "message": "no balance"}}',
            [("this is a reply about an error, not a task: used_up: no balance", 1)],
        ),
        ('{"error": "odd"}', [("this is a reply about an error, not a task: odd", 1)]),
    ],
)
def test_names_what_holds_no_id(data: str, expected: list[tuple[str, int]]) -> None:
    assert problems(data) == expected


class Dribble(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        part, self._data = self._data[: self._size], self._data[self._size :]
        buffer[: len(part)] = part
        return len(part)


IDS = st.lists(st.text("abc-123", min_size=1, max_size=12), min_size=1)


@given(IDS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.integers(1, 7))
def test_ids_survive_every_format(ids: list[str], encoding: str, size: int) -> None:
    forms = [
        "\n".join(ids),
        " ".join(ids),
        json.dumps(ids, indent=1),
        json.dumps([{"id": task_id, "prompt": "x\n,]}"} for task_id in ids]),
        "\n".join(json.dumps({"task_id": task_id}) for task_id in ids),
        json.dumps({"items": [{"id": task_id} for task_id in ids]}),
        "prompt,id\n" + "\n".join(f'"x\ny",{task_id}' for task_id in ids),
    ]
    for form in forms:
        stream = io.BufferedReader(Dribble(form.encode(encoding), size))  # type: ignore[type-var]
        assert [found for found, _, _ in read_ids(stream, "in")] == ids, form


def _large(form: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        task_id = f"{number:032x}"
        yield {
            "array": f'{"[" if number == 0 else ","}{{"id":"{task_id}","prompt":"{"x" * 400}"}}',
            "lines": f'{{"id":"{task_id}","prompt":"{"x" * 400}"}}\n',
            "csv": f"{'id,prompt' + chr(10) if number == 0 else ''}{task_id},{'x' * 400}\n",
            "text": f"{task_id} ",
        }[form].encode()
    yield b"]" if form == "array" else b""


@pytest.mark.parametrize("form", ["array", "lines", "csv", "text"])
def test_reads_large_input_as_a_stream(form: str) -> None:
    count = 20_000
    stream: BinaryIO = io.BytesIO(b"".join(_large(form, count)))
    tracemalloc.start()
    seen = sum(1 for _ in read_ids(stream, "in"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == count
    assert peak < 4_000_000  # bytes; the records alone are 8 to 9 million


PIECES = st.sampled_from(
    [
        *(b"id", b"task_id", b"a-1", b"null", b"1e999", b"#", b" ", b"\t", b"\n", b"\r", b"\0"),
        *(b",", b";", b":", b'"', b"{", b"}", b"[", b"]", b"-", b"\\", b"\\ud800"),
        *(b"\xef\xbb\xbf", b"\xff\xfe"),
    ]
)


@given(st.lists(PIECES | st.binary(max_size=3)).map(b"".join))
@example(b"\n\x0e\r\t")
@example(b"id," + b"x" * 200_000)
def test_any_bytes_are_ids_with_lines_or_one_error(data: bytes) -> None:
    lines = data.count(b"\n") + 1
    with contextlib.suppress(InputError):
        for _, line, _ in read_ids(io.BytesIO(data), "file"):
            assert 1 <= line <= lines
