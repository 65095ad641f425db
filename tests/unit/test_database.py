"""One SQLite file: its migrations, its transactions, and what it says when it cannot be used."""

import contextlib
import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux_cli.errors import JournalError
from flux_cli.storage.database import Database
from tests.support.rights import restrained


OURS = 0x1234
FIRST = "CREATE TABLE words (word TEXT NOT NULL) STRICT"
SECOND = "ALTER TABLE words ADD COLUMN length INTEGER; UPDATE words SET length = length(word)"
BROKEN = "CREATE TABLE others (number INTEGER); CREATE TABLE words (word TEXT)"


@contextlib.contextmanager
def opened(path: Path, *migrations: str, patience: float = 60.0) -> Iterator[Database]:
    """Open the database as this version of a program, which knows these migrations."""
    database = Database(
        path, application=OURS, migrations=migrations or (FIRST,), patience=patience
    )
    try:
        yield database
    finally:
        database.close()


def add(database: Database, word: str) -> None:
    with database.write() as execute:
        execute("INSERT INTO words (word) VALUES (?)", [word])


def words(path: Path) -> list[str]:
    """Return what any other program finds in the file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words ORDER BY rowid")]


def refused(path: Path, *migrations: str) -> str:
    """Return why the file cannot be used; it is as it was, and nothing is left beside it."""
    folder = path.parent
    before = {p: p.read_bytes() for p in folder.iterdir() if p.is_file()} if folder.is_dir() else {}
    with pytest.raises(JournalError) as caught, opened(path, *migrations, patience=0.0):
        pass
    message = caught.value.message
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert "--journal" in caught.value.hint
    if folder.is_dir():
        assert {p: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before
    return message.removeprefix(f"{path}: ").removeprefix(
        "the journal of submissions cannot be used: "
    )


def foreign(path: Path, *statements: str) -> None:
    """Make a file of another program."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_what_is_written_is_there_for_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "journal"
    with opened(path) as database:
        add(database, "one")
        assert words(path) == ["one"]
        with database.read() as execute:
            assert execute("SELECT count(*) FROM words").fetchone() == (1,)
    with opened(path) as database:
        add(database, "two")
    assert words(path) == ["one", "two"]


def test_it_is_on_the_disk_before_anything_else_happens(tmp_path: Path) -> None:
    """A commit waits for the disk (2: FULL); a loss of power takes nothing back."""
    with opened(tmp_path / "journal") as database, database.read() as execute:
        assert execute("PRAGMA synchronous").fetchone() == (2,)
        assert execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert execute("PRAGMA foreign_keys").fetchone() == (1,)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with opened(tmp_path / "data" / "journal") as database:
            add(database, "one")
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode)
                for path in (tmp_path / "data").iterdir()
            }
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("journal", "journal-wal", "journal-shm"), 0o600)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "error", [RuntimeError, KeyboardInterrupt, ValueError, sqlite3.IntegrityError]
)
def test_a_transaction_that_fails_has_changed_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "journal"
    with opened(path) as database:
        expected = JournalError if error in (ValueError, sqlite3.IntegrityError) else error

        def fail() -> None:
            with database.write() as execute:
                execute("INSERT INTO words VALUES ('half')")
                raise error

        with pytest.raises(expected):
            fail()
        add(database, "after")
    assert words(path) == ["after"]


def test_a_trial_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "journal") as database:
        with database.write(is_trial=True) as execute:
            execute("INSERT INTO words VALUES ('trial')")
        add(database, "after")
    assert words(tmp_path / "journal") == ["after"]


def test_closing_twice_does_no_harm_and_a_closed_one_says_so(tmp_path: Path) -> None:
    with opened(tmp_path / "journal") as database:
        database.close()
        with pytest.raises(JournalError, match="closed"), database.write():
            pass


