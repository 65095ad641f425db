"""`--fields` and `--state`: which keys are written, in which order, and of which tasks."""

import csv
import io
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from flux_cli.output.records import KEYS, RAW
from tests.support.fault_server import FaultServer, Request, Script, Step, answer, reply
from tests.support.program import Program
from tests.support.records import batch, failed, finished, running
from tests.support.terminal import Terminal


Start = Callable[[Script], FaultServer]
VERBS = ("check", "watch", "download")


@pytest.mark.parametrize("verb", VERBS)
def test_the_keys_are_those_that_were_named_in_their_order(
    flux: Program, service: Start, verb: str
) -> None:
    service(answer)
    run = flux("tasks", verb, "a1", "b1", "-o", "jsonl", "--fields", "outputs, ID,state")
    assert [list(record) for record in run.records] == 2 * [["outputs", "id", "state"]]
    assert [record["id"] for record in run.records] == ["a1", "b1"]
    run = flux("tasks", verb, "a1", "-o", "csv", "--fields", "state,id")
    assert run.lines == ["state,id", "succeeded,a1"]


@pytest.mark.parametrize("verb", VERBS)
def test_fields_and_states_that_are_given_again_add_up(
    flux: Program, service: Start, verb: str
) -> None:
    def script(request: Request) -> list[Step]:
        ends = {"a1": finished("a1"), "b1": failed("b1"), "c1": running("c1")}
        return [reply(200, batch(ends[task_id] for task_id in request.ids))]

    service(script)
    options = ("--state", "failed", "--fields", "id,state", "--state", "pending,processing")
    once = ("--timeout", "0") if verb == "watch" else ()
    run = flux("tasks", verb, "a1", "b1", "c1", *options, "--fields", "type,id", *once)
    assert [tuple(record.items()) for record in run.records] == [
        (("id", "b1"), ("state", "failed"), ("type", "images")),
        (("id", "c1"), ("state", "processing"), ("type", None)),
    ]


def test_a_field_named_twice_comes_once(flux: Program, service: Start) -> None:
    service(answer)
    run = flux("tasks", "check", "a1", "--fields", "id,state,id").expect(ExitCode.OK)
    assert run.lines == ['{"id":"a1","state":"succeeded"}']


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (("--fields", "raw,id"), ["raw", "id"]),
        (("--fields", "raw,id", "--raw"), ["raw", "id"]),
        (("--fields", "id", "--raw"), ["id", "raw"]),
    ],
)
def test_raw_is_a_field(
    flux: Program, service: Start, options: tuple[str, ...], keys: list[str]
) -> None:
    service(answer)
    (record,) = flux("tasks", "check", "a1", *options).expect(ExitCode.OK).records
    assert list(record) == keys
    assert record["raw"] == finished("a1")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("fields", ["id,colour", "id,", ""])
def test_an_unknown_field_names_those_there_are(
    flux: Program, service: Start, verb: str, fields: str
) -> None:
    server = service(answer)
    run = flux("tasks", verb, "a1", "--fields", fields).expect(ExitCode.USAGE, stderr="--fields")
    assert all(key in run.stderr for key in (*KEYS, RAW))
    assert server.requests == []


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("form", ["table", "ids", "urls"])
def test_a_format_without_records_has_no_fields(
    flux: Program, service: Start, verb: str, form: str
) -> None:
    server = service(answer)
    run = flux("tasks", verb, "a1", "-o", form, "--fields", "id").expect(ExitCode.USAGE)
    assert f"which -o {form} does not print. Add -o jsonl, -o json or -o csv" in run.stderr
    assert server.requests == []


def test_the_table_of_a_terminal_has_none_either(flux: Program, service: Start) -> None:
    server = service(answer)
    for verb in VERBS:
        screen = Terminal(flux, "tasks", verb, "a1", "--fields", "id", columns=120).end()
        assert screen.code == ExitCode.USAGE
        assert "which -o table does not print" in " ".join(screen.lines)
    assert server.requests == []


def test_saved_files_are_in_outputs_and_their_paths_in_csv(flux: Program, service: Start) -> None:
    service(answer)
    run = flux("tasks", "download", "a1", "-o", "csv", "--fields", "id,outputs")
    assert next(csv.reader(io.StringIO(run.out))) == ["id", "urls", "paths"]
