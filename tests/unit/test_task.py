"""Records of the service become tasks, and tasks become flux's own records."""

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.errors import ExitCode
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import (
    Cost,
    Output,
    Task,
    TaskError,
    more_advanced,
    no_answer,
    not_found,
    parse_task,
    read_record,
    read_run_keys,
)
from flux_cli.output.jsonl import encode_record
from flux_cli.output.records import KEYS, RAW, as_record, whole_record
from flux_cli.output.schema import record_schema
from tests.support.records import failed, finished, running
from tests.unit.test_state import JSON


CONTRACT = Path(__file__).parent.parent / "contract"
NOW = 1800000000.0


def test_the_documented_batch_reply() -> None:
    items = json.loads((CONTRACT / "batch-two-images.json").read_text())["items"]
    first, second = (as_record(parse_task(item["id"], item, NOW)) for item in items)
    assert first == {
        "id": "2db0168c-2373-4367-8d9a-9dc778802e8a",
        "state": "succeeded",
        "previous_state": None,
        "type": "images",
        "action": "generate",
        "model": None,
        "prompt": "a white siamese cat",
        "size": "1024x1024",
        "created_at": "2025-01-08T02:51:09.779Z",
        "started_at": "2025-01-08T02:51:09.839Z",
        "finished_at": "2025-01-08T02:51:19.439Z",
        "elapsed": 9.6,
        "outputs": [
            {
                "url": "https://cdn.acedata.cloud/e724d7f13d.png",
                "kind": "image",
                "width": None,
                "height": None,
                "seconds": None,
                "seed": 281520112,
            }
        ],
        "error": None,
        "cost": None,
        "trace_id": "6624929c-bb80-40c0-81e8-d96af8405d19",
        "observed_at": "2027-01-15T08:00:00.000Z",
    }
    assert tuple(first) == KEYS
    assert second["state"] == "succeeded"
    assert (second["started_at"], second["finished_at"], second["elapsed"]) == (None, None, None)


def test_the_documented_video_response() -> None:
    response = json.loads((CONTRACT / "video-response.json").read_text())
    task = parse_task("a", {"id": "a", "response": response}, NOW)
    assert (task.state, task.type, task.model) == (State.SUCCEEDED, "videos", "flux-3")
    (output,) = task.outputs
    assert (output.kind, output.width, output.height, output.seconds) == (
        "video",
        1280,
        704,
        5.041667,
    )
    assert task.trace_id == "b0f851bd-0925-43ca-acc3-6f634c70d607"
    assert task.cost == Cost(2.6884689277500002, "credit")


def as_sent(**changes: Any) -> Task:
    """Return a finished task whose record the service changed by `changes`."""
    return parse_task("a", finished("a", **changes), NOW)


def test_the_shape_of_a_record_changes_nothing_of_what_it_says() -> None:
    record = finished("a")
    response, plain = record["response"], parse_task("a", record, NOW)
    seed = {**response, "data": [{**response["data"][0], "seed": "7"}]}
    urls = {**response, "data": [{"image_urls": [response["data"][0]["image_url"]], "seed": 7}]}
    bare = {**response, **response["data"][0], "data": None}
    for changes in (
        {"response": json.dumps(response)},
        {"response": response["data"]},
        {"response": json.dumps(response["data"])},
        {"response": {**response, "data": json.dumps(response["data"])}},
        {"response": {"success": True, "data": [{"status": "succeed"}], **response["data"][0]}},
        {"response": None, "success": True, "data": response["data"]},
        {"response": {"task_id": "a"}, "success": True, "data": response["data"]},
        {"response": None, "result": response},
        {"response": None, "result": json.dumps(response)},
        {"request": json.dumps(record["request"])},
        {"response": seed},
        {"response": urls},
        {"response": bare},
        {"created_at": 1736304669779, "started_at": "1736304669839", "elapsed": None},
        {"created_at": "1736304669.779", "finished_at": "1736304679.439", "elapsed": "9.6"},
        {"created_at": "2025-01-08T02:51:09.779Z", "started_at": "2025-01-08T02:51:09.839+00:00"},
        {"created_at": " 2025-01-08 03:51:09.779+01:00 ", "started_at": "2025-01-08T02:51:09.839"},
    ):
        assert as_sent(**changes) == plain, changes


