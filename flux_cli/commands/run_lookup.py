"""Finds runs in the journal of submissions, which looking into it never makes."""

import contextlib
import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.commands.options import OutputOptions
from flux_cli.commands.run_options import in_journal
from flux_cli.errors import UsageError
from flux_cli.models.echo import shortened
from flux_cli.models.ids import TaskIds
from flux_cli.models.submission import SubmissionState, counts_in_words
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.engine.session import Session
    from flux_cli.models.submission import RunInfo
    from flux_cli.storage.journal import Journal


_MOST_GUESSES = 3


@contextlib.contextmanager
def existing_journal(runtime: Runtime, file: Path | None) -> Iterator["Journal | None"]:
    """Open the journal; None where nothing was submitted yet. Raises JournalError."""
    if not _is_there(runtime.journal_path(file)):
        yield None
        return
    with runtime.open_journal(file) as journal:
        yield journal


def refuse_raw(output: OutputOptions, command: str) -> None:
    """Raise UsageError where the service's own records are wanted: the journal has none."""
    if output.keeps_raw:
        raise UsageError(
            f"{command} reads the journal, which has no records of the service",
            hint="Leave out --raw and the field raw, or use flux tasks check --run NAME --raw",
        )


def nothing_submitted(runtime: Runtime, file: Path | None) -> str:
    """Say that there is no journal."""
    return f"nothing has been submitted yet: there is no {runtime.journal_path(file)}"


@contextlib.contextmanager
def opened_run(
    runtime: Runtime, file: Path | None, name: str
) -> Iterator[tuple["Journal", "RunInfo"]]:
    """Open the journal, and find the run `name`. Raises UsageError where there is none."""
    with existing_journal(runtime, file) as journal:
        if journal is None:
            raise UsageError(f"there is no run {_echo(name)}; {nothing_submitted(runtime, file)}")
        run = journal.run_named(name)
        if run is None:
            names = [known.name for known in journal.runs()]
            close = difflib.get_close_matches(name, names, n=_MOST_GUESSES)
            guess = f"; did you mean {' or '.join(close)}?" if close else ""
            raise UsageError(
                f"there is no run {_echo(name)}{guess}",
                hint=f"To list all runs: {runtime.program} runs list{in_journal(file)}",
            )
        yield journal, run


def read_run_ids(runtime: Runtime, session: "Session", file: Path | None, name: str) -> TaskIds:
    """Return the ids of a run's tasks, in the order of its rows, which `session` is told of.

    Says how many rows have no task. Raises UsageError where none has one, or where
    they are on another service, and NoToken.
    """
    with opened_run(runtime, file, name) as (journal, run):
        rows = journal.submissions(run)
    base_url = session.connection.base_url
    if run.base_url != base_url:
        raise UsageError(
            f"run {name} was submitted to {run.base_url}, not to {base_url}",
            hint=f"Add --base-url {run.base_url}",
        )
    ids = TaskIds()
    for row in rows:
        if row.task_id is not None:
            ids.add(row.task_id)
    session.rows.add_run(rows)
    counts = Counter(row.state for row in rows)
    del counts[SubmissionState.ACCEPTED]
    see = f"{runtime.program} runs show {name}{in_journal(file)}"
    if not ids:
        raise UsageError(
            f"run {name} has no tasks: {counts_in_words(counts) or 'no prompts'}", hint=f"See {see}"
        )
    if counts:
        verb = "was" if counts.total() == 1 else "were"
        runtime.stderr.note(
            f"flux: run {name}: {counts.total():,} of {len(rows):,} prompts {verb} not accepted"
            f" ({counts_in_words(counts)}); see {see}"
        )
    return ids


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # what it is, opening it tells
        return True


def _echo(name: str) -> str:
    return shortened(name, 40)