def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as database:
        add(database, "three")
    with opened(path, FIRST, SECOND) as database, database.read() as execute:
        assert execute("SELECT word, length FROM words").fetchall() == [("three", 5)]
        assert execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as database:
        add(database, "one")
    assert refused(path, FIRST, SECOND, BROKEN) == "table words already exists"
    with opened(path) as database, database.read() as execute:
        tables = execute("SELECT name FROM sqlite_schema").fetchall()
        assert (tables, execute("SELECT * FROM words").fetchall()) == ([("words",)], [("one",)])


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.touch()
    with opened(path) as database:
        add(database, "one")
    assert words(path) == ["one"]


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path, FIRST, SECOND):
        pass
    assert refused(path, FIRST) == "this journal was written by a newer flux"


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE bookmarks (url TEXT)",),
        ("CREATE TABLE bookmarks (url TEXT)", "PRAGMA user_version = 1"),
        ("CREATE TABLE bookmarks (url TEXT)", "PRAGMA application_id = 77"),
        ("PRAGMA application_id = 77",),
        ("CREATE TABLE runs (number INTEGER)", "PRAGMA user_version = 99"),
        ("PRAGMA journal_mode = WAL", "CREATE TABLE bookmarks (url TEXT)"),
        ("CREATE VIEW one AS SELECT 1",),
    ],
)
def test_the_file_of_another_program_is_left_alone(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    foreign(tmp_path / "places.sqlite", *statements)
    assert refused(tmp_path / "places.sqlite") == "this is not a journal of flux"


@pytest.mark.parametrize(
    "content",
    [b"prompt,size\na fox,1:1\n", b"x" * 99, b"\0" * 4096, b"SQLite format 3\0", b"\n\n"],
)
def test_what_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "prompts.csv").write_bytes(content)
    assert refused(tmp_path / "prompts.csv") == "it is not a SQLite file, or is damaged"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as database, database.write() as execute:
        execute("INSERT INTO words VALUES (?)", ["word" * 5000])
    data = path.read_bytes()
    path.write_bytes(data[:100] + os.urandom(len(data) - 100))
    with pytest.raises(JournalError, match="damaged"), opened(path) as database:
        add(database, "one")


def test_a_folder_and_what_is_in_no_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    assert refused(tmp_path / "folder") == "is a directory"
    assert refused(tmp_path / "file" / "journal") == "its folder is a file"
    assert refused(tmp_path / "file" / "below" / "journal") == "not a directory"
    assert refused(tmp_path / ("long" * 100)) == "file name too long"


