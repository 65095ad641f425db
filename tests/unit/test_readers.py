"""Ids out of every format and encoding, and where the bad ones are."""

import contextlib
import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.id_reader import ErrorReply, Problem, read_ids
from flux_cli.models.ids import flaw_in_data, flaw_in_text, uuids_in
from tests.support.records import make_ids


def read(data: str | bytes) -> list[tuple[str, int]]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return [(str(found), line) for found, line, _ in read_ids(Text(stream, "in"))]


def problems(data: str) -> list[tuple[str, int]]:
    found = read_ids(Text(io.BytesIO(data.encode()), "in"))
    return [(item.message, line) for item, line, _ in found if isinstance(item, Problem)]


U = make_ids(1)[0]
NO_HEADER = "CSV without task_id or id in its first line"


BATCH_REPLY = json.dumps({"items": [{"_id": "x", "id": "a"}, {"id": "b"}], "count": 2}, indent=1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        (" \n\n", []),
        ("a1 b1\n\tc1\n", [("a1", 1), ("b1", 1), ("c1", 2)]),
        ("a1 # b c\n#d\ne#1", [("a1", 1), ("e#1", 3)]),
        ("a1\r\nb1\r\n", [("a1", 1), ("b1", 2)]),
        ("a1\rb1\r", [("a1", 1), ("b1", 2)]),
        ("a1,b1, c1,\nd1,\n", [("a1", 1), ("b1", 1), ("c1", 1), ("d1", 2)]),
        ("'a1', \"b1\"\n", [("a1", 1), ("b1", 1)]),
        ('"a1",\n"b1",\n', [("a1", 1), ("b1", 2)]),
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
        (" Task_ID ,x\na,1\n", [("a", 2)]),
        ("taskId;x\ra;1\rb;2\r", [("a", 2), ("b", 3)]),
        ("Task ID\na\n", [("a", 2)]),
        ("sep=;\r\nprompt;id\r\nx;a\r\n", [("a", 3)]),
        ("_id,id\nx,a\n", [("a", 2)]),
        (f"prompt,id\n{'x' * 200_000},a\n", [("a", 2)]),
        ("id,x\n'-a,1\n", [("-a", 2)]),
        ('{"taskId": "a"} {" Task_ID ": "b"} {"ID": "c"}', [("a", 1), ("b", 1), ("c", 1)]),
        ('{"id": 7}\n[8, "c"]', [("7", 1), ("8", 2), ("c", 2)]),
        ('{"id": "a"},\n{"id": "b"},\n', [("a", 1), ("b", 2)]),
        ('{"data": {"task_id": "a"}}\n{"result": {"id": "b"}}', [("a", 1), ("b", 2)]),
        ('{"data": [{"id": "x"}], "task_id": "a"}', [("a", 1)]),
        ('{"ids": ["a", "b"]} {"task_ids": ["c"]}', [("a", 1), ("b", 1), ("c", 1)]),
        ('{"data": [{"task_id": "a", "id": "x"}, {"taskId": "b"}]}', [("a", 1), ("b", 1)]),
        ('"sep=;"\nprompt;id\nx;a\n', [("a", 3)]),
        ("id,x\na,1\nid,x\nb,2\n", [("a", 2), ("b", 4)]),
        ('{"data": {"taskIds": ["a", {"id": "b"}]}}', [("a", 1), ("b", 1)]),
    ],
)
def test_tells_formats_apart_by_content(data: str, expected: list[tuple[str, int]]) -> None:
    assert read(data) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("data", ["a1\nb1\n", '["a1",\n"b1"]', "id,prompt\na1,é\nb1,\n"])
def test_reads_every_encoding(data: str, encoding: str) -> None:
    assert [found for found, _ in read(data.encode(encoding))] == ["a1", "b1"]


