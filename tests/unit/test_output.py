"""All renderings of the same tasks, side by side; the table at every width."""

import csv
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flux_cli.errors import OutputClosed, OutputError
from flux_cli.input.decoding import Text
from flux_cli.input.id_reader import read_ids
from flux_cli.models.state import State
from flux_cli.models.task import Task, TaskError, no_answer, not_found, parse_task
from flux_cli.output.formats import Format, make_writer
from flux_cli.output.records import KEYS, RAW, RUN_KEYS
from flux_cli.output.terminal import Stderr, Stdout
from flux_cli.token import Token
from tests.support.records import failed, finished, make_ids, running


NOW = 1736304700.0
IDS = make_ids(5)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


class Terminal(io.TextIOWrapper):
    """Something that says it is a terminal, and keeps what it is sent."""

    def __init__(self, *, is_terminal: bool, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def tasks() -> list[Task]:
    prompt = 'a cat,\n[bold]"x"[/bold] \x1b[31m 🐈'
    request = {"action": "generate", "model": "flux-dev", "prompt": prompt, "size": "1x1"}
    cost = {"amount": 0.216, "currency": "credit", "list_amount": 0.24}
    return [
        parse_task(IDS[0], finished(IDS[0], request=request, cost=cost), NOW),
        parse_task(IDS[1], failed(IDS[1], "used_up", "=1+1"), NOW),
        parse_task(IDS[2], running(IDS[2]), NOW),
        not_found(IDS[3], NOW),
        no_answer(IDS[4], code="timeout", message="no reply", observed_at=NOW),
    ]


def render(
    kind: Format,
    *,
    columns: int | None = None,
    is_terminal: bool = False,
    encoding: str = "utf-8",
    sample: list[Task] | None = None,
    notes: list[str] | None = None,
    keys: Sequence[str] = KEYS,
    labels: Sequence[str] = (),
    **environment: str,
) -> str:
    terminal = Terminal(is_terminal=is_terminal, encoding=encoding)
    if columns is not None:
        environment["COLUMNS"] = str(columns)
    writer = make_writer(
        kind,
        Stdout(terminal, environment),
        keys=keys,
        labels=labels,
        now=NOW,
        note=(notes if notes is not None else []).append,
    )
    for task in tasks() if sample is None else sample:
        writer.write([task])
    writer.close()
    return terminal.bytes.getvalue().decode(encoding)


def test_json_lines() -> None:
    lines = render(Format.JSONL).splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["id"] for record in records] == IDS
    assert records[0]["prompt"] == 'a cat,\n[bold]"x"[/bold] \x1b[31m 🐈'
    assert records[0]["cost"] == {"amount": 0.216, "currency": "credit"}
    assert [record["cost"] for record in records[1:]] == [None] * 4
    assert list(records[0])[-4:] == ["error", "cost", "trace_id", "observed_at"]
    assert records[4]["error"] == {"code": "timeout", "message": "no reply"}


def test_one_array_of_the_same_records() -> None:
    records = [json.loads(line) for line in render(Format.JSONL).splitlines()]
    assert json.loads(render(Format.JSON)) == records
    assert json.loads(render(Format.JSON, sample=[])) == []


def test_csv_is_one_line_a_task_and_runs_no_formula() -> None:
    text = render(Format.CSV)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.count("\n") == 1 + len(IDS)
    assert [row["id"] for row in rows] == IDS
    assert rows[0]["prompt"] == 'a cat, [bold]"x"[/bold] \ufffd[31m 🐈'
    assert rows[0]["urls"] == "https://cdn.example/000001.png"
    assert (rows[1]["error_code"], rows[1]["error_message"]) == ("used_up", "'=1+1")
    assert (rows[2]["elapsed"], rows[2]["urls"]) == ("", "")
    assert [(row["cost_amount"], row["cost_currency"]) for row in rows[:2]] == [
        ("0.216", "credit"),
        ("", ""),
    ]
    header = text.partition("\n")[0]
    assert header.endswith(
        ",urls,error_code,error_message,cost_amount,cost_currency,trace_id,observed_at"
    )
    assert render(Format.CSV, sample=[]).startswith("id,state,previous_state,type,")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "\t=", "\r=", "x;=", "x;\t@", 'x;"='])  # noqa: RUF001
