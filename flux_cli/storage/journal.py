"""The journal of submissions: what is sent is on disk before it leaves, what came back right after.

One SQLite file. Every change is a transaction that is on the disk when the
call returns, so that whatever ends the process leaves a row as it was, or as
it is to be. Safe to use from several threads, and by several processes.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from flux_cli.errors import JournalError
from flux_cli.models.submission import (
    PlannedRequest,
    RunInfo,
    Submission,
    SubmissionState,
    subject_of,
)
from flux_cli.models.task import TaskError
from flux_cli.storage.database import Database
from flux_cli.storage.journal_rows import make_run, numbers_for, rows_of
from flux_cli.storage.journal_schema import APPLICATION, MIGRATIONS
from flux_cli.storage.run_finder import find_run, run_named
from flux_cli.storage.run_lock import is_worked_on, run_lock


_JSON = json.JSONEncoder()  # what is no UTF-8 stays readable in ASCII


class Journal:
    """The journal in one file, which is made when it is not there; a context manager."""

    def __init__(self, path: Path, *, now: Callable[[], float]) -> None:
        """Open it, and bring it to this version. Raises JournalError."""
        self.path = path
        self._now = now
        self._database = Database(path, application=APPLICATION, migrations=MIGRATIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def runs(self) -> list[RunInfo]:
        """Return all runs, the newest first."""
        with self._database.read() as execute:
            counts: dict[int, dict[SubmissionState, int]] = defaultdict(dict)
            for number, state, count in execute(
                "SELECT e.run, s.state, count(*) FROM entries e"
                " JOIN submissions s ON s.number = e.submission GROUP BY 1, 2"
            ):
                counts[number][SubmissionState(state)] = count
            rows = execute(
                "SELECT number, name, base_url, created_at FROM runs ORDER BY number DESC"
            )
            return [RunInfo(*row)._replace(by_state=counts[row[0]]) for row in rows]

    def run_named(self, name: str) -> RunInfo | None:
        """Return the run that is called `name`, without its counts."""
        with self._database.read() as execute:
            return run_named(execute, name)

    def submissions(self, run: RunInfo) -> list[Submission]:
        """Return the rows of a run, in their order."""
        with self._database.read() as execute:
            return rows_of(execute, run)

    def reload(self, submission: Submission) -> Submission:
        """Return a row of a run as it is now. Raises JournalError when it was removed."""
        with self._database.read() as execute:
            found = execute(
                "SELECT state, sent_at, clock_skew, task_id, trace_id, error_code, error_message"
                " FROM submissions WHERE number = ?",
                [submission.number],
            ).fetchone()
        if found is None:
            raise self._removed()
        state, sent_at, clock_skew, task_id, trace_id, code, message = found
        return submission._replace(
            state=SubmissionState(state),
            sent_at=sent_at,
            clock_skew=clock_skew,
            task_id=task_id,
            trace_id=trace_id,
            error=TaskError(code, message) if code or message else None,
        )

    def remove(self, run: RunInfo) -> None:
        """Forget a run, and what was submitted in it and in no other."""
        with self._database.write() as execute:
            execute("DELETE FROM runs WHERE number = ?", [run.number])
            execute("DELETE FROM submissions WHERE number NOT IN (SELECT submission FROM entries)")

    def has_task(self, task_id: str) -> bool:
        """Tell whether a submission is known to have become this task."""
        with self._database.read() as execute:
            found = execute("SELECT 1 FROM submissions WHERE task_id = ?", [task_id])
            return found.fetchone() is not None

    def open_run(
        self,
        requests: Sequence[PlannedRequest],
        *,
        base_url: str,
        name: str | None,
        suggestion: str,
        is_new: bool = False,
        is_trial: bool = False,
    ) -> tuple[RunInfo, list[Submission]]:
        """Return the run for `requests` and the row for each of them, planned where it is new.

        The run is the one called `name`; without a name the one that has most of the
        requests, if it has half of them, or is named after `suggestion` and they have half
        of it; else, or with `is_new`, a new one, named after `suggestion`. A run that its
        user has named is found by its name alone. Without a name, a request that another
        run has is not planned again. Rows of the run that are not asked for stay in it.
        A trial tells the same, and changes nothing. Raises UsageError for a name that is taken.
        """
        with self._database.write(is_trial=is_trial) as execute:
            found = find_run(
                execute,
                requests,
                base_url=base_url,
                name=name,
                suggestion=suggestion,
                is_new=is_new,
            )
            run = found.run or make_run(
                execute,
                name or suggestion,
                base_url,
                self._now(),
                is_named=name is not None,
            )
            numbers = list(numbers_for(execute, requests, found.candidates))
            chosen = set(numbers)
            former = execute(
                "SELECT submission, labels FROM entries WHERE run = ? ORDER BY row", [run.number]
            ).fetchall()
            kept = [(number, labels) for number, labels in former if number not in chosen]
            labels = (_JSON.encode(dict(r.labels)) for r in requests)
            entries = [*zip(numbers, labels, strict=True), *kept]
            execute("DELETE FROM entries WHERE run = ?", [run.number])
            for row, entry in enumerate(entries, 1):
                execute(
                    "INSERT INTO entries (run, row, submission, labels) VALUES (?, ?, ?, ?)",
                    [run.number, row, *entry],
                )
            rows = rows_of(execute, run)
        return run, rows[: len(numbers)]

    def plan_again(self, submissions: Iterable[Submission]) -> None:
        """Let these, refused or in doubt, be sent again; not those that have changed since."""
        with self._database.write() as execute:
            for submission in submissions:
                execute(
                    "UPDATE submissions SET state = ?, error_code = NULL, error_message = NULL"
                    " WHERE number = ? AND state = ? AND sent_at IS ? AND state <> ?",
                    [
                        SubmissionState.PLANNED,
                        submission.number,
                        submission.state,
                        submission.sent_at,
                        SubmissionState.ACCEPTED,
                    ],
                )

    def mark_sending(
        self, submission: Submission, run: RunInfo, *, clock_skew: float | None = None
    ) -> bool:
        """Note, on the disk, that it leaves now; False when somebody else has sent it.

        Raises JournalError, too, where the file is no longer in its place: what is noted in it
        then, nobody will find.
        """
        self._database.check_in_place()
        with self._database.write() as execute:
            changed = execute(
                "UPDATE submissions SET state = ?, sent_at = ?, clock_skew = ?, sent_by = ?,"
                " error_code = NULL, error_message = NULL WHERE number = ? AND state = ?",
                [
                    SubmissionState.SENDING,
                    self._now(),
                    clock_skew,
                    run.number,
                    submission.number,
                    SubmissionState.PLANNED,
                ],
            )
            return changed.rowcount == 1

    def mark(
        self,
        submission: Submission,
        state: SubmissionState,
        error: TaskError | None = None,
        *,
        trace_id: str | None = None,
    ) -> None:
        """Note what became of what was sent: it is refused, in doubt, or was not taken."""
        code, message = error or (None, None)
        with self._database.write() as execute:
            execute(
                "UPDATE submissions SET state = ?, error_code = ?, error_message = ?,"
                " trace_id = ? WHERE number = ? AND state = ?",
                [
                    state,
                    *map(_storable, (code, message, trace_id)),
                    submission.number,
                    SubmissionState.SENDING,
                ],
            )

    def mark_accepted(
        self,
        submission: Submission,
        task_id: str,
        trace_id: str | None,
        *,
        is_adopted: bool = False,
    ) -> bool:
        """Note the task that it became; False when another submission has become that one.

        What was found in the history is adopted, by a row that is in doubt still: one that is
        proven wrong by the service's own reply to another, is in doubt again.
        Raises JournalError when the row was removed.
        """
        with self._database.write() as execute:
            if not is_adopted:
                execute(
                    "UPDATE submissions SET state = ?, task_id = NULL, is_adopted = 0"
                    " WHERE task_id = ? AND is_adopted AND number <> ?",
                    [SubmissionState.UNKNOWN, task_id, submission.number],
                )
            holder = execute(
                "SELECT number FROM submissions WHERE task_id = ?", [task_id]
            ).fetchone()
            if holder is not None:
                return bool(holder[0] == submission.number)
            changed = execute(
                "UPDATE submissions SET state = ?, task_id = ?, trace_id = ?, is_adopted = ?,"
                " error_code = NULL, error_message = NULL"
                " WHERE number = ? AND (NOT ? OR state IN (?, ?))",
                [
                    SubmissionState.ACCEPTED,
                    task_id,
                    _storable(trace_id),
                    is_adopted,
                    submission.number,
                    is_adopted,
                    SubmissionState.SENDING,
                    SubmissionState.UNKNOWN,
                ],
            )
        if not changed.rowcount and not is_adopted:
            raise self._removed()
        return changed.rowcount == 1

    def is_being_sent(self, submission: Submission, run: RunInfo) -> bool:
        """Tell whether another process, which works on another run, is about to know its fate.

        Or that of one with the same subject: in a history, they may look alike.
        """
        with self._database.read() as execute:
            sent = execute(
                "SELECT sent_by, path, body FROM submissions WHERE state = ? AND sent_by <> ?",
                [SubmissionState.SENDING, run.number],
            )
            senders = {
                sender
                for sender, path, body in sent
                if subject_of(path, json.loads(body)) == submission.subject
            }
        return any(is_worked_on(self.path, sender) for sender in senders)

    def _removed(self) -> JournalError:
        return JournalError(
            f"{self.path}: a submission was removed while it was worked on",
            hint="Remove a run only when nothing is submitted in it",
        )

    def locked(
        self, run: RunInfo, *, wait: Callable[[float], None]
    ) -> AbstractContextManager[None]:
        """Work on a run alone; see `run_lock`. Raises JournalError."""
        return run_lock(self.path, run.number, wait=wait)


def _storable(text: str | None) -> str | None:
    """Return a text of the service without the halves of characters that JSON can hold."""
    return text and text.encode(errors="backslashreplace").decode()