@pytest.mark.parametrize("order", ["le", "be"])
def test_reads_utf_16_of_either_byte_order(order: str) -> None:
    assert [found for found, _ in read("\ufeffa1 b1".encode(f"utf-16-{order}"))] == ["a1", "b1"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a1\nb\xff\n", "in:2: this is not valid UTF-8"),
        (b"a1\r\xffb", "in:2: this is not valid UTF-8"),
        (b"a\0b", "in: this is a binary file"),
        (b'{"id": "a"}\n{"id": \n', "in:3: invalid JSON"),
        (b'{"id": "a"}\n{"id" "b"}\n', "in:2: invalid JSON: Expecting ':'"),
        (b'["a", "b"', "in:1: invalid JSON: the array is not closed"),
        (b"[" + b"9" * 5000 + b"]", "in:1: invalid JSON: a number is too long"),
        (b'{"a":' * 100_000, "in:1: invalid JSON"),
        (b'id\n"a\nb\n', "in:2: a quotation mark opened in this row is never closed"),
        (b'id\n"' + b"x\n" * 200_000, "in:2: a quotation mark opened in this row is never closed"),
        (b"prompt,id\nred, blue,a\n", "in:2: this row has more cells than the header"),
    ],
)
def test_names_the_place_of_what_cannot_be_read(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"id": "a"}\n{}\n', [('this object has no "task_id" or "id"', 2)]),
        ('{"id": 1.5}', [("this id is neither a string nor an integer", 1)]),
        ('{"data": {"data": {"id": "a"}}}', [('this object has no "task_id" or "id"', 1)]),
        (
            '"a","b"',
            [("this looks like CSV without task_id or id in its first line, not bare task ids", 1)],
        ),
        ("sep=;\na;b\n1;2\n", [("this CSV has no task_id or id column", 3)]),
        ('{"data": [{"id": "x"}]}', [('this object has no "task_id" or "id"', 1)]),
        ("[[1]]", [("this is neither a task id nor an object with one", 1)]),
        ("id,x\n,1\n", [("this row has no task id", 2)]),
        ("x,id\n1\n", [("this row has no task id", 2)]),
        ('{"ids": ["a", "b"], "count": 3}', [("this names 2 of 3 tasks", 1)]),
        *(
            (f"{names}\na,b\n", [(f"this CSV has 2 columns of task ids: {said}", 2)])
            for names, said in [("id,ID", '"id" and "ID"'), ("id,id", '"id" and "id"')]
        ),
        (
            f"sku,id,job\nx,1,{U}\nx,2,{U}\n",
            [('"id" holds no UUID here, and "job" holds one each time', 1)],
        ),
        (
            f'{{"id": 7, "job": "{U}"}}',
            [('"id" holds no UUID here, and "job" holds one each time', 1)],
        ),
    ],
)
def test_names_what_holds_no_id(data: str, expected: list[tuple[str, int]]) -> None:
    assert problems(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        f"id,job\n1,{U}\n{U},{U}\n",
        f"id,job\n1,{U}\n2,\n",
        f"task_id,job\n1,{U}\n",
        f"id,trace_id\n1,{U}\n",
        f'{{"id": "a", "trace_id": "{U}"}}',
    ],
)
def test_a_column_id_without_uuids_is_right_where_no_other_holds_one_each_time(data: str) -> None:
    assert problems(data) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [('{"code": "used_up", "message": "no balance"}', "used_up: no balance"), ('"odd"', "odd")],
)
def test_a_reply_about_an_error_is_neither_an_id_nor_a_problem(error: str, reason: str) -> None:
    data = f'{{"id": "a"}}\n{{"success": false, "error": {error}, "trace_id": "{U}"}}\n'
    found = [found for found, *_ in read_ids(Text(io.BytesIO(data.encode()), "in"))]
    assert found == ["a", ErrorReply(reason)]


class Dribble:
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size

    def read(self, _size: int) -> bytes:
        part, self._data = self._data[: self._size], self._data[self._size :]
        return part


ENDS = st.sampled_from(["\n", "\r\n", "\r"])


CHARACTERS = "".join(c for c in map(chr, range(33, 127)) if c not in "\"'`()[]{}<>,")
WORDS = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda word: not flaw_in_data(word))
IDS = st.lists(WORDS | st.uuids().map(str), min_size=1)
BARE_IDS = st.one_of(
    st.lists(st.uuids().map(str) | st.uuids().map(lambda u: str(u).upper()), min_size=1),
    st.lists(
        st.from_regex(r"[g-zG-Z][A-Za-z_-]{0,4}[0-9][A-Za-z0-9_-]{0,5}", fullmatch=True), min_size=1
    ),
)


