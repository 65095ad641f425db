"""Records for programs: JSON lines, and one JSON array. Bytes, at any width."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from flux_cli.models.task import Task
from flux_cli.output.records import as_record
from flux_cli.output.sanitize import escape_json
from flux_cli.output.terminal import Stdout


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_INDENTED = json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=2)


def encode_record(record: Any, *, indented: bool = False) -> str:
    """Return `record` as JSON that is valid and safe to show anywhere, on one line or `indented`.

    Numbers that JSON does not have, which only a raw record can hold, become null.
    """
    encode = (_INDENTED if indented else _ENCODER).encode
    try:
        text = encode(record)
    except ValueError:
        text = encode(_finite(record))
    return "\n".join(map(escape_json, text.split("\n"))) if indented else escape_json(text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


class JsonLinesWriter:
    """One record a line; `indented`, over several lines, for a person to read.

    With `is_raw` the service's own record instead, which is null where there is none.
    """

    def __init__(
        self,
        stdout: Stdout,
        *,
        keys: Sequence[str],
        indented: bool = False,
        is_raw: bool = False,
    ) -> None:
        self._stdout = stdout
        self._keys = keys
        self._indented = indented
        self._is_raw = is_raw

    def write(self, tasks: Iterable[Task]) -> int:
        records = (task.raw if self._is_raw else as_record(task, self._keys) for task in tasks)
        return self._stdout.write_pieces(
            [f"{encode_record(record, indented=self._indented)}\n".encode() for record in records]
        )

    def close(self) -> None:
        pass


class JsonArrayWriter:
    """One array of all records, one record a line."""

    def __init__(self, stdout: Stdout, *, keys: Sequence[str]) -> None:
        self._stdout = stdout
        self._keys = keys
        self._separator = "[\n"

    def write(self, tasks: Iterable[Task]) -> int:
        pieces: list[bytes] = []
        for task in tasks:
            record = encode_record(as_record(task, self._keys))
            pieces.append(f"{self._separator}{record}".encode())
            self._separator = ",\n"
        return self._stdout.write_pieces(pieces)

    def close(self) -> None:
        self._stdout.write(b"[]\n" if self._separator == "[\n" else b"\n]\n")
