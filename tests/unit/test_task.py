"""Records of the service become tasks, and tasks become flux's own records."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from flux_cli.errors import ExitCode
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.models.task import Output, TaskError, more_advanced, no_answer, not_found, parse_task
from flux_cli.output.jsonl import encode_record
from flux_cli.output.records import KEYS, RAW, as_record
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


def test_a_failed_task_says_why() -> None:
    task = parse_task("a", failed("a", "used_up", "no balance"), NOW)
    assert task.error == TaskError("used_up", "no balance")
    plain = finished("a", response={"success": False, "error": "boom"})
    assert parse_task("a", plain, NOW).error == TaskError(None, "boom")


def test_a_hiccup_is_not_shown_as_an_error() -> None:
    task = parse_task("a", {"response": {"success": False, "error": "fetch"}}, NOW)
    assert (task.state, task.error) == (State.PROCESSING, None)


@pytest.mark.parametrize(
    "value", [True, False, "1736304669", None, math.nan, math.inf, -5, 0, 1e300, 10**400, [], {}]
)
def test_what_is_no_time_is_unknown(value: Any) -> None:
    record = finished("a", created_at=value, started_at=value, finished_at=value, elapsed=None)
    document = as_record(parse_task("a", record, NOW))
    assert [document[key] for key in ("created_at", "started_at", "finished_at")] == [None] * 3
    assert document["elapsed"] is None


def test_elapsed_is_worked_out_when_it_is_missing() -> None:
    task = parse_task("a", finished("a", elapsed=None), NOW)
    assert task.elapsed == 9.6
    backwards = finished("a", elapsed=-3)
    assert parse_task("a", backwards, NOW).elapsed is None


def test_every_output_is_listed() -> None:
    entries = [{"image_url": "https://x/1.png", "seed": 1}, {"video_url": "https://x/2.mp4"}, None]
    task = parse_task("a", finished("a", response={"success": True, "data": entries}), NOW)
    assert task.outputs == (
        Output("https://x/1.png", "image", seed=1),
        Output("https://x/2.mp4", "video"),
    )


@given(JSON)
def test_any_record_becomes_valid_json(value: Any) -> None:
    record = {"id": "a", "response": value, "request": value, "created_at": value, "error": value}
    task = parse_task("a", record, NOW, keep_raw=True)
    line = encode_record(as_record(task, (*KEYS, RAW)))
    document = json.loads(line, parse_constant=pytest.fail)
    assert list(document) == [*KEYS, "raw"]
    assert "\n" not in line


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
