"""The state table of the contract: every row, and every pair of rows that compete."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.models.state import State, derive_state


URL = {"data": [{"image_url": "https://cdn.example/x.png"}]}
VIDEO = {"data": [{"video_url": "https://cdn.example/x.mp4"}]}
CODE = {"error": {"code": "api_error", "message": "no"}}
TEXT = {"error": "hiccup"}
STARTED = {"started_at": 1736304669.8}
FINISHED = {"finished_at": 1736304679.4}

FAILURE_WORDS = ("failed", "failure", "error", "cancelled", "canceled", "rejected")
DONE_WORDS = ("succeed", "succeeded", "success", "completed", "complete", "finished")


def task(response: Any = None, **fields: Any) -> dict[str, Any]:
    return {"id": "a", "response": response, **fields}


@pytest.mark.parametrize("key", ["status", "state"])
@pytest.mark.parametrize("word", [*FAILURE_WORDS, "Failed", " ERROR "])
def test_row_failure_word(key: str, word: str) -> None:
    assert derive_state(task({key: word})) is State.FAILED
    assert derive_state(task({"data": [{"deep": {key: word}}]})) is State.FAILED
    assert derive_state({"id": "a", key: word}) is State.FAILED


@pytest.mark.parametrize("key", ["status", "state"])
@pytest.mark.parametrize("word", [*DONE_WORDS, "Completed"])
def test_row_done_word(key: str, word: str) -> None:
    assert derive_state(task({key: word, **URL})) is State.SUCCEEDED
    assert derive_state(task({key: word, **VIDEO})) is State.SUCCEEDED
    assert derive_state(task({key: word})) is State.FAILED
    assert derive_state({"id": "a", key: word}) is State.FAILED  # no response, so no output


@pytest.mark.parametrize("word", ["queued", "running", "IN_PROGRESS", "in review"])
def test_row_other_word(word: str) -> None:
    assert derive_state(task({"status": word})) is State.PROCESSING
    assert derive_state({"id": "a", "status": word}) is State.PROCESSING


@pytest.mark.parametrize(
    ("record", "state"),
    [
        # success is false and (an output URL, or an error object with a code)
        (task({"success": False, **URL}), State.FAILED),
        (task({"success": False, **CODE}), State.FAILED),
        # finished and success is true: also without an output
        (task({"success": True}, **FINISHED), State.SUCCEEDED),
        (task({"success": True, **FINISHED}), State.SUCCEEDED),
        # finished and success is false: also with no more than a string
        (task({"success": False, **TEXT}, **FINISHED), State.FAILED),
        (task({"success": False, **FINISHED}), State.FAILED),
        # an output URL; records from early 2025 have no times
        (task({"success": True, **URL}), State.SUCCEEDED),
        (task(URL), State.SUCCEEDED),
        (task({"data": {"image_url": "https://cdn.example/x.png"}}), State.SUCCEEDED),
        # started, or a response object of any other shape
        (task(None, **STARTED), State.PROCESSING),
        (task({}), State.PROCESSING),
        (task({"success": True}), State.PROCESSING),
        (task({"success": True, "data": []}), State.PROCESSING),
        (task({"success": False, **TEXT}), State.PROCESSING),
        (task({"success": False, "error": {"message": "no code"}}), State.PROCESSING),
        # anything else
        ({"id": "a"}, State.PENDING),
        (task(None), State.PENDING),
        (task("text"), State.PENDING),
        (task([URL]), State.PENDING),
        (task(None, **FINISHED), State.PENDING),
    ],
)
def test_rows_without_a_word(record: dict[str, Any], state: State) -> None:
    assert derive_state(record) is state


@pytest.mark.parametrize(
    ("record", "state", "pair"),
    [
        (task({"status": "failed", "data": [{"state": "done", **URL}]}), State.FAILED, "1 2"),
        (task({"state": "succeeded", "a": {"status": "error"}, **URL}), State.FAILED, "1 2"),
        (task({"status": "failed", "a": {"status": "running"}}), State.FAILED, "1 3"),
        (task({"status": "failed", "success": True, **URL}, **FINISHED), State.FAILED, "1 5"),
        (task({"status": "failed", **URL}), State.FAILED, "1 7"),
        (task({"status": "failed"}, **STARTED), State.FAILED, "1 8"),
        (task({"status": "completed", "a": {"status": "running"}, **URL}), State.SUCCEEDED, "2 3"),
        (task({"status": "completed", "success": False, **URL}), State.SUCCEEDED, "2 4"),
        (task({"status": "completed", "success": True}, **FINISHED), State.FAILED, "2 5"),
        (task({"status": "completed", "success": False, **URL, **FINISHED}), State.SUCCEEDED, "26"),
        (task({"status": "completed"}, **STARTED), State.FAILED, "2 8"),
        (task({"status": "running", "success": False, **CODE}), State.PROCESSING, "3 4"),
        (task({"status": "running", "success": True}, **FINISHED), State.PROCESSING, "3 5"),
        (task({"status": "running", "success": False}, **FINISHED), State.PROCESSING, "3 6"),
        (task({"status": "running", **URL}), State.PROCESSING, "3 7"),
        (task({"success": False, **URL}, **FINISHED), State.FAILED, "4 7"),
        (task({"success": False, **CODE}, **STARTED), State.FAILED, "4 8"),
        (task({"success": True, **CODE}, **FINISHED), State.SUCCEEDED, "4 5"),
        (task({"success": True, **STARTED}, **STARTED, **FINISHED), State.SUCCEEDED, "5 8"),
        (task({"success": False, **TEXT}, **STARTED, **FINISHED), State.FAILED, "6 8"),
        (task(URL, **STARTED), State.SUCCEEDED, "7 8"),
        (task({"status": "running"}, status="failed"), State.PROCESSING, "response, record"),
        (task({}, status="failed"), State.PROCESSING, "response, record"),
    ],
)
def test_the_earlier_row_wins(record: dict[str, Any], state: State, pair: str) -> None:
    assert derive_state(record) is state, pair


@pytest.mark.parametrize("value", ["true", 1, "True", None, [], {}])
def test_success_is_compared_strictly(value: Any) -> None:
    assert derive_state(task({"success": value}, **FINISHED)) is State.PROCESSING
    assert derive_state(task({"success": value, **CODE})) is State.PROCESSING


@pytest.mark.parametrize("value", [None, True, False, 0, -1, math.nan, math.inf, "", " ", [], {}])
def test_what_is_no_time_does_not_count_as_finished(value: Any) -> None:
    assert derive_state(task({"success": True}, finished_at=value)) is State.PROCESSING


@pytest.mark.parametrize("value", [None, "", "  ", 5, [], {"url": "x"}])
def test_what_is_no_url_does_not_count_as_output(value: Any) -> None:
    assert derive_state(task({"data": [{"image_url": value}]})) is State.PROCESSING


@pytest.mark.parametrize("value", [200, None, "", " ", ["failed"], {"code": "failed"}])
def test_what_is_no_word_does_not_count_as_status(value: Any) -> None:
    assert derive_state({"id": "a", "status": value}) is State.PENDING


def test_an_input_image_is_no_output() -> None:
    record = {"id": "a", "request": {"image_url": "https://cdn.example/in.png"}}
    assert derive_state(record) is State.PENDING


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("response", "data", "status", "state", "success", "error", "code"),
                    *("finished_at", "started_at", "image_url", "request", "prompt"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(("response", "started_at", "finished_at", "state")), JSON))
def test_any_record_has_a_state(record: dict[str, Any]) -> None:
    assert derive_state(record) in set(State) - {State.NOT_FOUND, State.UNKNOWN}


def test_deep_nesting_is_no_problem() -> None:
    record: dict[str, Any] = {"status": "failed"}
    for _ in range(100_000):
        record = {"data": record}
    assert derive_state(task(record)) is State.FAILED
