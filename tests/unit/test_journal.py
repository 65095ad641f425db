"""The journal: what it says is on the disk, and no row can be sent by two."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flux_cli.errors import JournalError
from flux_cli.models.submission import PlannedRequest, RunInfo, Submission, SubmissionState
from flux_cli.models.task import TaskError
from flux_cli.storage.journal import Journal
from tests.support.patience import until
from tests.support.submitting import NOW, accept, body, new_journal, open_run, requests, states


PLANNED, SENDING, ACCEPTED, REFUSED, UNKNOWN = SubmissionState


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with new_journal(tmp_path) as opened:
        yield opened


def bring(journal: Journal, run: RunInfo, row: Submission, state: SubmissionState) -> Submission:
    """Bring a planned row into a state, as a submitter does."""
    if state is not PLANNED:
        assert journal.mark_sending(row, run)
    if state is ACCEPTED:
        assert journal.mark_accepted(row, f"task-{row.number}", None)
    elif state in (REFUSED, UNKNOWN):
        journal.mark(row, state, TaskError("code", "why"))
    return journal.reload(row)


def test_a_run_is_what_was_asked_for_in_order(journal: Journal) -> None:
    planned = [
        PlannedRequest("/flux/images", body("ein Fuchs", count=2), {"name": "Füchse"}, "a.csv:2"),
        PlannedRequest("/flux/videos", {"prompt": "a\nboat"}, retry_of="a-task-1"),
    ]
    run, rows = open_run(journal, planned)
    assert (run.name, run.created_at) == ("prompts", NOW)
    assert [(r.row, r.path, r.body, r.labels, r.state, r.key) for r in rows] == [
        (n, p.path, p.body, p.labels, PLANNED, p.key) for n, p in enumerate(planned, 1)
    ]
    assert journal.submissions(run) == rows
    assert journal.run_named("prompts") == run
    assert journal.run_named("another") is None


def test_runs_are_counted_by_state_the_newest_first(journal: Journal) -> None:
    first, rows = open_run(journal, requests("a", "b", "c"))
    accept(journal, first, rows[0])
    second, _ = open_run(journal, requests("d"))
    infos = journal.runs()
    assert [info.name for info in infos] == ["prompts-2", "prompts"]
    assert [dict(info.by_state) for info in infos] == [{PLANNED: 1}, {ACCEPTED: 1, PLANNED: 2}]
    assert second.number == infos[0].number


def test_a_row_goes_from_planned_to_its_end(journal: Journal) -> None:
    run, [row] = open_run(journal, requests("a"))
    assert journal.mark_sending(row, run)
    row = journal.reload(row)
    assert (row.state, row.sent_at) == (SENDING, NOW)
    journal.mark(row, PLANNED, TaskError("too_many_requests", "slow down"), trace_id="t-1")
    row = journal.reload(row)
    assert (row.state, row.trace_id) == (PLANNED, "t-1")
    assert row.error == TaskError("too_many_requests", "slow down")
    assert journal.mark_sending(row, run)
    assert journal.mark_accepted(row, "task-1", "t-2")
    row = journal.reload(row)
    assert (row.state, row.task_id, row.trace_id, row.error) == (ACCEPTED, "task-1", "t-2", None)
    assert journal.submissions(run) == [row]
    assert journal.has_task("task-1")
    assert not journal.has_task("task-2")


@pytest.mark.parametrize("state", [SENDING, ACCEPTED, REFUSED, UNKNOWN])
def test_only_what_is_planned_is_sent(journal: Journal, state: SubmissionState) -> None:
    run, [row] = open_run(journal, requests("a"))
    seen = bring(journal, run, row, state)
    assert not journal.mark_sending(row, run)  # nor by one who saw it planned
    assert not journal.mark_sending(seen, run)
    assert journal.reload(row) == seen


@pytest.mark.parametrize("state", SubmissionState)
@pytest.mark.parametrize("to", [PLANNED, REFUSED, UNKNOWN])
def test_only_what_was_sent_has_a_fate(
    journal: Journal, state: SubmissionState, to: SubmissionState
) -> None:
    """What another process found out meanwhile stays."""
    run, [row] = open_run(journal, requests("a"))
    seen = bring(journal, run, row, state)
    journal.mark(row, to, TaskError("late", "news"))
    assert journal.reload(row).state is (to if state is SENDING else state)
    if state is not SENDING:
        assert journal.reload(row) == seen


@pytest.mark.parametrize("state", [REFUSED, UNKNOWN])
def test_what_has_failed_is_planned_again_when_somebody_says_so(
    journal: Journal, state: SubmissionState
) -> None:
    run, [row] = open_run(journal, requests("a"))
    row = bring(journal, run, row, state)
    journal.plan_again([row])
    again = journal.reload(row)
    assert (again.state, again.error) == (PLANNED, None)
    assert journal.mark_sending(row, run)


@pytest.mark.parametrize("state", SubmissionState)
def test_what_has_changed_since_is_not_planned_again(
    tmp_path: Path, state: SubmissionState
) -> None:
    """Two that were told to send a row again, one after the other, send it once."""
    times = iter(range(1, 100))
    with Journal(tmp_path / "journal", now=lambda: float(next(times))) as journal:
        run, [row] = open_run(journal, requests("a"))
        seen = bring(journal, run, row, UNKNOWN)
        journal.plan_again([seen])  # by somebody else, who brings it to its next state
        now = bring(journal, run, seen, state)
        journal.plan_again([seen])
        assert journal.reload(row) == now


def test_the_reply_counts_whatever_was_believed(journal: Journal) -> None:
    run, rows = open_run(journal, requests(*"abcde"))
    for row, state in zip(rows, SubmissionState, strict=True):
        bring(journal, run, row, state)
        assert journal.mark_accepted(row, f"right-{row.number}", None)
        assert journal.reload(row).task_id == f"right-{row.number}"
    assert not journal.has_task(f"task-{rows[2].number}")


@pytest.mark.parametrize("state", SubmissionState)
def test_only_what_is_in_doubt_adopts_a_task(journal: Journal, state: SubmissionState) -> None:
    run, [row] = open_run(journal, requests("a"))
    seen = bring(journal, run, row, state)
    assert journal.mark_accepted(row, "found-1", None, is_adopted=True) is state.is_in_doubt
    if state.is_in_doubt:
        assert journal.reload(row).task_id == "found-1"
    else:
        assert journal.reload(row) == seen


def test_no_task_is_that_of_two(journal: Journal) -> None:
    run, [first, second] = open_run(journal, requests("a", "a"))
    accept(journal, run, first, "task-1")
    assert journal.mark_sending(second, run)
    assert not journal.mark_accepted(second, "task-1", None, is_adopted=True)
    assert not journal.mark_accepted(second, "task-1", None)
    assert journal.reload(second).state is SENDING
    assert journal.mark_accepted(first, "task-1", None)  # said again
    assert journal.reload(first).task_id == "task-1"


def test_what_was_adopted_is_given_back_to_whom_the_reply_names(journal: Journal) -> None:
    run, [first, second] = open_run(journal, requests("a", "a"))
    bring(journal, run, first, UNKNOWN)
    assert journal.mark_accepted(first, "task-1", None, is_adopted=True)
    assert journal.mark_sending(second, run)
    assert journal.mark_accepted(second, "task-1", None)
    assert states(journal.submissions(run)) == "ua"
    assert journal.mark_accepted(first, "task-2", None, is_adopted=True)
    assert states(journal.submissions(run)) == "aa"


@pytest.mark.parametrize("text", ["\ud800 half", "a\0b", "🦊" * 200, "'; DROP TABLE runs; --"])
def test_any_text_of_the_service_can_be_noted(journal: Journal, text: str) -> None:
    """JSON can hold halves of characters, which no file can."""
    run, [row, other] = open_run(journal, requests("a", "b"))
    for state in (PLANNED, UNKNOWN):
        assert journal.mark_sending(row, run)
        journal.mark(row, state, TaskError(text, text), trace_id=text)
    noted = journal.reload(row)
    assert noted.error is not None
    assert noted.error.message is not None
    assert text.replace("\ud800", "") in noted.error.message.replace("\\ud800", "")
    assert journal.mark_sending(other, run)
    assert journal.mark_accepted(other, "task-1", text)
    assert states(journal.submissions(run)) == "ua"


@pytest.mark.parametrize("text", ["\ud800 half", "a\0b", "\u2028", "ß" * 5000])
def test_any_text_of_a_prompt_comes_back(journal: Journal, text: str) -> None:
    planned = [PlannedRequest("/flux/images", body(text), {text: text})]
    _, [row] = open_run(journal, planned)
    assert (row.body, row.labels) == (body(text), {text: text})
    assert states(open_run(journal, planned)[1]) == "p"


def test_a_run_that_is_removed_is_forgotten_with_what_it_alone_has(journal: Journal) -> None:
    first, rows = open_run(journal, requests("a", "b", "c"))
    accept(journal, first, rows[0], "task-a")
    accept(journal, first, rows[1], "task-b")
    second, shared = open_run(journal, requests("b", "x", "y", "z"))
    assert states(shared) == "appp"
    journal.remove(first)
    assert [info.name for info in journal.runs()] == [second.name]
    assert states(journal.submissions(second)) == "appp"
    assert (journal.has_task("task-a"), journal.has_task("task-b")) == (False, True)


def test_a_row_that_somebody_removes_meanwhile_is_one_line(journal: Journal) -> None:
    run, [row] = open_run(journal, requests("a"))
    journal.remove(run)
    assert not journal.mark_sending(row, run)
    with pytest.raises(JournalError, match="removed"):
        journal.reload(row)


def test_a_task_whose_row_was_removed_is_not_noted_as_if_it_were(journal: Journal) -> None:
    run, [row] = open_run(journal, requests("a"))
    assert journal.mark_sending(row, run)
    journal.remove(run)
    with pytest.raises(JournalError, match="removed"):
        journal.mark_accepted(row, "task-1", None)


def no_wait(seconds: float) -> None:
    raise AssertionError(f"waits {seconds} s")


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path, journal: Journal) -> None:
    run, rows = open_run(journal, requests("a"))
    with started(tmp_path, run.number, "SENDING") as process:
        assert not journal.mark_sending(rows[0], run)
        assert journal.is_being_sent(rows[0], run._replace(number=99))
        process.kill()
        process.wait()
        assert not journal.is_being_sent(rows[0], run._replace(number=99))
        with journal.locked(run, wait=no_wait):
            pass


class started:  # noqa: N801 - read as a function
    """A process that works on a run: it has sent its first row, and waits for the reply."""

    def __init__(self, folder: Path, run: int, ready: str) -> None:
        code = (
            "import sys, time\n"
            "from pathlib import Path\n"
            "from flux_cli.models.submission import RunInfo\n"
            "from flux_cli.storage.journal import Journal\n"
            f"journal = Journal(Path({str(folder / 'journal.sqlite3')!r}), now=time.time)\n"
            f"run = next(info for info in journal.runs() if info.number == {run})\n"
            "with journal.locked(run, wait=time.sleep):\n"
            "    journal.mark_sending(journal.submissions(run)[0], run)\n"
            f"    print({ready!r}, flush=True)\n"
            "    time.sleep(600)\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        self._ready = ready

    def __enter__(self) -> subprocess.Popen[str]:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == self._ready
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with self.process:
            pass


def test_what_another_process_is_sending_is_known(tmp_path: Path, journal: Journal) -> None:
    """Also of a row of its own that asks for the same: its task could be taken for this one's."""
    theirs, [sent] = open_run(journal, requests("a"))
    ours, [same, other] = open_run(journal, requests("a", "b"), is_new=True)
    retries, [retry] = open_run(journal, [replace(requests("a")[0], retry_of="task-1")])
    assert not journal.is_being_sent(sent, ours)
    with started(tmp_path, theirs.number, "SENDING"):
        assert journal.is_being_sent(sent, ours)
        assert journal.is_being_sent(same, ours)
        assert journal.is_being_sent(retry, retries)  # of which the history says the same
        assert not journal.is_being_sent(other, ours)
        assert not journal.is_being_sent(sent, theirs)  # who asks has the lock of that run
    assert not journal.is_being_sent(same, ours)


