"""`--fields`: which keys of a record are written, and in which order."""

import csv
import io
from collections.abc import Callable

import pytest

from flux_cli.errors import ExitCode
from flux_cli.output.records import KEYS, RAW
from tests.support.fault_server import FaultServer, Script, answer
from tests.support.program import Program
from tests.support.records import finished
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
