"""Which run a list of requests belongs to: by what is in it, not by the name of a file."""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flux_cli.errors import UsageError
from flux_cli.models.submission import PlannedRequest, RunInfo
from flux_cli.storage.database import Execute


class FoundRun(NamedTuple):
    """The run that requests belong to, None for a new one.

    `candidates` holds, for each key, the submissions that are the same request, the best first.
    """

    run: RunInfo | None
    candidates: Mapping[str, deque[int]]


def find_run(
    execute: Execute,
    requests: Sequence[PlannedRequest],
    *,
    base_url: str,
    name: str | None,
    suggestion: str,
    is_new: bool,
) -> FoundRun:
    """Find the run for `requests`; for the rules see `Journal.open_run`. Raises UsageError."""
    named = run_named(execute, name) if name is not None else None
    if named is not None and named.base_url != base_url:
        raise UsageError(
            f"run {named.name} was submitted to {named.base_url}, not to {base_url}",
            hint=f"Choose another name, or add --base-url {named.base_url}",
        )
    if named is not None and is_new:
        raise UsageError(f"there is a run {named.name} already", hint="Choose another name")
    if is_new:
        return FoundRun(None, {})
    by_run = _same_requests(execute, requests, base_url)
    if name is not None:
        return FoundRun(named, _merged([by_run.get(named.number, {})] if named else []))
    wanted = Counter(request.key for request in requests)
    shares = {
        number: sum(min(len(found), wanted[key]) for key, found in by_key.items())
        for number, by_key in by_run.items()
    }
    names = _names_given_to(execute, by_run)
    fitting = {number for number, given in names.items() if _is_after(given, suggestion)}
    # Where several have as many, one of the same name counts, and then the latest.
    order = sorted(shares, key=lambda n: (shares[n], n in fitting, n), reverse=True)
    for number in order:
        has_half_of_it = 2 * shares[number] >= len(requests)
        if number in names and (
            has_half_of_it or (number in fitting and 2 * shares[number] >= _size(execute, number))
        ):
            first = [number, *(n for n in order if n != number)]
            return FoundRun(_run_numbered(execute, number), _merged(by_run[n] for n in first))
    return FoundRun(None, _merged(by_run[number] for number in order))


def _names_given_to(execute: Execute, numbers: Iterable[int]) -> dict[int, str]:
    """Return the names of those runs that were not named by their user, who keeps them apart."""
    rows = execute(
        "SELECT number, name FROM runs WHERE NOT is_named"
        " AND number IN (SELECT value FROM json_each(?))",
        [json.dumps(list(numbers))],
    )
    return dict(rows)


def _is_after(name: str, suggestion: str) -> bool:
    """Tell whether a run was named after `suggestion`, perhaps with a number."""
    return name == suggestion or bool(
        name.startswith(f"{suggestion}-") and name[len(suggestion) + 1 :].isdecimal()
    )


def _size(execute: Execute, number: int) -> int:
    (size,) = execute("SELECT count(*) FROM entries WHERE run = ?", [number]).fetchone()
    return int(size)


def _same_requests(
    execute: Execute, requests: Sequence[PlannedRequest], base_url: str
) -> dict[int, dict[str, list[int]]]:
    """Return, for each run of a service, the submissions that are among `requests`, by key."""
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    keys = json.dumps(list({request.key for request in requests}))
    for run, key, number in execute(
        "SELECT e.run, s.key, s.number FROM submissions s"
        " JOIN entries e ON e.submission = s.number JOIN runs r ON r.number = e.run"
        " WHERE r.base_url = ? AND s.key IN (SELECT value FROM json_each(?))"
        " ORDER BY e.run, e.row",
        [base_url, keys],
    ):
        found[run][key].append(number)
    return found


def _merged(runs: Iterable[Mapping[str, Sequence[int]]]) -> dict[str, deque[int]]:
    """Return the submissions of several runs, each once, those of the first run first."""
    merged: dict[str, dict[int, None]] = defaultdict(dict)
    for by_key in runs:
        for key, numbers in by_key.items():
            merged[key].update(dict.fromkeys(numbers))
    return {key: deque(numbers) for key, numbers in merged.items()}


def run_named(execute: Execute, name: str) -> RunInfo | None:
    """Return the run that is called `name`, without its counts; None where there is none."""
    row = execute(
        "SELECT number, name, base_url, created_at FROM runs WHERE name = ?", [name]
    ).fetchone()
    return None if row is None else RunInfo(*row)


def _run_numbered(execute: Execute, number: int) -> RunInfo:
    row = execute(
        "SELECT number, name, base_url, created_at FROM runs WHERE number = ?", [number]
    ).fetchone()
    return RunInfo(*row)
