"""The runs of a journal: a table for people, records for programs."""

import json
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from flux_cli.models.submission import RunInfo, counts_in_words, grouped_counts
from flux_cli.output.records import rfc3339
from flux_cli.output.sanitize import escape_json, sanitize
from flux_cli.output.terminal import Stdout
from flux_cli.output.times import format_age


_GAP = "  "
_NARROWEST = 20  # columns


class RunListWriter:
    """Writes runs to stdout; `now`, in Unix seconds, is what ages count from."""

    def __init__(self, stdout: Stdout, *, now: float) -> None:
        self._stdout = stdout
        self._now = now

    def write(self, runs: Sequence[RunInfo], kind: str) -> None:
        """Write all of `runs`: `kind` is table, jsonl or json."""
        records = map(_record, runs)
        if kind == "json":
            lines = iter([json.dumps([*records], indent=2)])
        elif kind == "jsonl":
            lines = map(json.dumps, records)
        else:
            lines = self._table(runs)
        self._stdout.write_text("".join(f"{escape_json(line)}\n" for line in lines))

    def _table(self, runs: Sequence[RunInfo]) -> Iterator[str]:
        """Yield the lines of a table; where it does not fit, a few for each run."""
        from rich.cells import cell_len

        rows = [self._cells(run) for run in runs]
        has_services = len({run.base_url for run in runs}) > 1
        count = 5 if has_services else 4
        table = [("NAME", "CREATED", "PROMPTS", "STATE", "SERVICE")[:count]]
        table += [row[:count] for row in rows]
        widths = [max(map(cell_len, column)) for column in zip(*table, strict=True)]
        if sum(widths) + len(_GAP) * (count - 1) > self._stdout.columns:
            for name, created, prompts, *rest in rows:
                yield name
                noun = "prompt" if prompts == "1" else "prompts"
                text = f"{created}, {prompts} {noun}: {', '.join(rest[: count - 3])}"
                width = max(_NARROWEST, self._stdout.columns)
                yield from wrap(text, width, initial_indent=_GAP, subsequent_indent=_GAP)
            return
        for row in table if rows else []:
            padded = (
                cell + " " * (width - cell_len(cell))
                for cell, width in zip(row, widths, strict=True)
            )
            yield _GAP.join(padded).rstrip()

    def _cells(self, run: RunInfo) -> tuple[str, str, str, str, str]:
        return (
            sanitize(run.name),
            format_age(run.created_at, self._now),
            f"{sum(run.by_state.values()):,}",
            counts_in_words(run.by_state),
            sanitize(run.base_url),
        )


def _record(run: RunInfo) -> dict[str, Any]:
    counts = grouped_counts(run.by_state)
    return {
        "name": run.name,
        "created_at": rfc3339(run.created_at),
        "base_url": run.base_url,
        "prompts": sum(counts.values()),
        **{word.replace(" ", "_"): count for word, count in counts.items()},
    }
