"""Records as CSV, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from flux_cli.models.task import Task
from flux_cli.output.jsonl import encode_record
from flux_cli.output.records import LABEL, RAW, as_record
from flux_cli.output.sanitize import sanitize, web_url
from flux_cli.output.terminal import Stdout


_SPLIT = {"error": ("code", "message"), "cost": ("amount", "currency")}  # into columns
# Where a formula begins: in a cell, or where a spreadsheet that parts cells at ; begins one.
_FORMULA = re.compile(r"(^|;)(?=[\s\x22]*[=+\-@＝＋－＠])")  # noqa: RUF001


class CsvWriter:
    """One row a record, flat: `urls` joined by a space, the error and the cost in two columns each.

    With `has_files`, a column `paths`, joined by a bar, comes after `urls`. Each of `labels` has
    a column `label.NAME`; without any, they are in a column `label`, as JSON.

    Text is on one line, and a cell that a spreadsheet would run as a formula
    begins with an apostrophe; where flux reads ids, it takes that off again. So does
    what follows a semicolon: where that parts cells, quotes do not hold a cell together.
    """

    def __init__(
        self,
        stdout: Stdout,
        *,
        keys: Sequence[str],
        labels: Sequence[str] = (),
        has_files: bool = False,
    ) -> None:
        self._stdout = stdout
        self._keys = keys
        self._labels = labels
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
        for key in self._keys:
            parts = [f"{key}_{part}" for part in _SPLIT.get(key, ())]
            if key == LABEL:
                parts = [_cell(f"{key}.{name}") for name in self._labels]
            names += self._outputs if key == "outputs" else parts or [key]
        return names

    def _row(self, task: Task) -> list[Any]:
        record = as_record(task, self._keys)
        cells: list[Any] = []
        for key, value in record.items():
            if key == "outputs":
                urls = " ".join(filter(None, (web_url(o.url) for o in task.outputs)))
                cells.append(_FORMULA.sub("%3B", urls))
                if "paths" in self._outputs:
                    paths = [o.file.path for o in task.outputs if o.file and o.file.path]
                    cells.append(_cell("|".join(paths)))
            elif key == "id":  # is to be read again: nothing goes into the midst of it
                text = sanitize(value or "")
                cells.append(f"'{text}" if _FORMULA.match(text) else text)
            elif key in _SPLIT:
                cells += [_cell(value and value[part]) for part in _SPLIT[key]]
            elif key == LABEL and self._labels:
                cells += [_cell((value or {}).get(name)) for name in self._labels]
            elif key in (LABEL, RAW):
                is_there = bool(value) if key == LABEL else value is not None
                text = encode_record(value) if is_there else ""
                cells.append(_FORMULA.sub(r"\\u003b", text))
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
    return _FORMULA.sub(r"\1'", sanitize(value))
