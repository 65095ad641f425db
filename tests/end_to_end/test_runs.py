"""A run in place of ids: its tasks are found again, with their rows and labels."""

import csv
import io
import json
import re
import shlex
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flux_cli.errors import ExitCode
from flux_cli.models.submission import PlannedRequest, SubmissionState
from flux_cli.output.schema import record_schema
from flux_cli.sandbox.server import Sandbox
from flux_cli.storage.journal import Journal
from tests.end_to_end.test_check import StartSandbox
from tests.support.fault_server import FaultServer
from tests.support.program import Program
from tests.support.records import make_ids
from tests.support.runs import Row, plant_run
from tests.support.terminal import Terminal


ACCEPTED, REFUSED, UNKNOWN, PLANNED = (
    SubmissionState.ACCEPTED,
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
    plant_run(flux.folder / "my runs.db", "otters", "https://x.example", [Row(REFUSED)])
    for words in (("tasks", "check", "--run", "otter"), ("runs", "show", "otter")):
        run = flux(*words, "--journal", "my runs.db").expect(ExitCode.USAGE)
        assert run.stderr.endswith("To list all runs: flux runs list --journal 'my runs.db'.\n")
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


RUNS = ("runs", "list")


@pytest.fixture
def two_runs(ids: list[str], flux: Program, journal: Path) -> list[str]:
    """Beside `foxes` an older run, `otters`, all of whose prompts were accepted."""
    base_url = flux.environment["FLUX_API_BASE_URL"]
    plant_run(journal, "otters", base_url, [Row("an-id-1")], at=time.time() - 7300)
    return ids


@pytest.mark.usefixtures("two_runs")
def test_runs_are_listed_newest_first(flux: Program) -> None:
    base_url = flux.environment["FLUX_API_BASE_URL"]
    run = flux(*RUNS).expect(ExitCode.OK)
    assert run.stderr == ""
    otters, foxes = run.records
    assert otters.pop("created_at").endswith("Z")
    assert otters == {
        "name": "otters",
        "base_url": base_url,
        "prompts": 1,
        "accepted": 1,
        "refused": 0,
        "in_doubt": 0,
        "not_submitted": 0,
    }
    counts = [foxes[key] for key in ("prompts", "accepted", "refused", "in_doubt", "not_submitted")]
    assert counts == [6, 3, 1, 1, 1]
    names = [record["name"] for record in json.loads(flux(*RUNS, "-o", "json").stdout)]
    assert names == ["otters", "foxes"]


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize("columns", [120, 40])
def test_runs_are_a_table_on_a_terminal_that_a_narrow_one_has_room_for(
    flux: Program, columns: int
) -> None:
    lines = Terminal(flux, *RUNS, columns=columns).end().lines
    words = " ".join(" ".join(lines).split())
    if columns == 120:
        assert lines[0].split() == ["NAME", "CREATED", "PROMPTS", "STATE"]
        assert lines[1].split() == ["otters", "2h", "ago", "1", "1", "accepted"]
    else:
        assert "otters 2h ago, 1 prompt: 1 accepted foxes" in words
    assert "3 accepted, 1 refused, 1 in doubt, 1 not submitted" in words


def test_without_a_journal_there_are_no_runs(flux: Program, journal: Path) -> None:
    run = flux(*RUNS).expect(ExitCode.OK)
    assert run.stdout == b""
    assert run.stderr == f"flux: nothing has been submitted yet: there is no {journal}.\n"
    for verb in ("show", "rm"):
        run = flux("runs", verb, "foxes").expect(ExitCode.USAGE)
        assert run.stderr.startswith("flux: there is no run foxes; nothing has been submitted yet")
    assert not journal.parent.exists()
    assert flux(*RUNS, "-o", "json").stdout == b"[]\n"


def test_what_is_no_journal_is_named(flux: Program, journal: Path) -> None:
    journal.parent.mkdir()
    journal.write_text("task_id\n" * 200)
    for words in (RUNS, ("runs", "show", "x"), ("tasks", "check", "--run", "x")):
        run = flux(*words).expect(ExitCode.OUTPUT, stderr=str(journal))
        assert run.stderr.count("\n") == 1
    assert journal.read_text() == "task_id\n" * 200


def test_a_run_is_shown_row_by_row_as_the_journal_has_it(flux: Program, ids: list[str]) -> None:
    run = flux("runs", "show", "foxes").expect(ExitCode.OK)
    states = ["pending", "failed", "pending", "unknown", "pending", "unknown"]
    assert [record["state"] for record in run.records] == states
    assert [record["id"] for record in run.records] == [ids[0], None, ids[1], None, ids[2], None]
    assert [record["row"] for record in run.records] == [1, 2, 3, 4, 5, 6]
    assert run.records[1]["error"] == {"code": "forbidden", "message": "not allowed"}
    assert run.records[3]["error"]["code"] == "reply_cut"
    assert run.records[5]["error"]["code"] == "not_sent"
    assert run.records[0]["created_at"] is not None
    for record in run.records:
        jsonschema.validate(record, record_schema())
    summary = "3 accepted, 1 refused, 1 in doubt, 1 not submitted\n"
    assert summary in run.stderr
    assert "forbidden: not allowed" in run.stderr
    assert "repeat the command that submitted it: nothing is submitted twice" in run.stderr
    assert "flux tasks check --run foxes" in run.stderr
    assert flux("runs", "show", "foxes", "-o", "ids", "-q").lines == ids
    chosen = flux("runs", "show", "foxes", "--state", "failed", "--fields", "row,label")
    assert chosen.records == [{"row": 2, "label": {"animal": "fox"}}]
    raw = flux("runs", "show", "foxes", "--raw").expect(ExitCode.USAGE)
    assert "the journal, which has no records of the service" in raw.stderr


def test_rows_without_an_id_are_a_table_on_a_terminal(flux: Program, ids: list[str]) -> None:
    lines = Terminal(flux, "runs", "show", "foxes", columns=120).end().lines
    assert [line.split()[2] for line in lines[1:3]] == [ids[0], "-"]
    assert "forbidden: not allowed" in lines[2]


def test_records_of_a_run_with_rows_in_doubt_are_read_as_ids(flux: Program, ids: list[str]) -> None:
    lines = flux("runs", "show", "foxes").stdout
    run = flux("tasks", "check", "-o", "ids", stdin=lines).expect(ExitCode.OK)
    assert run.lines == ids
    assert "skipped 3 records without a task id" in run.stderr
    none = flux("runs", "show", "foxes", "--state", "unknown").stdout
    run = flux("tasks", "check", stdin=none).expect(ExitCode.USAGE)
    assert "stdin:1: this record has no task id: reply_cut: the reply was cut" in run.stderr


def test_a_run_is_removed_and_nothing_on_the_service(
    flux: Program, two_runs: list[str], journal: Path
) -> None:
    run = flux("runs", "rm", "otters").expect(ExitCode.OK)
    assert run.stderr == (
        "flux: removed run otters (1 prompt) from the journal. Nothing on the service was"
        " deleted; submitting the same prompts again is paid for again.\n"
    )
    assert [record["name"] for record in flux(*RUNS).records] == ["foxes"]
    refused = flux("runs", "rm", "foxes").expect(ExitCode.USAGE)
    assert refused.stderr == (
        "flux: run foxes is not finished: 1 in doubt, 1 not submitted. To remove it all the"
        " same, add --yes.\n"
    )
    with Journal(journal, now=time.time) as opened:
        foxes = opened.run_named("foxes")
        assert foxes is not None
        with opened.locked(foxes, wait=lambda _: None):
            busy = flux.outside("runs", "rm", "foxes", "--yes").expect(ExitCode.USAGE)
    assert busy.stderr.startswith("flux: another flux is working on run foxes.")
    assert len(flux(*RUNS).records) == 1
    flux("runs", "rm", "foxes", "--yes").expect(ExitCode.OK, stderr="removed run foxes (6 prompts)")
    assert flux(*RUNS).stderr == f"flux: there are no runs in {journal}.\n"
    assert set(flux("tasks", "check", *two_runs).states.values()) == {"succeeded"}


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_a_person_is_asked_before_a_run_that_is_not_finished_is_removed(
    flux: Program, answer: str
) -> None:
    terminal = Terminal(flux, "runs", "rm", "foxes", columns=120)
    terminal.expect("1 not submitted. Remove it? [y/N]")
    terminal.type(f"{answer}\r")
    screen = terminal.end()
    assert screen.code == (ExitCode.OK if answer == "y" else ExitCode.USAGE)
    assert ("removed run foxes" in screen.sent) == (answer == "y")
    assert len(flux(*RUNS).records) == (answer != "y")


LOCAL = ("tasks", "list", "--local")
HOUR = 3600.0


def test_the_tasks_in_the_journal_are_listed_newest_first_without_a_request(
    flux: Program, journal: Path
) -> None:
    with FaultServer() as server:
        flux.environment["FLUX_API_BASE_URL"] = server.url
        now = time.time()
        plant_run(journal, "old", server.url, [Row("a1"), Row(REFUSED)], at=now - 30 * HOUR)
        video = Row("v1", {"mood": "calm"}, path="/flux/videos")
        plant_run(journal, "new", server.url, [video, Row(UNKNOWN)], at=now - HOUR)
        plant_run(journal, "ancient", server.url, [Row("z1")], at=now - 300 * HOUR)
        plant_run(journal, "elsewhere", "https://other.example", [Row("o1")], at=now)
        run = flux(*LOCAL, FLUX_API_TOKEN="").expect(ExitCode.OK, stderr="2 tasks: 2 pending")
        assert server.requests == []
    assert [record["id"] for record in run.records] == ["v1", "a1"]
    assert [record["label"] for record in run.records] == [{"mood": "calm"}, {}]
    assert [record["type"] for record in run.records] == ["videos", "images"]
    assert run.states == {"v1": "pending", "a1": "pending"}
    for options, expected in (
        (["--since", "2h"], ["v1"]),
        (["--until", "2h"], ["a1"]),
        (["--type", "images"], ["a1"]),
        (["--limit", "1"], ["v1"]),
        (["--since", "60d", "--all"], ["v1", "a1", "z1"]),
        (["--base-url", "https://other.example"], ["o1"]),
    ):
        assert flux(*LOCAL, *options, "-o", "ids").lines == expected
    lines = flux(*LOCAL, "-o", "csv").lines
    assert lines[0].endswith(",row,label.mood")
    none = flux(*LOCAL, "--since", "10s").expect(ExitCode.OK)
    assert f"flux: {journal} has no tasks submitted to {server.url} since" in none.stderr


def test_a_task_that_two_runs_have_is_listed_once(flux: Program, journal: Path) -> None:
    base_url = "https://other.example"
    first, *_ = plant_run(journal, "one", base_url, [Row(f"a{number}") for number in range(4)])
    requests = [PlannedRequest("/flux/images", {"prompt": f"new {n}"}) for n in range(4)]
    requests.append(PlannedRequest(first.path, first.body))
    with Journal(journal, now=time.time) as opened:
        opened.open_run(requests, base_url=base_url, name=None, suggestion="two")
        assert [run.by_state.get(ACCEPTED) for run in opened.runs()] == [1, 4]
    listed = flux(*LOCAL, "--base-url", base_url, "-o", "ids").expect(ExitCode.OK)
    assert sorted(listed.lines) == ["a0", "a1", "a2", "a3"]


def test_nothing_local_is_said_and_made(flux: Program, journal: Path) -> None:
    run = flux(*LOCAL).expect(ExitCode.OK)
    assert run.stdout == b""
    assert run.stderr == f"flux: nothing has been submitted yet: there is no {journal}.\n"
    assert not journal.parent.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--raw"], "--raw"),
        (["--fields", "id,raw"], "the field raw"),
        (["--state", "failed"], "--state only applies when the service is asked"),
        (["--retries", "1"], "--retries only applies when the service is asked"),
        (["--request-timeout", "5s"], "--request-timeout only applies when the service is asked"),
        (["--debug"], "--debug only applies when the service is asked"),
    ],
)
def test_what_means_nothing_without_the_service_is_refused(
    flux: Program, options: list[str], says: str
) -> None:
    run = flux(*LOCAL, *options).expect(ExitCode.USAGE, stderr=says)
    assert run.stderr.count("\n") == 1
    other = flux("tasks", "list", "--journal", "x").expect(ExitCode.USAGE)
    assert other.stderr == "flux: --journal only applies with --local.\n"


