"""The state table of the contract: every row, and every pair of rows that compete."""

import json
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

SHAPES: list[Any] = [{}, [], [7], ["text"], [{}], 7, False]

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
        (task({"success": False}, **CODE), State.FAILED),
        (task({"success": False, "error": {"code": 503}}), State.FAILED),
        (task({"success": False, "error": {"code": "forbidden"}}), State.FAILED),
        (task({"success": False, "error": {"code": "service_unavailable"}}), State.FAILED),
        # no response, and the record's own error is an object with a code
        (task(None, **CODE), State.FAILED),
        ({"id": "a", **CODE}, State.FAILED),
        (task(None, **CODE, **STARTED), State.FAILED),
        (task(None, **CODE, finished_at=None, elapsed=None), State.FAILED),
        (task(None, error={"code": 500, "message": "no"}), State.FAILED),
        (task(None, error="hiccup"), State.PENDING),
        (task(None, error={"message": "no code"}, **STARTED), State.PROCESSING),
        (task(None, error={"code": None, "message": None}), State.PENDING),
        (task(None, error={"code": 0, "message": "ok"}), State.PENDING),
        (task(None, error={"code": " "}), State.PENDING),
        (task({}, **CODE), State.FAILED),  # an empty response, and a bare acknowledgement,
        (task({"task_id": "a", "trace_id": "b"}, **CODE), State.FAILED),  # tell nothing
        (task({"task_id": "a", "data": [], "error": None}, **CODE), State.FAILED),
        (task(None, error='{"code": "api_error", "message": "no"}'), State.FAILED),
        (task({"success": True}, **CODE), State.PROCESSING),
        (task(URL, **CODE), State.SUCCEEDED),
        # finished and success is true: also without an output
        (task({"success": True}, **FINISHED), State.SUCCEEDED),
        (task({"success": True, **FINISHED}), State.SUCCEEDED),
        # finished and success is false: also with no more than a string
        (task({"success": False, **TEXT}, **FINISHED), State.FAILED),
        (task({"success": False, **FINISHED}), State.FAILED),
        # what tells how it went is the record itself, where it has no response
        (task(None, success=False, **FINISHED), State.FAILED),
        (task(None, success=False, **TEXT, **STARTED, **FINISHED), State.FAILED),
        (task({"task_id": "a"}, success=False, **FINISHED), State.FAILED),
        (task(None, success=False, **TEXT, **STARTED), State.PROCESSING),
        (task(None, success=True, **FINISHED), State.SUCCEEDED),
        (task(None, success=True, image_url="https://cdn.example/x.png"), State.SUCCEEDED),
        (task(None, success=True, **URL, **STARTED), State.SUCCEEDED),
        (task("", success=True, **VIDEO), State.SUCCEEDED),
        (task(None, status="succeeded", **URL), State.SUCCEEDED),
        (task(None, status="running", **URL), State.PROCESSING),
        (task(None, data=[{"status": "running", **URL["data"][0]}]), State.PROCESSING),
        (task(None, data='[{"status": "running"}]', success=True, **FINISHED), State.PROCESSING),
        (task(None, **URL, **FINISHED), State.SUCCEEDED),
        (task({"success": False, **TEXT}, success=True, **URL), State.PROCESSING),
        (task(None, image_url="https://cdn.example/in.png", action="edit"), State.PENDING),
        # finished, without a response, and with an error of any kind
        (task(None, **TEXT, **FINISHED), State.FAILED),
        (task("", error={"message": "boom"}, **STARTED, **FINISHED), State.FAILED),
        (task(None, error='{"message": "boom"}', **FINISHED), State.FAILED),
        (task({}, **TEXT, **FINISHED), State.FAILED),
        (task("gone wrong", **TEXT, **FINISHED), State.FAILED),
        (task(None, error={"code": 0, "message": "ok"}, **FINISHED), State.PENDING),
        (task(None, error=" ", **FINISHED), State.PENDING),
        (task(None, error={}, **FINISHED), State.PENDING),
        (task({"progress": 50}, **TEXT, **FINISHED), State.PROCESSING),
        # an output URL; records from early 2025 have no times
        (task({"success": True, **URL}), State.SUCCEEDED),
        (task(URL), State.SUCCEEDED),
        (task({"data": {"image_url": "https://cdn.example/x.png"}}), State.SUCCEEDED),
        (task(URL["data"]), State.SUCCEEDED),
        (task(json.dumps(URL["data"])), State.SUCCEEDED),
        (task({"data": json.dumps(URL["data"])}), State.SUCCEEDED),
        (task({"data": '[{"status": "running"}]', **STARTED}), State.PROCESSING),
        (task({"data": [{"id": 1}], "image_url": "https://cdn.example/x.png"}), State.SUCCEEDED),
        (
            task({"data": [{"status": "succeed"}], "image_urls": ["https://cdn.example/x.png"]}),
            State.SUCCEEDED,
        ),
        # started, or a response object of any other shape
        (task(None, **STARTED), State.PROCESSING),
        *((task(shape), State.PROCESSING) for shape in SHAPES),
        (task({"success": True}), State.PROCESSING),
        (task({"success": True, "data": []}), State.PROCESSING),
        (task({"success": False, **TEXT}), State.PROCESSING),
        (task({"success": False, "error": {"message": "no code"}}), State.PROCESSING),
        # a cover, a preview or a thumbnail is no output, nor is an echo of the request
        (task({"data": [{"cover_url": "https://cdn.example/x.png"}]}), State.PROCESSING),
        (task({"preview_url": "https://x/p", "data": [{"thumbnail_url": "u"}]}), State.PROCESSING),
        (task({"data": [{"image": "https://x/p", "video": "v", "url": "u"}]}), State.PROCESSING),
        (task(URL, request={"image_url": "https://cdn.example/x.png"}), State.PROCESSING),
        (task(URL, request={"a": {"url": "https://cdn.example/x.png"}}), State.PROCESSING),
        (
            task({"data": [{"image_url": "a"}]}, request={"keyframes": [[0, "a"], [2, "b"]]}),
            State.PROCESSING,
        ),
        (task(None, **FINISHED, **STARTED), State.PROCESSING),
        # anything else
        ({"id": "a"}, State.PENDING),
        (task(None), State.PENDING),
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
        (task(None, status="running", **CODE), State.PROCESSING, "3 own error"),
        (task(None, status="succeeded", **CODE), State.FAILED, "2 own error"),
        (task(None, **CODE, **FINISHED, **STARTED), State.FAILED, "own error 8"),
        (task({"status": "running"}, status="failed"), State.PROCESSING, "response, record"),
        (task({}, status="failed"), State.PROCESSING, "response, record"),
    ],
)
def test_the_earlier_row_wins(record: dict[str, Any], state: State, pair: str) -> None:
    assert derive_state(record) is state, pair


