"""Output for programs: JSON lines, one JSON array, CSV, ids, URLs. Bytes, at any width."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from flux_cli.models.task import Task
from flux_cli.output.records import KEYS, as_record
from flux_cli.output.sanitize import escape_json, sanitize, web_url
from flux_cli.output.terminal import Stdout


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001


def encode_record(record: dict[str, Any]) -> str:
    """Return `record` as one line of JSON that is valid and safe to show anywhere.

    Numbers that JSON does not have, which only a raw record can hold, become null.
    """
    try:
        return escape_json(_ENCODER.encode(record))
    except ValueError:
        return escape_json(_ENCODER.encode(_finite(record)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


class JsonLinesWriter:
    """One record a line."""

    def __init__(self, stdout: Stdout, *, raw: bool) -> None:
        self._stdout = stdout
        self._raw = raw

    def write(self, tasks: Iterable[Task]) -> int:
        return self._stdout.write_pieces(
            [f"{encode_record(as_record(task, raw=self._raw))}\n".encode() for task in tasks]
        )

    def close(self) -> None:
        pass


class JsonArrayWriter:
    """One array of all records, one record a line."""

    def __init__(self, stdout: Stdout, *, raw: bool) -> None:
        self._stdout = stdout
        self._raw = raw
        self._separator = "[\n"

    def write(self, tasks: Iterable[Task]) -> int:
        pieces: list[bytes] = []
        for task in tasks:
            record = encode_record(as_record(task, raw=self._raw))
            pieces.append(f"{self._separator}{record}".encode())
            self._separator = ",\n"
        return self._stdout.write_pieces(pieces)

    def close(self) -> None:
        self._stdout.write(b"[]\n" if self._separator == "[\n" else b"\n]\n")


class CsvWriter:
    """One row a record, flat: `urls` joined by a space, the error in two columns.

    With `has_files`, a column `paths`, joined by a bar, comes after `urls`.

    Text is on one line, and a cell that a spreadsheet would run as a formula
    begins with an apostrophe; where flux reads ids, it takes that off again.
    """

    def __init__(self, stdout: Stdout, *, raw: bool, has_files: bool = False) -> None:
        self._stdout = stdout
        self._raw = raw
        self._outputs = ["urls", "paths"] if has_files else ["urls"]
        self._has_header = False

    def write(self, tasks: Iterable[Task]) -> int:
        self._write_header()
        return self._stdout.write_pieces([_line(self._row(task)) for task in tasks])

    def close(self) -> None:
        self._write_header()

    def _write_header(self) -> None:
        if not self._has_header:
            self._stdout.write(_line(self._header()))
            self._has_header = True

    def _header(self) -> list[str]:
        names: list[str] = []
        for key in KEYS:
            split = {"outputs": self._outputs, "error": ["error_code", "error_message"]}
            names += split.get(key, [key])
        return [*names, "raw"] if self._raw else names

    def _row(self, task: Task) -> list[Any]:
        record = as_record(task, raw=self._raw)
        cells: list[Any] = []
        for key, value in record.items():
            if key == "outputs":
                cells.append(" ".join(filter(None, (web_url(o.url) for o in task.outputs))))
                if "paths" in self._outputs:
                    paths = [o.file.path for o in task.outputs if o.file and o.file.path]
                    cells.append(_cell("|".join(paths)))
            elif key == "error":
                error = value or {"code": None, "message": None}
                cells += [_cell(error["code"]), _cell(error["message"])]
            elif key == "raw":
                cells.append(encode_record(value) if value is not None else None)
            else:
                cells.append(_cell(value))
        return cells


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = sanitize(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_STARTS) else text


class IdWriter:
    """One id a line, as the user spelled it."""

    def __init__(self, stdout: Stdout) -> None:
        self._stdout = stdout

    def write(self, tasks: Iterable[Task]) -> int:
        return self._stdout.write_pieces([f"{task.id}\n".encode("ascii") for task in tasks])

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
            self._note(f"flux: left out {self._left_out} output(s) whose URL is not http(s)")