def test_no_cell_of_csv_is_a_formula_the_id_neither(start: str) -> None:
    evil = f"{start}1+1|cmd"
    ids = [evil if start in "=+-@" else IDS[0], "-a1", "=b1", "c"]
    request = dict.fromkeys(("action", "model", "prompt", "size"), evil)
    error = {"success": False, "error": {"code": evil, "message": evil}}
    record = finished("x", request=request, response=error, type=evil, trace_id=evil)
    sample = [parse_task(task_id, record, NOW, keep_raw=True) for task_id in ids]
    text = render(Format.CSV, sample=sample, keys=(*KEYS, RAW))
    for separator in ",;":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert not [cell for cell in row if cell.strip()[:1] in ("=", "+", "-", "@", "＝")]  # noqa: RUF001
    again = [found for found, *_ in read_ids(Text(io.BytesIO(text.encode()), "tasks.csv"))]
    assert again == [task.id for task in sample]  # and where ids are read, they are as they were


RUN_ROWS = [
    Task("a1", State.PENDING, NOW, row=1, labels={"animal": "fox", "=mood": "=1+1"}),
    Task("", State.FAILED, NOW, error=TaskError("forbidden", "no"), row=2, labels={}),
    Task("", State.UNKNOWN, NOW, row=3, labels={"animal": "owl\n🦉"}),
]


def test_a_record_of_a_run_ends_with_row_and_label_and_may_have_no_id() -> None:
    keys = (*KEYS, *RUN_KEYS)
    records = [
        json.loads(line) for line in render(Format.JSONL, sample=RUN_ROWS, keys=keys).splitlines()
    ]
    assert [tuple(record) for record in records] == [keys] * 3
    assert [(record["id"], record["row"]) for record in records] == [
        ("a1", 1),
        (None, 2),
        (None, 3),
    ]
    assert [record["label"] for record in records] == [task.labels for task in RUN_ROWS]
    assert json.loads(render(Format.JSON, sample=RUN_ROWS, keys=keys)) == records
    for line in render(Format.JSONL, keys=("label", "row")).splitlines():
        assert json.loads(line) == {"label": None, "row": None}


def test_csv_has_a_column_for_each_label_and_runs_no_formula() -> None:
    text = render(Format.CSV, sample=RUN_ROWS, keys=("id", *RUN_KEYS), labels=("animal", "=mood"))
    assert list(csv.reader(io.StringIO(text))) == [
        ["id", "row", "label.animal", "label.=mood"],
        ["a1", "1", "fox", "'=1+1"],
        ["", "2", "", ""],
        ["", "3", "owl 🦉", ""],
    ]
    unnamed = render(Format.CSV, sample=RUN_ROWS[1:], keys=("id", *RUN_KEYS))
    assert list(csv.reader(io.StringIO(unnamed))) == [
        ["id", "row", "label"],
        ["", "2", ""],
        ["", "3", '{"animal":"owl\\n🦉"}'],
    ]


@pytest.mark.parametrize("columns", [160, 80, 40, 20])
def test_a_row_without_an_id_is_in_the_table_and_not_among_the_ids(columns: int) -> None:
    table = render(Format.TABLE, sample=RUN_ROWS, is_terminal=True, columns=columns)
    lines = [line.split() for line in table.splitlines()]
    words = [word for line in lines for word in line]
    assert words.count("-") == 2
    assert "a1" in words
    assert render(Format.IDS, sample=RUN_ROWS) == "a1\n"
    (reason,) = json.loads(f"[{render(Format.REASONS, sample=RUN_ROWS[:2])}]")
    assert (reason["code"], reason["count"], reason["ids"]) == ("forbidden", 1, [])


def test_raw_is_added_to_json_and_csv() -> None:
    record = finished("a", extra={"deep": [1]})
    sample = [parse_task("a", record, NOW, keep_raw=True)]
    keys = (*KEYS, RAW)
    assert json.loads(render(Format.JSONL, sample=sample, keys=keys))["raw"] == record
    (row,) = csv.DictReader(io.StringIO(render(Format.CSV, sample=sample, keys=keys)))
    assert json.loads(row["raw"]) == record