def csv_of(ids: list[str], name: str, delimiter: str, end: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([["prompt", name], *(["x,;\ty", task_id] for task_id in ids)])
    return text.getvalue()


@given(IDS, BARE_IDS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.integers(1, 7), ENDS)
def test_ids_survive_every_format(
    ids: list[str], bare: list[str], encoding: str, size: int, end: str
) -> None:
    forms = [
        *((mark.join(bare), bare) for mark in (end, " ", ",", ", ", f",{end}")),
        (end.join(f'"{task_id}",' for task_id in bare), bare),
        (json.dumps(ids, indent=1), ids),
        (json.dumps([{"id": task_id, "prompt": "x\n,]}"} for task_id in ids]), ids),
        (end.join(json.dumps({"Task_ID": task_id}) for task_id in ids), ids),
        (f",{end}".join(json.dumps({"data": {"taskId": task_id}}) for task_id in ids), ids),
        (end.join(map(json.dumps, ids)), ids),
        (json.dumps({"items": [{"id": task_id} for task_id in ids]}), ids),
        (json.dumps({"result": {"task_ids": ids}}), ids),
        *((csv_of(ids, name, d, end), ids) for d in ",;\t" for name in ("id", " Task_ID ")),
        (f"sep=;{end}{csv_of(ids, 'taskId', ';', end)}", ids),
    ]
    for form, expected in forms:
        stream = Dribble(form.encode(encoding), size)
        assert [found for found, _, _ in read_ids(Text(stream, "in"))] == expected, form


@given(IDS)
def test_bare_ids_are_those_without_flaw(ids: list[str]) -> None:
    for task_id in ids:
        assert (read(f"{task_id}\n") == [(task_id, 1)]) <= (flaw_in_text(task_id) is None)


class Unending:
    """A pipe in which nothing comes for ever after what is there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _size: int) -> bytes:
        data, self._data = self._data, b""
        assert data, "waited for what is not needed"
        return data


@pytest.mark.parametrize(
    "lines",
    [
        "a1\nslip\n",
        '{"id": "a"}\n{"id" "b"}\n',
        '{"id": "a"}\n{"id": "b}\n',
        '{"id": "a"}\n{"id": b}\n',
        '[{"id": "a"},\n{"id": }\n',
        '{"id": "a"}\n{}\n',
        'id\na\n"b"c\n',
        "id\na\nb c\n",
    ],
)
def test_a_slip_is_told_before_more_is_read(lines: str) -> None:
    found_ids = read_ids(Text(Unending(lines.encode()), "in"))
    assert str(next(found_ids)[0])[0] == "a"
    told = []
    with contextlib.suppress(InputError):
        told = [next(found_ids)[0]]
    assert all(isinstance(found, Problem) for found in told)


AROUND = st.text('xg-_ \n"%2F/.|;é', max_size=50)


@given(st.lists(st.tuples(AROUND, st.uuids().map(str))), AROUND, st.integers(1, 80))
def test_every_uuid_is_found_in_any_text(
    parts: list[tuple[str, str]], rest: str, size: int
) -> None:
    text = "".join(f"{before}/{uuid}|" for before, uuid in parts) + rest
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    assert list(uuids_in(pieces)) == [uuid for _, uuid in parts]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        *(
            (f"{label}{U} ", 0)
            for label in ("trace_id: ", '"trace_id": "', "X-Trace-Id=", '"traceId":')
        ),
        (f"trace_id: none\n{U}\n", 1),
        (U, 1),
        (f"x{U}x", 1),
        (f"%2F{U}.png", 1),
        (f"\\n{U}\\n", 1),
        (f"a{U}", 0),
        (f"{U}0", 0),
    ],
)
def test_a_uuid_is_not_a_part_of_more_digits(text: str, count: int) -> None:
    for size in range(1, 45):
        pieces = (text[start : start + size] for start in range(0, len(text), size))
        assert len(list(uuids_in(pieces))) == count


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
    seen = sum(1 for _ in read_ids(Text(stream, "in")))
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
    lines = data.count(b"\n") + data.count(b"\r") + 1
    with contextlib.suppress(InputError):
        for _, line, _ in read_ids(Text(io.BytesIO(data), "file")):
            assert 1 <= line <= lines
