"""Row and labels of tasks that runs submitted: whoever asks through a session has them back."""

import itertools
import tracemalloc
from collections.abc import Iterable

from flux_cli.engine.policies import WatchPolicy
from flux_cli.engine.run_rows import RunRows
from flux_cli.models.ids import TaskIds
from flux_cli.models.state import State
from flux_cli.models.submission import Submission, SubmissionState
from flux_cli.models.task import Task
from tests.support.fault_server import FaultServer
from tests.support.records import make_ids
from tests.unit.test_session import open_session


def submission(row: int, task_id: str | None, **labels: str) -> Submission:
    state = SubmissionState.ACCEPTED if task_id else SubmissionState.REFUSED
    return Submission(row, row, "/flux/images", {}, "key", labels, state, task_id=task_id)


def gathered(task_ids: Iterable[str]) -> TaskIds:
    ids = TaskIds()
    for task_id in task_ids:
        ids.add(task_id)
    return ids


def test_a_task_of_a_run_has_its_row_and_labels_however_its_id_is_spelled() -> None:
    first, second, foreign = make_ids(3)
    task = Task(first.upper(), State.PENDING, 0.0)
    assert RunRows().annotate(task) is task
    assert RunRows().labels is None
    rows = RunRows()
    rows.add_run([submission(1, first, mood="calm"), submission(2, second)])
    rows.add_run([submission(3, None, animal="fox", mood="wild")])
    assert rows.labels == ("mood", "animal")
    assert rows.annotate(task) == task._replace(row=1, labels={"mood": "calm"})
    assert rows.annotate(task._replace(id=second))[-2:] == (2, {})
    other = task._replace(id=foreign)
    assert rows.annotate(other) is other


def test_what_a_session_is_asked_for_has_them_answered_or_not() -> None:
    ids = make_ids(5)
    with FaultServer() as server, open_session(server.url) as session:
        session.rows.add_run([submission(row, i) for row, i in enumerate(ids[:4], 1)])
        asked = gathered(ids)
        checked = list(itertools.chain.from_iterable(session.check(asked).results()))
        watch = session.watch(asked, WatchPolicy(timeout=0), wait=lambda _: None)
        latest = [watch.latest(task_id, 0.0) for task_id in asked]
    for tasks in (checked, latest):
        assert [task.row for task in tasks] == [1, 2, 3, 4, None]


def test_ten_thousand_rows_without_labels_take_no_more_than_their_ids() -> None:
    ids = gathered(make_ids(10_000))
    keys = list(ids)
    tracemalloc.start()
    rows = RunRows()
    rows.add_run(submission(row, task_id) for row, task_id in enumerate(keys, 1))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(keys) < 200