def test_a_url_and_a_raw_record_hold_no_formula_either_and_say_the_same() -> None:
    data = [{"image_url": "https://x/a;=1+1", "seed": 7}]
    record = finished("a", response={"data": data}, extra="b; =1")
    sample = [parse_task("a", record, NOW, keep_raw=True)]
    text = render(Format.CSV, sample=sample, keys=("outputs", RAW))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["urls"], json.loads(row["raw"])) == ("https://x/a%3B=1+1", record)
    assert not re.search(r"; *=", text)
    task = parse_task("a1;=b", record, NOW)
    assert "\na1;=b\n" in render(Format.CSV, sample=[task], keys=("id",))  # to be read again


def test_chosen_fields_come_alone_in_their_order_in_every_format_of_records() -> None:
    keys = ("outputs", "id", "error", "prompt")
    records = [json.loads(line) for line in render(Format.JSONL, keys=keys).splitlines()]
    whole = [json.loads(line) for line in render(Format.JSONL).splitlines()]
    assert [list(record) for record in records] == 5 * [list(keys)]
    assert records == [{key: record[key] for key in keys} for record in whole]
    assert json.loads(render(Format.JSON, keys=keys)) == records
    rows = list(csv.reader(io.StringIO(render(Format.CSV, keys=keys))))
    assert rows[0] == ["urls", "id", "error_code", "error_message", "prompt"]
    assert rows[2][:4] == ["", IDS[1], "used_up", "'=1+1"]


@pytest.mark.parametrize("key", [*KEYS, RAW])
def test_every_field_can_be_chosen(key: str) -> None:
    lines = render(Format.JSONL, keys=(key,)).splitlines()
    assert [list(json.loads(line)) for line in lines] == 5 * [[key]]
    assert len(list(csv.reader(io.StringIO(render(Format.CSV, keys=(key,)))))) == 1 + len(IDS)


def test_ids_and_urls() -> None:
    assert render(Format.IDS).splitlines() == IDS
    assert render(Format.URLS) == "https://cdn.example/000001.png\n"


def test_urls_leaves_out_what_is_no_web_url_and_says_so() -> None:
    entries = [{"image_url": "javascript:alert(1)"}, {"image_url": "https://x/\na b"}]
    sample = [parse_task("a", finished("a", response={"success": True, "data": entries}), NOW)]
    notes: list[str] = []
    assert render(Format.URLS, sample=sample, notes=notes) == "https://x/%0Aa%20b\n"
    assert notes == ["flux: skipped 1 output(s) whose URL is not http(s)"]


def test_reasons_are_json_lines_and_on_a_terminal_a_table_or_lines() -> None:
    records = [json.loads(line) for line in render(Format.REASONS).splitlines()]
    assert [(r["code"], r["message"], r["count"], r["ids"], r["state"]) for r in records] == [
        ("used_up", "=1+1", 1, [IDS[1]], "failed"),
        ("timeout", "no reply", 1, [IDS[4]], "unknown"),
    ]
    wide = ESCAPE.sub("", render(Format.REASONS, is_terminal=True, columns=80)).splitlines()
    assert [line.split() for line in wide] == [
        ["COUNT", "REASON", "EXAMPLES"],
        ["1", "used_up:", "=1+1", IDS[1]],
        ["1", "no", "answer:", "timeout:", "no", "reply", IDS[4]],
    ]
    narrow = render(Format.REASONS, is_terminal=True, columns=40, encoding="latin-1", TERM="dumb")
    assert narrow.splitlines()[2:] == ["  1 x no answer: timeout: no reply", f"    {IDS[4]}"]
    assert render(Format.REASONS, sample=[]) == ""


def test_auto_is_the_table_on_a_terminal_and_json_lines_elsewhere() -> None:
    assert render(Format.AUTO) == render(Format.JSONL)
    assert "✓ succeeded" in render(Format.AUTO, is_terminal=True, columns=80)


