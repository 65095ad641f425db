"""Rows of the journal come back as they were put in."""

from pathlib import Path

from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.database import Database
from flux_cli.storage.journal_rows import rows_of
from flux_cli.storage.journal_schema import APPLICATION, MIGRATIONS
from tests.support.submitting import NOW, accept, body, new_journal, open_run


def test_a_row_has_all_that_is_known(tmp_path: Path) -> None:
    planned = [
        PlannedRequest("/flux/images", body("a", count=2), {"name": "A"}),
        PlannedRequest("/flux/videos", {"prompt": "b", "duration": 5}, retry_of="t-9"),
    ]
    with new_journal(tmp_path) as journal:
        run, [first, second] = open_run(journal, planned)
        accept(journal, run, first, "task-1")
        assert journal.mark_sending(second, run)
        error = TaskError("api_error", "fetch failed")
        journal.mark(second, SubmissionState.UNKNOWN, error, trace_id="trace-2")
        path = journal.path
    database = Database(path, application=APPLICATION, migrations=MIGRATIONS)
    with database.read() as execute:
        rows = rows_of(execute, run)
    database.close()
    assert rows == [
        Submission(
            *(first.number, 1, "/flux/images", planned[0].body, planned[0].key, {"name": "A"}),
            state=SubmissionState.ACCEPTED,
            sent_at=NOW,
            task_id="task-1",
        ),
        Submission(
            *(second.number, 2, "/flux/videos", planned[1].body, planned[1].key, {}),
            state=SubmissionState.UNKNOWN,
            sent_at=NOW,
            trace_id="trace-2",
            error=error,
        ),
    ]