def test_a_record_of_early_2025_has_no_times() -> None:
    record = finished("a")
    for key in ("started_at", "finished_at", "elapsed"):
        del record[key]
    task = parse_task("a", record, NOW)
    assert (task.state, task.started_at, task.finished_at, task.elapsed) == (
        State.SUCCEEDED,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    "response",
    [None, "", {}, {"success": True}, {"success": True, "data": []}, '{"task_id": "a"}',
     {"success": False, "error": "fetch failed", "cost": {"amount": 1, "currency": "credit"}}],
)  # fmt: skip
def test_a_placeholder_tells_nothing_but_that_it_runs(response: Any) -> None:
    task = as_sent(response=response, finished_at=None, elapsed=None)
    assert task.state is State.PROCESSING
    assert (task.outputs, task.error, task.cost) == ((), None, None)
    assert (task.finished_at, task.elapsed) == (None, None)


NONSENSE: list[Any] = ["", "random", "1_000", "٣", "nan", "1e5", "9" * 99, True, None, [], {}]


@pytest.mark.parametrize(
    ("value", "seed"),
    [("281520112", 281520112), ("-1", -1), (7.0, 7.0), (str(2**64), 2**64)]
    + [(value, None) for value in NONSENSE],
)
def test_a_seed_is_a_number(value: Any, seed: float | None) -> None:
    data = [{"image_url": "https://x/1.png", "seed": value}]
    (output,) = as_sent(response={"success": True, "data": data}).outputs
    assert output.seed == seed


@pytest.mark.parametrize(
    ("value", "cost"),
    [
        ({"amount": 0.216, "currency": "credit", "list_amount": 0.24}, Cost(0.216, "credit")),
        ({"amount": "0.216", "currency": "credit"}, Cost(0.216, "credit")),
        ({"amount": 3}, Cost(3, None)),
        (0.5, Cost(0.5, None)),
        *[(value, None) for value in [*NONSENSE, -1, 1e300]],
        ({"amount": None, "currency": "credit"}, None),
    ],
)
def test_cost_is_what_a_finished_task_carries(value: Any, cost: Cost | None) -> None:
    data = [{"image_url": "https://x/1.png"}]
    assert as_sent(response={"success": True, "data": data, "cost": value}).cost == cost
    assert as_sent(cost=value).cost == cost
    error = {"code": "forbidden", "message": "no"}
    assert as_sent(response={"success": False, "error": error, "cost": value}).cost == cost


@pytest.mark.parametrize(
    "task",
    [
        parse_task("a", finished("a", cost={"amount": 0.216, "currency": "credit"}), NOW),
        parse_task("a", finished("a", cost=2), NOW),
        parse_task("a", finished("a"), NOW),
        parse_task("a", failed("a", "forbidden", "no"), NOW),
        parse_task("a", {"id": "a", "error": {"code": 503, "message": "no"}}, NOW),
        parse_task("a", finished("a"), NOW)._replace(row=3, labels={"mood": "calm"}),
        parse_task("a", failed("a"), NOW)._replace(row=1, labels={}),
    ],
)
def test_a_record_of_flux_is_read_back_as_it_was(task: Task) -> None:
    assert read_record("a", json.loads(encode_record(whole_record(task)))) == task


@pytest.mark.parametrize(
    "changes",
    [
        *({"row": row} for row in (0, 1 << 31, True, "3", None)),
        *({"label": "x"}, {"label": None}, {"observed_at": None}),
    ],
)
def test_row_and_labels_are_read_from_records_of_flux_alone(changes: dict[str, Any]) -> None:
    task = Task("a", State.PENDING, NOW, row=3, labels={"mood": "calm"})
    record = whole_record(task)
    assert read_run_keys(record) == (3, {"mood": "calm"})
    assert read_run_keys(record | changes) is None
    assert read_run_keys(record | {"label": {"mood": 1}}) == (3, {})


