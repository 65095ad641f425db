"""A run in place of ids: its tasks are found again, with their rows and labels."""

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from flux_cli.errors import ExitCode
from flux_cli.models.submission import SubmissionState
from flux_cli.sandbox.server import Sandbox
from tests.end_to_end.test_check import StartSandbox
from tests.support.fault_server import FaultServer
from tests.support.program import Program
from tests.support.records import make_ids
from tests.support.runs import Row, plant_run


REFUSED, UNKNOWN, PLANNED = (
    SubmissionState.REFUSED,
    SubmissionState.UNKNOWN,
    SubmissionState.PLANNED,
)
MOODS = ("calm", "wild", "../sad")


def submitted(server: Sandbox, prompt: str, *, age: float = 60.0) -> str:
    """Return the id of a new task."""
    request: dict[str, Any] = {"action": "generate", "prompt": prompt, "size": "1:1"}
    return server.store.submit(request, created_at=time.time() - age).id


@pytest.fixture
def journal(flux: Program) -> Path:
    path = flux.folder / "data" / "journal.sqlite3"
    flux.environment["FLUX_JOURNAL"] = str(path)
    return path


@pytest.fixture
def ids(sandbox: StartSandbox, journal: Path) -> list[str]:
    """The tasks of the run `foxes`, of whose six prompts three have none."""
    server = sandbox()
    ids = [submitted(server, f"fox {mood}") for mood in MOODS]
    rows = [
        Row(ids[0], {"mood": MOODS[0]}),
        Row(REFUSED, {"animal": "fox"}),
        Row(ids[1], {"mood": MOODS[1]}),
        Row(UNKNOWN),
        Row(ids[2], {"mood": MOODS[2]}),
        Row(PLANNED),
    ]
    plant_run(journal, "foxes", server.base_url, rows)
    return ids


NOT_ACCEPTED = (
    "flux: run foxes: 3 of 6 prompts were not accepted"
    " (1 refused, 1 in doubt, 1 not submitted); see flux runs show foxes\n"
)


@pytest.mark.parametrize("verb", ["check", "watch", "download", "show"])
def test_the_tasks_of_a_run_have_their_rows_and_labels(
    flux: Program, ids: list[str], verb: str
) -> None:
    run = flux("tasks", verb, "--run", "foxes").expect(ExitCode.OK, stderr=NOT_ACCEPTED)
    last = {record["id"]: record for record in run.records}
    assert sorted(last) == sorted(ids)
    assert [(last[task_id]["row"], last[task_id]["label"]) for task_id in ids] == [
        (row, {"mood": mood}) for row, mood in zip((1, 3, 5), MOODS, strict=True)
    ]
    assert [list(record)[-2:] for record in run.records] == [["row", "label"]] * len(run.records)


def test_csv_has_a_column_for_each_label_of_the_run(flux: Program, ids: list[str]) -> None:
    run = flux("tasks", "check", "--run", "foxes", "-o", "csv").expect(ExitCode.OK)
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert [row["id"] for row in rows] == ids
    assert list(rows[0])[-3:] == ["row", "label.mood", "label.animal"]
    assert [row["label.mood"] for row in rows] == list(MOODS)
    chosen = flux("tasks", "check", "--run", "foxes", "-o", "csv", "--fields", "label,row")
    assert chosen.lines[:2] == ["label.mood,label.animal,row", "calm,,1"]


def test_without_a_run_the_keys_are_there_when_they_are_named(
    flux: Program, ids: list[str]
) -> None:
    plain = flux("tasks", "check", ids[0]).expect(ExitCode.OK)
    assert not {"row", "label"} & set(plain.records[0])
    named = flux("tasks", "check", ids[0], "--fields", "row,id,label").expect(ExitCode.OK)
    assert named.records == [{"row": None, "id": ids[0], "label": None}]


@pytest.mark.parametrize("verb", ["check", "watch", "download"])
def test_records_of_a_run_that_are_read_keep_rows_and_labels(
    flux: Program, ids: list[str], verb: str
) -> None:
    for first in ("check", "show"):
        lines = flux("tasks", first, "--run", "foxes", "-o", "jsonl").stdout
        run = flux("tasks", verb, stdin=lines).expect(ExitCode.OK)
        assert {record["id"]: record["label"]["mood"] for record in run.records} == dict(
            zip(ids, MOODS, strict=True)
        )


