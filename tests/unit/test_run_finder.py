"""Which run an input belongs to: by what is in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli.errors import UsageError
from flux_cli.models.submission import PlannedRequest, Submission
from flux_cli.storage.journal import Journal
from tests.support.submitting import (
    accept,
    body,
    new_journal,
    open_run,
    requests,
    states,
    times_planned,
)


ALL = "abcdefgh"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal with one run of eight prompts, all accepted."""
    with new_journal(tmp_path) as opened:
        run, rows = open_run(opened, requests(*ALL))
        for row in rows:
            accept(opened, run, row)
        yield opened


def again(journal: Journal, prompts: str, **options: object) -> tuple[str, str]:
    """Submit prompts, one a letter; return the name of the run, and the states of its rows."""
    run, rows = open_run(journal, requests(*prompts), **options)  # type: ignore[arg-type]
    assert prompts_of(rows) == prompts
    assert [row.row for row in rows] == [*range(1, len(prompts) + 1)]
    return run.name, states(rows)


def prompts_of(rows: list[Submission]) -> str:
    return "".join(str(row.body["prompt"]) for row in rows)


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        (ALL, "aaaaaaaa"),
        ("hgfedcba", "aaaaaaaa"),  # in another order
        ("abcdXfgh", "aaaapaaa"),  # one line changed
        ("abcdefghXY", "aaaaaaaapp"),  # lines added
        ("abcd", "aaaa"),  # lines removed
        ("a", "a"),  # all but one removed
        ("aabbccdd", "apapapap"),  # each twice: the second of them is new
        ("abcdWXYZ", "aaaapppp"),  # half of it is new
    ],
)
def test_an_input_that_is_mostly_the_same_is_the_same_run(
    journal: Journal, prompts: str, expected: str
) -> None:
    assert again(journal, prompts) == ("prompts", expected)
    assert len(journal.runs()) == 1
    assert again(journal, prompts) == ("prompts", expected)


def test_the_rows_that_are_not_asked_for_stay_in_the_run(journal: Journal) -> None:
    again(journal, "cXa")
    [run] = journal.runs()
    assert prompts_of(journal.submissions(run)) == "cXabdefgh"
    assert again(journal, ALL) == ("prompts", "aaaaaaaa")
    assert prompts_of(journal.submissions(run)) == "abcdefghX"


def test_most_of_it_new_is_a_new_run_that_sends_nothing_twice(journal: Journal) -> None:
    assert again(journal, "abUVWXYZ") == ("prompts-2", "aapppppp")
    assert again(journal, "abUVWXYZ") == ("prompts-2", "aapppppp")
    assert again(journal, ALL) == ("prompts", "aaaaaaaa")
    assert times_planned(journal).total() == 14


def test_where_two_runs_have_as_many_the_latest_counts(journal: Journal) -> None:
    again(journal, "abUVWXYZ")
    assert again(journal, "ab")[0] == "prompts-2"
    assert again(journal, "abc")[0] == "prompts"


def test_as_often_as_it_is_asked_for(journal: Journal) -> None:
    """A prompt that is in the input three times makes three tasks; that in two runs, one."""
    assert again(journal, "xxx") == ("prompts-2", "ppp")
    assert again(journal, "xxxx") == ("prompts-2", "pppp")
    assert again(journal, "x") == ("prompts-2", "p")
    assert again(journal, "xxyyyyyyyyyy")[1] == "pp" + "p" * 10
    key = requests("x")[0].key
    assert times_planned(journal)[key] == 4


def test_another_file_with_the_same_prompts_is_the_same_run(journal: Journal) -> None:
    planned = [replace(request, place="other.csv:9") for request in requests(*ALL)]
    run, rows = journal.open_run(
        planned, base_url="https://api.example", name=None, suggestion="other"
    )
    assert (run.name, states(rows)) == ("prompts", "aaaaaaaa")


def test_labels_and_how_it_is_answered_make_no_other_request(journal: Journal) -> None:
    planned = [
        replace(
            request,
            body={**request.body, "async": False, "callback_url": "https://x.example"},
            labels={"n": "1"},
        )
        for request in requests(*ALL)
    ]
    run, rows = open_run(journal, planned)
    assert (run.name, states(rows), rows[0].labels) == ("prompts", "aaaaaaaa", {"n": "1"})


@pytest.mark.parametrize(
    "change",
    [
        *({"size": "16:9"}, {"model": "flux-pro"}, {"count": 2}, {"prompt": "A"}),
        *({"prompt": "a "}, {"action": "edit", "image_url": "https://x.example/1.png"}),
    ],
)
def test_whatever_else_differs_makes_another(journal: Journal, change: dict[str, object]) -> None:
    planned = [PlannedRequest("/flux/images", {**body("a"), **change})]
    assert states(open_run(journal, planned)[1]) == "p"