def test_a_failed_task_says_why() -> None:
    task = parse_task("a", failed("a", "used_up", "no balance"), NOW)
    assert task.error == TaskError("used_up", "no balance")
    plain = finished("a", response={"success": False, "error": "boom"})
    assert parse_task("a", plain, NOW).error == TaskError(None, "boom")
    for code in ("forbidden", "service_unavailable", "timeout", "503"):
        error = {"code": code, "message": "says so"}
        for record in (finished("a", response=None, error=error), failed("a", code, "says so")):
            task = parse_task("a", record, NOW)
            assert (task.state, task.error) == (State.FAILED, TaskError(code, "says so"))
    errors: list[Any] = [{"message": "boom"}, '{"code": "", "message": "boom"}', "boom"]
    for error in errors:
        task = as_sent(response=None, error=error)
        assert (task.state, task.error) == (State.FAILED, TaskError(None, "boom"))
    number = finished("a", response={"success": False, "error": {}}, error={"code": 503})
    assert parse_task("a", number, NOW).error == TaskError("503", None)


def test_a_hiccup_is_not_shown_as_an_error() -> None:
    task = parse_task("a", {"response": {"success": False, "error": "fetch"}}, NOW)
    assert (task.state, task.error) == (State.PROCESSING, None)


@pytest.mark.parametrize(
    "value", [True, False, "soon", None, math.nan, math.inf, -5, 0, 1e300, 10**400, [], {}]
)
def test_what_is_no_time_is_unknown(value: Any) -> None:
    record = finished("a", created_at=value, started_at=value, finished_at=value, elapsed=None)
    document = as_record(parse_task("a", record, NOW))
    assert [document[key] for key in ("created_at", "started_at", "finished_at")] == [None] * 3
    assert document["elapsed"] is None


def test_elapsed_is_worked_out_when_it_is_missing() -> None:
    task = parse_task("a", finished("a", elapsed=None), NOW)
    assert task.elapsed == 9.6
    for nonsense in (-3, 1e300, 10**30, "9" * 30):
        assert parse_task("a", finished("a", elapsed=nonsense), NOW).elapsed is None
    ages = finished("a", elapsed=None, started_at=1)
    ages["finished_at"] = "5000-01-01"
    assert parse_task("a", ages, NOW).elapsed is None


def test_every_output_is_listed() -> None:
    entries = [{"image_url": "https://x/1.png", "seed": 1}, {"video_url": "https://x/2.mp4"}, None]
    task = parse_task("a", finished("a", response={"success": True, "data": entries}), NOW)
    assert task.outputs == (
        Output("https://x/1.png", "image", seed=1),
        Output("https://x/2.mp4", "video"),
    )


def test_an_output_is_listed_once_and_what_was_given_or_is_a_preview_never() -> None:
    entries = [
        {"image_url": "https://x/1.png", "image_urls": ["https://x/1.png", "https://x/2.png"]},
        {"image_url": "https://x/in.png", "cover_url": "https://x/cover.png"},
        {"video_urls": ["https://x/3.mp4"], "preview_url": "https://x/preview.png"},
    ]
    request = {"action": "edit", "image_url": "https://x/in.png"}
    task = as_sent(request=request, response={"success": True, "data": entries})
    assert [(output.url[-5:], output.kind) for output in task.outputs] == [
        ("1.png", "image"),
        ("2.png", "image"),
        ("3.mp4", "video"),
    ]