@pytest.mark.parametrize("name", [":memory:", "file:journal?mode=memory", "file::memory:"])
def test_no_name_means_that_nothing_is_kept(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has names that are not those of files."""
    monkeypatch.chdir(tmp_path)
    with opened(Path(name)) as database:
        add(database, "one")
    with opened(Path(name)) as database, database.read() as execute:
        assert execute("SELECT word FROM words").fetchall() == [("one",)]


def test_a_device_keeps_nothing_and_is_refused() -> None:
    with pytest.raises(JournalError), opened(Path("/dev/null")):
        pass


@pytest.mark.parametrize(
    ("place", "mode", "reason"),
    [
        ("journal", 0o400, "it is read-only"),
        ("journal", 0o000, "it cannot be opened"),
        (".", 0o500, "its folder is read-only"),
        (".", 0o000, "permission denied"),
    ],
)
def test_without_the_right_to_write_nothing_is_done(
    tmp_path: Path, place: str, mode: int, reason: str
) -> None:
    path = tmp_path / "data" / "journal"
    with opened(path) as database:
        add(database, "one")
    (path.parent / place).chmod(mode)
    try:
        run = subprocess.run(
            [sys.executable, "-c", FILL, str(path), "1000000"],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=restrained,
        )
    finally:
        path.parent.chmod(0o700)
        path.chmod(0o600)
    assert run.stdout == f"0\n{path}: the journal of submissions cannot be used: {reason}\n"
    assert words(path) == ["one"]


def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path: Path) -> None:
    """The file may not grow, as on a full disk: before, in, and after the first transaction."""
    path = tmp_path / "journal"
    for size in (0, 4096, 20_000, 60_000, 120_000):
        path.unlink(missing_ok=True)
        run = subprocess.run(
            [sys.executable, "-c", FILL, str(path), str(size)],
            capture_output=True,
            text=True,
            check=False,
        )
        kept, failed = run.stdout.splitlines()
        assert run.returncode == 0, run.stderr
        assert "the journal of submissions cannot be used: " in failed
        is_there = path.exists() and path.stat().st_size
        assert (len(words(path)) if is_there or int(kept) else 0) == int(kept)


FILL = f"""
import resource, sys
from pathlib import Path
from flux_cli.errors import JournalError
from flux_cli.storage.database import Database

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
kept = 0
try:
    database = Database(Path(sys.argv[1]), application={OURS}, migrations=[{FIRST!r}])
    while True:
        with database.write() as execute:
            execute("INSERT INTO words VALUES ('a word that takes some space')")
        kept += 1
except JournalError as error:
    print(kept, error.message, sep="\\n")
"""  # noqa: S608 - no statement is made of what is not written here


def test_a_lock_of_another_program_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO words VALUES ('other')")
        with opened(tmp_path / "copy"):
            pass
        with pytest.raises(JournalError, match="another program has locked it"):
            Database(path, application=OURS, migrations=(FIRST,), patience=0.05)
        done = threading.Event()

        def wait() -> None:
            with opened(path) as database:
                add(database, "ours")
            done.set()

        threading.Thread(target=wait, daemon=True).start()
        assert not done.wait(0.1)
        other.execute("COMMIT")
        assert done.wait(60)
    assert words(path) == ["other", "ours"]


def test_threads_write_one_after_the_other(tmp_path: Path) -> None:
    with opened(tmp_path / "journal") as database:

        def count() -> None:
            for _ in range(20):
                with database.write() as execute:
                    (number,) = execute("SELECT count(*) FROM words").fetchone()
                    execute("INSERT INTO words VALUES (?)", [str(number)])

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert words(tmp_path / "journal") == [str(number) for number in range(80)]


def test_a_new_file_may_be_opened_by_several_threads_at_once(tmp_path: Path) -> None:
    """SQLite does not wait for the others where it changes how changes are written."""
    failures: list[JournalError] = []

    def write(path: Path, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            with opened(path) as database:
                add(database, "one")
        except JournalError as error:
            failures.append(error)

    for number in range(100):
        path, barrier = tmp_path / str(number), threading.Barrier(4)
        threads = [threading.Thread(target=write, args=(path, barrier)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert words(path) == ["one"] * 4


def test_a_new_file_may_be_opened_by_several_processes_at_once(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", COUNT], cwd=folder, env=environment, stderr=subprocess.PIPE
            )
            for _ in range(6)
        ]
        for run in runs:
            _, said = run.communicate()
            assert run.returncode == 0, said.decode()
        assert words(folder / "journal") == [str(number) for number in range(30)]


COUNT = f"""
from pathlib import Path
from flux_cli.storage.database import Database

database = Database(Path("journal"), application={OURS}, migrations=[{FIRST!r}], patience=60.0)
for _ in range(5):
    with database.write() as execute:
        (number,) = execute("SELECT count(*) FROM words").fetchone()
        execute("INSERT INTO words VALUES (?)", [str(number)])
database.close()
"""  # noqa: S608 - no statement is made of what is not written here


def test_a_second_one_in_this_process_takes_no_lock_away(tmp_path: Path) -> None:
    """A system forgets a process's locks on a file when it closes the file, however it was opened.

    Then another process, which believes to be the last that has it open, removes the log that
    this one goes on to write to.
    """
    path = tmp_path / "journal"
    other = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM words')"
    )
    with opened(path) as database:
        add(database, "one")
        with opened(path):
            pass
        subprocess.run([sys.executable, "-c", f"{other}; c.close()", str(path)], check=True)
        add(database, "two")
        assert words(path) == ["one", "two"]


def test_what_the_system_says_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "mkdir", fail)
    assert refused(tmp_path / "journal") == "input/output error"
