"""Tasks whose end is known take their place among those that are asked for."""

import pytest

from flux_cli.engine.finished_tasks import FinishedTasks
from flux_cli.models.task import Task
from tests.support.tasks import succeeded


IDS = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("known", ["", "a", "e", "bd", "ace", "abcde"])
def test_known_tasks_are_not_asked_for_and_come_in_their_order(known: str) -> None:
    with FinishedTasks() as finished:
        for task_id in IDS:
            finished.add(succeeded(task_id, prompt="known") if task_id in known else None)
        assert len(finished) == len(known)
        others = list(finished.others(IDS))
        assert others == [task_id for task_id in IDS if task_id not in known]
        merged = list(finished.merged(IDS, iter([succeeded(task_id) for task_id in others])))
    assert [task.id for task in merged if task] == IDS
    assert [task.id for task in merged if task and task.prompt == "known"] == list(known)


def test_an_answer_that_is_not_there_yet_is_not_waited_for_here() -> None:
    with FinishedTasks() as finished:
        finished.add(succeeded("b"))
        answers: list[Task | None] = [None, None, succeeded("a"), None, succeeded("c")]
        merged = list(finished.merged(["a", "b", "c"], iter(answers)))
    assert [task.id if task else None for task in merged] == [None, None, "a", "b", None, "c"]


def test_answers_that_end_early_leave_the_known_ones() -> None:
    with FinishedTasks() as finished:
        finished.add(succeeded("c"))
        merged = list(finished.merged(["a", "b", "c"], iter([succeeded("a")])))
    assert [task.id for task in merged if task] == ["a", "c"]