VALUES = JSON | JSON.map(json.dumps)
FIELDS = ("response", "result", "request", "created_at", "finished_at", "elapsed", "error", "cost")


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_record_becomes_valid_json(record: dict[str, Any]) -> None:
    task = parse_task("a", record, NOW, keep_raw=True)
    line = encode_record(as_record(task, (*KEYS, RAW)))
    document = json.loads(line, parse_constant=pytest.fail)
    assert list(document) == [*KEYS, "raw"]
    assert "\n" not in line
    jsonschema.validate(document, record_schema())
    again = read_record("a", document)
    assert again == (task._replace(raw=again.raw) if again else None)
    assert again is not None or task.state is not State.FAILED
    counts = TaskCounts()
    counts.add([task])
    assert counts.summary().startswith("1 task: 1 ")


def test_a_terminal_answer_beats_a_running_one() -> None:
    pending = parse_task("a", {}, NOW)
    started, done, broken = (parse_task("a", r("a"), NOW) for r in (running, finished, failed))
    assert more_advanced(started, done) is done
    assert more_advanced(done, started) is done
    assert more_advanced(pending, started) is started
    assert more_advanced(done, broken) is done


@pytest.mark.parametrize(
    ("states", "verdict", "summary"),
    [
        ("s", ExitCode.OK, "1 task: 1 succeeded"),
        ("ssp", ExitCode.STILL_RUNNING, "3 tasks: 1 processing, 2 succeeded"),
        ("spn", ExitCode.NOT_FOUND, "3 tasks: 1 processing, 1 succeeded, 1 not found"),
        ("npf", ExitCode.TASK_FAILED, "3 tasks: 1 processing, 1 failed, 1 not found"),
        ("fnu", ExitCode.NO_ANSWER, "3 tasks: 1 failed, 1 not found, 1 unknown"),
        ("", ExitCode.OK, "0 tasks"),
    ],
)
def test_the_gravest_state_decides(states: str, verdict: ExitCode, summary: str) -> None:
    make = {
        "s": lambda: parse_task("a", finished("a"), NOW),
        "p": lambda: parse_task("a", running("a"), NOW),
        "f": lambda: parse_task("a", failed("a"), NOW),
        "n": lambda: not_found("a", NOW),
        "u": lambda: no_answer("a", code="x", message="y", observed_at=NOW),
    }
    counts = TaskCounts()
    counts.add(make[state]() for state in states)
    assert counts.exit_code() is verdict
    assert counts.summary() == summary


@pytest.mark.parametrize(
    ("amounts", "summary"),
    [
        ([0.1, 0.2], "2 tasks: 2 succeeded; 0.3 credits"),
        ([0.216] * 12, "12 tasks: 12 succeeded; 2.592 credits"),
        ([1], "1 task: 1 succeeded; 1 credit"),
        ([10, 2.6884689277500002], "2 tasks: 2 succeeded; 12.6885 credits"),
        ([1000, 234.5], "2 tasks: 2 succeeded; 1,234.5 credits"),
        ([0, 0.0], "2 tasks: 2 succeeded"),
        ([None], "1 task: 1 succeeded"),
    ],
)
def test_a_summary_tells_the_credits(amounts: list[float | None], summary: str) -> None:
    counts = TaskCounts()
    costs = [{"amount": amount, "currency": "credit"} for amount in amounts]
    counts.add(parse_task("a", finished("a", cost=cost), NOW) for cost in costs)
    assert counts.summary() == summary


def test_another_currency_is_not_added_to_the_credits() -> None:
    counts = TaskCounts()
    cost = {"amount": 5, "currency": "USD"}
    counts.add([parse_task("a", finished("a", cost=cost), NOW)])
    assert counts.summary() == "1 task: 1 succeeded"


def test_the_order_of_the_exit_codes() -> None:
    codes = [ExitCode.NO_ANSWER, ExitCode.OUTPUT, ExitCode.TIMED_OUT]
    codes += [ExitCode.TASK_FAILED, ExitCode.NOT_FOUND, ExitCode.STILL_RUNNING, ExitCode.OK]
    for number, code in enumerate(codes):
        assert TaskCounts().exit_code(*reversed(codes[number:])) is code
    counts = TaskCounts()
    counts.count([State.FAILED, State.PROCESSING])
    assert counts.exit_code(ExitCode.TIMED_OUT) is ExitCode.TIMED_OUT
