"""Reasons of failures: like meets like, and memory stays where it is."""

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.models.reasons import EXAMPLES, Reason, Reasons
from flux_cli.models.state import State
from flux_cli.models.task import Task, TaskError, no_answer, not_found
from tests.support.records import make_ids


def failure(task_id: str, message: str | None, code: str | None = "api_error") -> Task:
    return Task(task_id, State.FAILED, 0.0, error=TaskError(code, message))


def grouped(*tasks: Task) -> list[Reason]:
    reasons = Reasons()
    reasons.add(tasks)
    return reasons.ranked()


ONE, TWO = make_ids(2)


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ("fetch failed", "fetch failed", "fetch failed"),
        ("fetch  failed\n", "fetch failed", "fetch failed"),
        ("took 30 s", "took 12.5 s", "took <n> s"),
        ("took 30s", "took 7s", "took <n>s"),
        ("1024x768 is too large", "64x64 is too large", "<n> is too large"),
        ("seed 1234567, step 3/20", "seed 123456789012, step 20/20", "seed <n>, step <n>"),
        ("HTTP 502: a", "HTTP 503: a", "HTTP <n>: a"),
        (f"no image for {ONE}", f"no image for {TWO.upper()}", "no image for <id>"),
        ("job 0af81c93bd2e0011 died", "job ffffffffffff0123456 died", "job <id> died"),
        ("see https://x.example/1?a=2.", "see http://y.example.", "see <url>."),
        ("GET (https://x/1) failed", "GET (s3://b/k(1) failed", None),
        (f"no {'a.b+c-' * 25}://x", f"no {'a.b+c-' * 20}://y", "no <url>"),  # one look at a run
        ('"https://x/1" is gone', '"https://x/2" is gone', '"<url>" is gone'),
        ("model flux-2-pro is off", "model flux-1-pro is off", None),
        ("flux-kontext-max is off", "flux-kontext-pro is off", None),
        ("gpt4 is off", "gpt5 is off", None),
    ],
)
def test_what_differs_is_folded_and_what_is_the_same_is_shown_as_it_came(
    first: str, second: str, common: str | None
) -> None:
    (alone,) = grouped(failure("a1", first), failure("a2", first))
    assert alone.message == first
    found = grouped(failure("a1", first), failure("a2", second))
    if common is None:
        assert [reason.message for reason in found] == [first, second]
    else:
        assert [(reason.message, reason.count) for reason in found] == [(common, 2)]


def test_the_id_of_the_task_is_folded_whatever_it_looks_like() -> None:
    (reason,) = grouped(
        failure("my-task:one", "my-task:one is lost"), failure("my-task:two", "my-task:two is lost")
    )
    assert reason.message == "<id> is lost"


def test_a_reason_is_a_state_a_code_and_a_message() -> None:
    found = grouped(
        failure("a1", "no"),
        failure("a2", "no", "other"),
        failure("a3", None, "other"),
        failure("a4", None, None),
        Task("a5", State.FAILED, 0.0),
        no_answer("a6", code="api_error", message="no", observed_at=0.0),
        not_found("a7", 0.0),
        Task("a8", State.SUCCEEDED, 0.0),
        Task("a9", State.PROCESSING, 0.0),
    )
    assert [(r.state, r.code, r.message, r.ids) for r in found] == [
        (State.FAILED, None, None, ["a4", "a5"]),
        (State.FAILED, "api_error", "no", ["a1"]),
        (State.FAILED, "other", "no", ["a2"]),
        (State.FAILED, "other", None, ["a3"]),
        (State.UNKNOWN, "api_error", "no", ["a6"]),
    ]


def test_the_most_frequent_comes_first_with_its_first_three_ids() -> None:
    reasons = Reasons()
    reasons.add(failure(f"r{n}", "rare") for n in range(2))
    reasons.add(failure(f"o{n}", "often") for n in range(5))
    reasons.add([failure("x", "once"), failure("y", "once more")])
    found = [(reason.message, reason.count, reason.ids) for reason in reasons.ranked(State.FAILED)]
    assert found == [
        ("often", 5, ["o0", "o1", "o2"]),
        ("rare", 2, ["r0", "r1"]),
        ("once", 1, ["x"]),
        ("once more", 1, ["y"]),
    ]
    assert reasons.ranked(State.UNKNOWN) == []


def words(count: int) -> Iterator[str]:
    """Yield as many different words, of letters alone."""
    for number in range(count):
        yield "".join(chr(ord("a") + int(digit)) for digit in str(number))


def test_a_service_that_says_something_else_each_time_takes_no_memory() -> None:
    reasons = Reasons()
    different = words(3000)
    for _ in range(2100):  # Python 3.11 keeps the first 2,000 tuples of twenty for itself
        failure("warm-up", "", code="x")
    tracemalloc.start()
    try:
        for word in different:
            reasons.add([failure(word, 100 * f"{word} ", code=word * 100)])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 500_000
    found = reasons.ranked()
    assert len(found) <= 201
    assert sum(reason.count for reason in found) == 3000
    assert (found[-1].message, found[-1].ids) == ("other reasons", [])


def test_a_frequent_reason_is_found_among_a_thousand_others_wherever_it_begins() -> None:
    for start in (0, 500, 900):
        reasons = Reasons()
        for number, word in enumerate(words(1000)):
            reasons.add([failure(f"o{number}", word)])
            if number >= start:
                reasons.add([failure(f"f{number}", "fetch failed")])
        first = reasons.ranked(State.FAILED)[0]
        assert (first.message, first.count) == ("fetch failed", 1000 - start)


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40), st.booleans())))
def test_every_failure_is_counted_once_whatever_the_text(
    errors: list[tuple[str, str, bool]],
) -> None:
    found = grouped(
        *(
            failure(f"id-{number}", message, code)
            if failed
            else no_answer(f"id-{number}", code=code, message=message, observed_at=0.0)
            for number, (code, message, failed) in enumerate(errors)
        )
    )
    assert sum(reason.count for reason in found) == len(errors)
    assert all(len(reason.ids) == min(EXAMPLES, reason.count) for reason in found)
    assert [r.count for r in found] == sorted((r.count for r in found), reverse=True)