def test_processes_that_open_a_new_run_at_once_share_it(tmp_path: Path) -> None:
    """One run, each row once, and each row is sent by one of them."""
    prompts = [str(number) for number in range(10)]
    code = f"""
import json, sys
from pathlib import Path
from tests.support.submitting import new_journal, open_run, requests
with new_journal(Path({str(tmp_path)!r})) as journal:
    run, rows = open_run(journal, requests(*{prompts!r}))
    print(json.dumps([run.number, [r.number for r in rows if journal.mark_sending(r, run)]]))
"""
    environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        for _ in range(4)
    ]
    sent: list[int] = []
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()
        run, numbers = json.loads(out)
        assert run == 1
        sent += numbers
    with new_journal(tmp_path) as journal:
        [info] = journal.runs()
        assert info.by_state == {SENDING: 10}
        assert sorted(sent) == sorted(row.number for row in journal.submissions(info))


def test_threads_that_send_the_same_rows_send_each_once(journal: Journal) -> None:
    run, rows = open_run(journal, requests(*map(str, range(30))))
    sent: list[int] = []

    def send() -> None:
        sent.extend(row.number for row in rows if journal.mark_sending(row, run))

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: not any(thread.is_alive() for thread in threads))
    assert sorted(sent) == [row.number for row in rows]


def test_the_same_input_is_not_mixed_up_by_another_at_the_same_time(tmp_path: Path) -> None:
    """Each gets the rows for its own requests, in its own order, whatever the run looks like."""
    with new_journal(tmp_path) as journal:
        inputs = [requests(*"abcdef"), requests(*"fedcba"), requests(*"abcxyz")]
        wrong: list[object] = []

        def reopen(planned: list[PlannedRequest]) -> None:
            for _ in range(15):
                _, rows = open_run(journal, planned)
                if [row.key for row in rows] != [request.key for request in planned]:
                    wrong.append(rows)

        threads = [threading.Thread(target=reopen, args=[planned]) for planned in inputs]
        for thread in threads:
            thread.start()
        until(lambda: not any(thread.is_alive() for thread in threads))
    assert wrong == []