def test_a_task_that_was_still_running_when_its_record_was_written_keeps_its_labels(
    flux: Program, ids: list[str]
) -> None:
    record = flux("tasks", "check", "--run", "foxes").records[0]
    pending = record | {"state": "pending", "outputs": []}
    run = flux("tasks", "download", stdin=json.dumps(pending)).expect(ExitCode.OK)
    assert (run.records[0]["state"], run.records[0]["label"]) == ("succeeded", {"mood": "calm"})
    assert run.records[0]["id"] == ids[0]


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--run", "foxes", "an-id-1"], "--run and task ids cannot be combined"),
        (["--run", "foxes", "-f", "x"], "--run and task ids cannot be combined"),
        (["--run", "foxes", "--since", "1h"], "--run and --since cannot be combined"),
        (
            ["--run", "fox"],
            "flux: there is no run fox; did you mean foxes? To list all runs: flux runs list.\n",
        ),
        (["--run", "otter"], "flux: there is no run otter. To list all runs: flux runs list.\n"),
        (["--run", ""], "flux: there is no run . To"),
    ],
)
def test_what_names_no_run_is_refused_in_one_line(
    flux: Program, arguments: list[str], says: str
) -> None:
    for verb in ("check", "watch", "download", "show"):
        run = flux("tasks", verb, *arguments).expect(ExitCode.USAGE, stderr=says)
        assert run.stderr.count("\n") == 1


def test_without_a_journal_none_is_made(flux: Program, journal: Path) -> None:
    run = flux("tasks", "check", "--run", "foxes").expect(ExitCode.USAGE)
    assert run.stderr == (
        f"flux: there is no run foxes; nothing has been submitted yet: there is no {journal}.\n"
    )
    assert not journal.parent.exists()
    other = flux("tasks", "check", "--run", "foxes", "--journal", "other.db")
    other.expect(ExitCode.USAGE, stderr="there is no other.db")


def test_a_run_of_another_service_is_not_asked_for_here(flux: Program, ids: list[str]) -> None:
    there = flux.environment["FLUX_API_BASE_URL"]
    with FaultServer() as server:
        flux.environment["FLUX_API_BASE_URL"] = server.url
        run = flux("tasks", "check", "--run", "foxes").expect(ExitCode.USAGE)
        assert server.requests == []
        assert run.stderr == (
            f"flux: run foxes was submitted to {there}, not to {server.url}."
            f" Add --base-url {there}.\n"
        )
        again = flux("tasks", "check", "--run", "foxes", "--base-url", there, "-o", "ids")
        assert again.expect(ExitCode.OK).lines == ids


def test_a_run_without_tasks_says_why(flux: Program, sandbox: StartSandbox, journal: Path) -> None:
    server = sandbox()
    plant_run(journal, "owls", server.base_url, [Row(REFUSED), Row(UNKNOWN)])
    run = flux("tasks", "watch", "--run", "owls").expect(ExitCode.USAGE)
    assert run.stderr == (
        "flux: run owls has no tasks: 1 refused, 1 in doubt. See flux runs show owls.\n"
    )


def test_a_run_whose_tasks_were_all_accepted_needs_no_note(
    flux: Program, sandbox: StartSandbox, journal: Path
) -> None:
    server = sandbox()
    plant_run(journal, "owls", server.base_url, [Row(submitted(server, "owl"))])
    run = flux("tasks", "check", "--run", "owls").expect(ExitCode.OK)
    assert "not accepted" not in run.stderr
    assert run.records[0]["label"] == {}


def test_an_interrupted_watch_of_a_run_goes_on_by_its_name(
    flux: Program, sandbox: StartSandbox, journal: Path
) -> None:
    server = sandbox(speed=0.001)
    task_id = submitted(server, "owl", age=0)
    plant_run(journal, "owls", server.base_url, [Row(task_id), Row(make_ids(1)[0])])
    run = flux("tasks", "watch", "--run", "owls", "--timeout", "0").expect(ExitCode.TIMED_OUT)
    assert run.stderr.splitlines()[-1].endswith("tasks watch --timeout 0s --run owls")