BODIES: list[Any] = [
    {},
    {"success": True},
    {"success": True, **URL},
    {"success": False, **CODE},
    {"success": False, **TEXT},
    {"status": "running"},
    {"status": "failed"},
    {"data": [{"image_urls": ["https://cdn.example/x.png"]}]},
    {"image_urls": ["https://cdn.example/x.png"]},
    VIDEO,
]


@pytest.mark.parametrize("times", [{}, STARTED, {**STARTED, **FINISHED}], ids=["", "s", "sf"])
@pytest.mark.parametrize("body", BODIES, ids=json.dumps)
def test_a_body_means_the_same_as_text_and_under_result(body: Any, times: dict[str, Any]) -> None:
    state = derive_state(task(body, **times))
    assert derive_state(task(json.dumps(body), **times)) is state
    assert derive_state(task(json.dumps(body, indent=2), **times)) is state
    assert derive_state({"id": "a", "result": body, **times}) is state
    assert derive_state(task(None, result=json.dumps(body), **times)) is state
    assert derive_state(task("", result=body, **times)) is state
    assert derive_state(task({}, result=body, **times)) is state


@pytest.mark.parametrize("key", ["image_url", "image_urls", "video_url", "video_urls"])
def test_an_output_may_be_a_list_and_stand_in_the_body_itself(key: str) -> None:
    url = "https://cdn.example/x"
    shapes: list[Any] = [url, [url], [None, "", [url]], {"url": url}, [{"url": url}]]
    for value in (*shapes, json.dumps([url]), json.dumps([{"url": url}])):
        assert derive_state(task({"data": [{key: value}]})) is State.SUCCEEDED
        assert derive_state(task({"data": {key: value}})) is State.SUCCEEDED
        assert derive_state(task({key: value})) is State.SUCCEEDED


@pytest.mark.parametrize(
    "value", ["{", "nonsense", "[]", "7", '"x"', "[" * 100_000, "{" * 9, ["a"], [[]]]
)
def test_a_response_that_is_no_object_tells_nothing_but_that_it_is_there(value: Any) -> None:
    assert derive_state(task(value)) is State.PROCESSING
    assert derive_state(task(value, **STARTED)) is State.PROCESSING
    assert derive_state(task(value, **CODE)) is State.FAILED
    assert derive_state(task(value, status="failed")) is State.FAILED


@pytest.mark.parametrize("value", [None, "", " ", "null"])
def test_what_is_nothing_is_no_response(value: Any) -> None:
    assert derive_state({"id": "a", "response": value, "result": value}) is State.PENDING


@pytest.mark.parametrize("value", ["true", 1, "True", None, [], {}])
def test_success_is_compared_strictly(value: Any) -> None:
    assert derive_state(task({"success": value}, **FINISHED)) is State.PROCESSING
    assert derive_state(task({"success": value, **CODE})) is State.PROCESSING


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, math.nan, math.inf, "", " ", "0", [], {}, "null", "not yet"),
        *("0001-01-01T00:00:00Z", "0000-00-00 00:00:00", "1970-01-01"),
    ],
)
def test_what_is_no_time_does_not_count_as_finished(value: Any) -> None:
    assert derive_state(task({"success": True}, finished_at=value)) is State.PROCESSING


@pytest.mark.parametrize(
    "value",
    [1736304679, 1736304679779, "1736304679.4", "2025-01-08 02:51:19", "8 janv. 2025, 03:51"],
)
def test_a_time_counts_as_finished_in_whatever_notation_also_an_unknown_one(value: Any) -> None:
    assert derive_state(task({"success": True}, finished_at=value)) is State.SUCCEEDED
    assert derive_state(task({"success": False, "finished_at": value})) is State.FAILED
    assert derive_state(task(None, started_at=value)) is State.PROCESSING


@pytest.mark.parametrize("value", [None, "", "  ", 5, [], [""], [5, {}], {"href": "x"}, "[]", "{}"])
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
                    *("image_urls", "result", "message", "cost", "amount", "currency", "seed"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


KEYS = ("response", "result", "started_at", "finished_at", "state", "status", "error", "request")


@given(st.dictionaries(st.sampled_from(KEYS), JSON | JSON.map(json.dumps)))
def test_any_record_has_a_state(record: dict[str, Any]) -> None:
    assert derive_state(record) in set(State) - {State.NOT_FOUND, State.UNKNOWN}


def test_deep_nesting_is_no_problem() -> None:
    record: dict[str, Any] = {"status": "failed"}
    for _ in range(100_000):
        record = {"data": record}
    assert derive_state(task(record)) is State.FAILED