def test_the_table_without_a_terminal_is_plain_and_cuts_nothing() -> None:
    text = render(Format.TABLE, FORCE_COLOR="1")
    assert "\x1b" not in text
    rows = text.splitlines()
    assert rows[0].split() == ["STATE", "ID", "PROMPT", "MODEL", "CREATED", "TOOK", "RESULT"]
    assert f'✓ succeeded   {IDS[0]}  a cat, [bold]"x"[/bold] \ufffd[31m 🐈  flux-dev' in rows[1]
    assert "flux-dev  30s ago  9.6s  https://cdn.example/000001.png" in " ".join(rows[1].split(" "))
    assert "used_up: =1+1" in rows[2]
    assert "◐ processing" in rows[3]
    assert rows[4].split() == ["∅", "not_found", IDS[3]]
    assert "timeout: no reply" in rows[5]


@pytest.mark.parametrize("columns", [66, 79, 80, 100, 120, 200, 300])
def test_the_table_fits_the_window_and_never_cuts_an_id(columns: int) -> None:
    text = ESCAPE.sub("", render(Format.TABLE, is_terminal=True, columns=columns))
    assert all(len(line) <= columns for line in text.splitlines())
    for task_id in IDS:
        assert task_id in text
    assert "used_up: =1+1" in text
    assert "000001.png" in text


@pytest.mark.parametrize("columns", [1, 10, 20, 40, 65])
def test_a_narrow_window_stacks_the_facts(columns: int) -> None:
    text = ESCAPE.sub("", render(Format.TABLE, is_terminal=True, columns=columns))
    assert "STATE" not in text
    squeezed = "".join(text.split())
    for task_id in IDS:
        assert task_id in squeezed
    if columns >= 40:
        assert re.search(rf"  {IDS[0]}\n  a cat, .*\n  000001.png\n", text)
        assert "✗ failed · 9.6s · 30s ago\n" in text


def test_the_result_is_a_link_on_a_terminal() -> None:
    text = render(Format.TABLE, is_terminal=True, columns=100)
    assert re.search(r"\x1b\]8;[^;]*;https://cdn\.example/000001\.png\x1b\\000001\.png", text)


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "dumb", "FORCE_COLOR": "1"}])
def test_a_dumb_terminal_gets_no_escape_codes(variables: dict[str, Any]) -> None:
    assert "\x1b" not in render(Format.TABLE, is_terminal=True, columns=80, **variables)


def test_no_color_takes_the_colours_and_leaves_the_words() -> None:
    text = render(Format.TABLE, is_terminal=True, columns=80, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)
    assert "✓ succeeded" in text


def test_an_old_code_page_gets_ascii() -> None:
    text = render(Format.TABLE, is_terminal=True, columns=200, encoding="latin-1")
    assert "+ succeeded" in text
    assert "x failed" in text


def test_many_rows_keep_the_widths_of_the_first() -> None:
    sample = [parse_task(i, finished(i), NOW) for i in make_ids(1000)]
    rows = render(Format.TABLE, is_terminal=False, sample=sample).splitlines()
    assert len(rows) == 1001
    assert len({row.index("https://") for row in rows[1:]}) == 1


def test_a_reader_that_left_is_not_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:  # noqa: PTH123 - a descriptor
        stdout = Stdout(stream, {})
        with pytest.raises(OutputClosed):
            stdout.write(b"x")


def test_a_reader_that_left_does_not_end_what_has_other_work() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:  # noqa: PTH123 - a descriptor
        stdout = Stdout(stream, {})
        stdout.outlives_reader = True
        assert stdout.write_pieces([b"x\n", b"y\n"]) == 2
        assert stdout.write_pieces([b"z\n"]) == 1


def test_a_stdout_closed_before_the_start_takes_everything() -> None:
    assert Stdout(None, {}).write_pieces([b"x\n"]) == 1


def test_a_full_disk_is() -> None:
    with Path("/dev/full").open("w") as stream:
        stdout = Stdout(stream, {})
        with pytest.raises(OutputError, match="stdout: cannot be written: No space left"):
            stdout.write(b"x")


def test_stderr_writes_no_secret_however_it_is_written() -> None:
    stream = io.StringIO()
    stderr = Stderr(stream, {})
    stderr.keep_secret(Token("canary-token-not-a-secret"))
    stderr.line("a Canary-Token-Not-A-Secret b\x1b[31m\nc")
    stderr.is_quiet = True
    stderr.note("a note")
    assert stream.getvalue() == "a [token] b\ufffd[31m c\n"