PROMPTS = "prompt,mood,no\na red fox,calm,1\nforbidden,wild,2\na blue owl,../sad,3\n"


@pytest.mark.parametrize("options", [[], ["--watch", "--timeout", "0"]])
def test_what_a_submission_says_to_type_next_names_its_journal(
    flux: Program, sandbox: StartSandbox, options: list[str]
) -> None:
    sandbox(speed=0.001)
    run = flux("images", "generate", "a fox", "--journal", "my runs.db", *options)
    line = run.stderr.splitlines()[-1]
    assert line.endswith("flux tasks watch --run a-fox --journal 'my runs.db'")
    watch = shlex.split(line[line.index("tasks watch") :])
    again = flux(*watch, "--timeout", "0").expect(ExitCode.TIMED_OUT)
    assert again.records[0]["row"] == 1


def test_labels_go_from_the_prompts_to_the_names_of_files_and_the_gallery(
    flux: Program, sandbox: StartSandbox, journal: Path
) -> None:
    sandbox()
    (flux.folder / "prompts.csv").write_text(PROMPTS)
    submit = ("images", "generate", "-f", "prompts.csv", "--rate", "100/s")
    run = flux(*submit).expect(ExitCode.TASK_FAILED)
    assert [(record["row"], record["label"]["mood"]) for record in run.records] == [
        (1, "calm"),
        (2, "wild"),
        (3, "../sad"),
    ]
    assert run.records[1]["id"] is None
    ids = flux(*submit, "-o", "ids").lines
    assert ids == [run.records[0]["id"], run.records[2]["id"]]
    csv_lines = flux(*submit, "-o", "csv").lines
    assert csv_lines[0].endswith(",row,label.mood,label.no")
    files = ("--name", "{label:mood}/{row:02}_{label:no}.{ext}", "--contact-sheet", "--sidecar")
    piped = flux("tasks", "watch", "--download", "piped", *files, stdin=run.stdout)
    piped.expect(ExitCode.OK, stderr="skipped 1 record without a task id (forbidden: ")
    flux("tasks", "download", "--run", "prompts", "-d", "named", *files).expect(ExitCode.OK)
    flux(*submit, "--download", "submitted", *files).expect(ExitCode.TASK_FAILED)
    for folder in ("piped", "named", "submitted"):
        root = flux.folder / folder
        names = (str(path.relative_to(root)) for path in root.glob("*/*"))
        stems = sorted(re.sub("_[a-z2-7]{12}", "", name) for name in names)
        assert stems == ["calm/01_1.json", "calm/01_1.png", "sad/03_3.json", "sad/03_3.png"]
        page = (flux.folder / folder / "index.html").read_text()
        assert '<p class="facts">mood: calm · no: 1</p>' in page
        sidecar = json.loads(next((flux.folder / folder / "calm").glob("*.json")).read_text())
        assert (sidecar["row"], sidecar["label"]) == (1, {"mood": "calm", "no": "1"})
    assert journal.exists()
