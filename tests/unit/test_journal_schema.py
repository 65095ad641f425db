"""The tables hold what the code relies on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from flux_cli.storage.journal_schema import APPLICATION, MIGRATIONS


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for migration in MIGRATIONS:
            for statement in migration.split(";"):
                connection.execute(statement)
        connection.execute("INSERT INTO runs VALUES (1, 'a', 0, 'https://api.example', 1.0)")
        add(connection, 1)
        yield connection


def add(tables: sqlite3.Connection, number: int, state: str = "planned", **more: object) -> None:
    values = {"number": number, "key": "k", "path": "/flux/images", "body": "{}", "retry_of": ""}
    values |= {"state": state, **more}
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    tables.execute(f"INSERT INTO submissions ({names}) VALUES ({marks})", [*values.values()])  # noqa: S608


def test_the_mark_of_the_file_is_readable() -> None:
    assert APPLICATION.to_bytes(4, "big") == b"FLUX"


@pytest.mark.parametrize(
    ("state", "task_id"), [("accepted", None), ("planned", "t"), ("lost", None), ("unknown", "t")]
)
def test_only_what_is_accepted_has_a_task(
    tables: sqlite3.Connection, state: str, task_id: str | None
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        add(tables, 2, state, task_id=task_id)
    add(tables, 2, "accepted", task_id="t")


def test_no_task_is_that_of_two_rows(tables: sqlite3.Connection) -> None:
    add(tables, 2, "accepted", task_id="t")
    with pytest.raises(sqlite3.IntegrityError):
        add(tables, 3, "accepted", task_id="t")


def test_a_row_is_in_a_run_once_and_a_place_has_one_row(tables: sqlite3.Connection) -> None:
    add(tables, 2)
    tables.execute("INSERT INTO entries VALUES (1, 1, 1, '{}')")
    for entry in ((1, 2, 1), (1, 1, 2), (9, 1, 1), (1, 3, 9)):
        with pytest.raises(sqlite3.IntegrityError):
            tables.execute("INSERT INTO entries VALUES (?, ?, ?, '{}')", entry)


def test_names_are_those_of_one_run_and_numbers_are_never_used_again(
    tables: sqlite3.Connection,
) -> None:
    """The number of a run is in the name of its lock, and in rows that it has sent."""
    with pytest.raises(sqlite3.IntegrityError):
        tables.execute("INSERT INTO runs VALUES (2, 'a', 0, 'https://api.example', 1.0)")
    tables.execute("DELETE FROM runs")
    cursor = tables.execute(
        "INSERT INTO runs (name, is_named, base_url, created_at)"
        " VALUES ('b', 0, 'https://api.example', 1.0)"
    )
    assert cursor.lastrowid == 2


def test_what_is_gone_leaves_no_entries(tables: sqlite3.Connection) -> None:
    tables.execute("INSERT INTO entries VALUES (1, 1, 1, '{}')")
    tables.execute("DELETE FROM runs")
    assert tables.execute("SELECT count(*) FROM entries").fetchone() == (0,)