def test_a_task_that_is_retried_is_another_request(journal: Journal) -> None:
    [request] = requests("a")
    assert states(open_run(journal, [replace(request, retry_of="task-1")])[1]) == "p"
    assert states(open_run(journal, [replace(request, retry_of="task-2")])[1]) == "p"
    assert states(open_run(journal, [replace(request, path="/flux/videos")])[1]) == "p"


def test_to_begin_anew_plans_all_of_it(journal: Journal) -> None:
    assert again(journal, ALL, is_new=True) == ("prompts-2", "pppppppp")
    assert again(journal, ALL) == ("prompts-2", "pppppppp")  # the latest
    assert again(journal, ALL, is_new=True)[0] == "prompts-3"
    assert again(journal, ALL, name="prompts") == ("prompts", "aaaaaaaa")


def test_a_name_is_that_of_one_run(journal: Journal) -> None:
    assert again(journal, ALL, name="mine") == ("mine", "pppppppp")
    assert again(journal, ALL, name="mine") == ("mine", "pppppppp")
    assert again(journal, "xyz", name="mine") == ("mine", "ppp")  # which it gets
    assert again(journal, "abX", name="prompts") == ("prompts", "aap")
    assert again(journal, "q", name="yours", is_new=True) == ("yours", "p")
    with pytest.raises(UsageError, match="there is a run mine already"):
        again(journal, ALL, name="mine", is_new=True)
    with pytest.raises(UsageError, match=r"was submitted to https://api\.example, not to"):
        again(journal, ALL, name="mine", base_url="https://other.example")
    assert len(journal.runs()) == 3


def test_another_service_has_other_runs(journal: Journal) -> None:
    assert again(journal, ALL, base_url="https://other.example") == ("prompts-2", "pppppppp")
    assert again(journal, ALL, base_url="https://other.example") == ("prompts-2", "pppppppp")
    assert again(journal, ALL) == ("prompts", "aaaaaaaa")


def test_a_trial_says_the_same_and_changes_nothing(journal: Journal) -> None:
    before = [(run, journal.submissions(run)) for run in journal.runs()]
    assert again(journal, "abcdXY", is_trial=True) == ("prompts", "aaaapp")
    assert again(journal, "UVW", is_trial=True) == ("prompts-2", "ppp")
    assert again(journal, ALL, is_new=True, is_trial=True) == ("prompts-2", "pppppppp")
    assert [(run, journal.submissions(run)) for run in journal.runs()] == before


def test_rows_that_two_runs_share_are_each_one_row(journal: Journal) -> None:
    _, rows = open_run(journal, requests("a", *"UVWXYZ"))
    run = journal.runs()[0]
    for row in rows[1:]:
        accept(journal, run, row)
    assert again(journal, "aUVWX") == ("prompts-2", "aaaaa")
    assert again(journal, "aUbV", name="third") == ("third", "pppp")


INPUTS = st.lists(
    st.text("abcdef", min_size=1, max_size=8), min_size=1, max_size=8
)  # one prompt a letter


@settings(max_examples=80)
@given(INPUTS)
def test_nothing_is_planned_more_often_than_one_input_has_it(inputs: list[str]) -> None:
    """Whatever is submitted in whatever order: no prompt is paid for twice by repeating it."""
    most: Counter[str] = Counter()
    with TemporaryDirectory() as folder, new_journal(Path(folder)) as journal:
        for prompts in inputs:
            planned = requests(*prompts)
            most |= Counter(request.key for request in planned)
            run, rows = open_run(journal, planned)
            assert [row.key for row in rows] == [request.key for request in planned]
            assert len({row.number for row in rows}) == len(rows)
            assert [*journal.submissions(run)[: len(rows)]] == rows
        assert times_planned(journal) == most


@settings(max_examples=40)
@given(INPUTS, st.data())
def test_what_was_planned_before_is_planned_once_whatever_came_between(
    inputs: list[str], data: st.DataObject
) -> None:
    """Names and new beginnings, too: the same input as the last one plans nothing new."""
    with TemporaryDirectory() as folder, new_journal(Path(folder)) as journal:
        for prompts in inputs:
            name = data.draw(st.sampled_from([None, None, "x", "y"]))
            is_new = name is None and data.draw(st.booleans())
            open_run(journal, requests(*prompts), name=name, is_new=is_new)
        before = times_planned(journal)
        for prompts in inputs:
            open_run(journal, requests(*prompts))
        assert times_planned(journal) == before
