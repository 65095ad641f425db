"""The command that goes on: read by real shells and by the program itself, it means the same."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux_cli.app import make_app
from flux_cli.commands.resume_hint import resume_command
from flux_cli.config.durations import format_duration, parse_duration
from flux_cli.models.ids import flaw_in_data
from flux_cli.output.sanitize import sanitize
from flux_cli.output.shell_words import quote
from flux_cli.output.terminal import Stderr
from flux_cli.runtime import Runtime
from tests.support.records import make_ids


SHELLS = [path for path in map(shutil.which, ("dash", "bash", "zsh")) if path]
NOW = 2e9  # later than any file here


def context(runtime: Runtime, arguments: list[str]) -> typer.Context:
    """Return what `flux tasks watch` makes of its arguments."""
    command: Any = typer.main.get_command(make_app())
    parent = None
    for name, child in ((runtime.program, "tasks"), ("tasks", "watch")):
        parent = command.make_context(name, [], parent=parent, obj=runtime, resilient_parsing=True)
        command = command.commands[child]
    made: typer.Context = command.make_context("watch", [*arguments], parent=parent)
    return made


class Spoken(Stderr):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(None, {})
        self.lines_said: list[str] = []

    def line(self, text: str) -> None:
        self.lines_said.append(text)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a file goes that cannot be written here
    made = Runtime.of_process("flux")
    made.environment = {}
    made.stderr = Spoken()
    made.now = lambda: 1.8e9
    return made


def test_a_program_that_is_called_with_options_of_its_own_is_called_so_again(
    runtime: Runtime,
) -> None:
    runtime.program = "uvx --from '/my clone' flux-tasks"
    command = resume_command(context(runtime, ["an-id-1"]), ["an-id-1"], read_at=NOW)
    assert command == f"{runtime.program} tasks watch an-id-1"


def words(shell: str, line: str) -> list[str]:
    """Return the words that `shell` makes of a line."""
    script = f"set -- {line}\nfor word; do printf '%s\\0' \"$word\"; done"
    run = subprocess.run([shell, "-c", script], capture_output=True, check=True, timeout=20)
    assert run.stderr == b""
    return [os.fsdecode(word) for word in run.stdout.split(b"\0")[:-1]]


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1), st.booleans(), st.sampled_from(SHELLS))
def test_any_word_survives_the_shell_on_one_safe_line(
    given_words: list[str], ascii_only: bool, shell: str
) -> None:
    line = " ".join(quote(word, ascii_only=ascii_only) for word in given_words)
    assert sanitize(line) == line
    assert line.isascii() or not ascii_only
    expected = [w if w == w.rstrip("\n") else w.rstrip("\n") for w in given_words]
    assert words(shell, line) == expected


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("word", ["=d", "=", "==", "~", "~d", "%1", "a=~", "!x", "-"])
def test_no_word_is_expanded_for_how_it_begins(shell: str, word: str) -> None:
    assert words(shell, quote(word)) == [word]


DURATIONS = st.one_of(
    st.integers(1, 3600).map(float),
    st.integers(100, 3_600_000).map(lambda milliseconds: milliseconds / 1000),
)
OPTIONS: dict[str, st.SearchStrategy[str]] = {
    "--exec": TEXT,
    "--interval": st.integers(1, 3600).map(str),
    "--timeout": st.sampled_from(["720h", "30d", "0", "2592000s", "1.5h", "250ms", "1d", "90"]),
    "--give-up-after": st.integers(0, 86400).map(lambda seconds: f"{seconds}s"),
    "--request-timeout": DURATIONS.map(lambda seconds: f"{seconds}s"),
    "--state": st.sampled_from(["failed", "failed,succeeded", "pending,not_found"]),
    "--output": st.sampled_from(["jsonl", "csv"]),
    "--fields": st.sampled_from(["id", "state,id,outputs", "raw,elapsed"]),
    "--download": TEXT,
    "--max-size": st.sampled_from(["500kB", "1GiB", "7"]),
    "--until": st.sampled_from(["all", "any"]),
    "--concurrency": st.integers(1, 64).map(str),
}
FLAGS = (
    *("--raw", "--quiet", "--fail-fast", "--bell", "--debug"),
    *("--state=failed", "--state=pending,not_found", "--fields=id", "--fields=raw,id"),
)
IDS = st.from_regex(r"[!#$%&*+./0-9:;=?@A-Z\\^_a-z|~-]{1,40}", fullmatch=True).filter(
    lambda text: flaw_in_data(text) is None  # what is given to flux, by any way, is none of those
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.fixed_dictionaries({}, optional=OPTIONS),
    st.lists(st.sampled_from(FLAGS), max_size=6),
    st.lists(IDS, min_size=1, max_size=40, unique_by=str.lower),
    st.sampled_from(SHELLS),
)
def test_what_is_printed_is_accepted_and_means_the_same(
    runtime: Runtime, options: dict[str, str], flags: list[str], ids: list[str], shell: str
) -> None:
    for file in Path().glob("flux-open-*.txt"):  # of the examples before, all in one second
        file.unlink()
    given_words = [*(f"{name}={value}" for name, value in options.items()), *flags, "--", *ids]
    ctx = context(runtime, given_words)
    line = resume_command(ctx, ids, read_at=NOW)
    assert "\n" not in line
    flux, tasks, watch, *rest = words(shell, line)
    assert (flux, tasks, watch) == ("flux", "tasks", "watch")
    again = context(runtime, rest)
    for name, value in ctx.params.items():
        if name not in ("ids", "files"):
            expected = value.rstrip("\n") if isinstance(value, str) else value
            if isinstance(value, Path):
                expected = Path(str(value).rstrip("\n"))
            assert again.params[name] == expected, name
    assert ids_of(again) == ids


def ids_of(ctx: typer.Context) -> list[str]:
    """Return the ids that the command would watch."""
    from flux_cli.input.task_ids import gather_ids

    files, find = ctx.params["files"] or [], ctx.params["find_ids"]
    return list(gather_ids(ctx.params["ids"] or [], files, None, token=None, find=find, note=print))


MANY = make_ids(30)


def test_many_ids_come_from_the_file_that_they_came_from(runtime: Runtime) -> None:
    Path("-my ids.csv").write_text("\n".join(["task_id", *MANY]))
    ctx = context(runtime, ["--file=-my ids.csv", "-f", "-my ids.csv", "one-more-1"])
    line = resume_command(ctx, [*MANY[5:], "one-more-1"], read_at=NOW)
    rest = words(SHELLS[0], line)[3:]
    assert rest == ["--file=-my ids.csv", "--file=-my ids.csv", "one-more-1"]
    assert set(ids_of(context(runtime, rest))) >= {*MANY[5:], "one-more-1"}
    assert [path.name for path in Path().iterdir()] == ["-my ids.csv"]


def test_ids_found_in_a_text_are_found_in_it_again(runtime: Runtime) -> None:
    Path("a.log").write_text("\n".join(f"task {task_id} sent" for task_id in MANY))
    options = ["-f", "a.log", "--find-ids"]
    rest = words(SHELLS[0], resume_command(context(runtime, options), MANY, read_at=NOW))[3:]
    assert rest == ["--find-ids", "--file", "a.log"]
    ctx = context(runtime, [*options, "no-uuid-1"])
    rest = words(SHELLS[0], resume_command(ctx, ["no-uuid-1", *MANY], read_at=0.0))[3:]
    assert ids_of(context(runtime, rest)) == ["no-uuid-1", *MANY]


def test_an_id_that_is_also_a_file_is_not_an_argument(runtime: Runtime) -> None:
    Path("a1").touch()
    for task_id in ("a1", "a/1"):
        ctx = context(runtime, ["-f", "ids.txt"])
        rest = words(SHELLS[0], resume_command(ctx, [task_id], read_at=NOW))[3:]
        assert ids_of(context(runtime, rest)) == [task_id]


@pytest.mark.parametrize(
    "why", ["stdin", "a pipe", "gone", "changed", "commands", "fail fast", "until any", "arguments"]
)
def test_otherwise_a_new_file_is_written_and_announced(runtime: Runtime, why: str) -> None:
    file = Path("ids.txt")
    file.write_text("\n".join(MANY))
    options = {
        "stdin": ["-f", "-"],
        "a pipe": ["-f", "pipe"],
        "commands": ["-f", "ids.txt", "--exec", "true"],
        "fail fast": ["-f", "ids.txt", "--fail-fast"],
        "until any": ["-f", "ids.txt", "--until", "any"],
        "arguments": MANY,
    }
    if why == "a pipe":
        os.mkfifo("pipe")
    ctx = context(runtime, options.get(why, ["-f", "ids.txt"]))
    if why == "gone":
        file.unlink()
    rest = words(
        SHELLS[0], resume_command(ctx, MANY[5:], read_at=0.0 if why == "changed" else NOW)
    )[3:]
    assert ids_of(context(runtime, rest)) == MANY[5:]
    [new] = Path().glob("flux-open-*.txt")
    assert rest[-2:] == ["--file", new.name]
    assert isinstance(runtime.stderr, Spoken)
    assert runtime.stderr.lines_said == [f"flux: the ids of the 25 open tasks are in {new.name}"]
    again = words(
        SHELLS[0], resume_command(ctx, MANY[5:], read_at=0.0 if why == "changed" else NOW)
    )
    assert re.fullmatch(rf"{new.stem}-2\.txt", again[-1])  # in the same second, another one


@pytest.mark.parametrize("ids", [["#a1", "no-digit", "a;b1"], ["-a", "--help", "=1+1"]])
def test_a_new_file_holds_any_id(runtime: Runtime, ids: list[str]) -> None:
    ids = [*ids, *MANY]
    ctx = context(runtime, ["--", *ids])
    rest = words(SHELLS[0], resume_command(ctx, ids, read_at=NOW))[3:]
    assert ids_of(context(runtime, rest)) == ids


def test_a_command_too_long_for_a_line_of_stderr_is_not_cut(runtime: Runtime) -> None:
    ids = [f"{number}{'x' * 120}" for number in range(20)]
    line = resume_command(context(runtime, ["--exec", "x" * 3000, *ids]), ids, read_at=NOW)
    rest = words(SHELLS[0], line)[3:]
    assert ids_of(context(runtime, rest)) == ids
    assert rest[:2] == ["--exec", "x" * 3000]
    line = resume_command(context(runtime, ["--exec", "x" * 6000, *ids]), ids, read_at=NOW)
    assert line.endswith("-2.txt and the same options as before, too long to show here")


@pytest.mark.parametrize("count", [1, 30])
def test_a_run_is_named_again_unless_finished_tasks_would_matter(
    runtime: Runtime, count: int
) -> None:
    run = ["--run", "fox-1", "--journal", "my journal"]
    ctx = context(runtime, ["--interval", "5s", *run])
    rest = words(SHELLS[0], resume_command(ctx, MANY[:count], read_at=NOW))[3:]
    assert rest == ["--interval", "5s", *run]
    ctx = context(runtime, ["--exec", "true", *run])
    again = context(runtime, words(SHELLS[0], resume_command(ctx, MANY[:count], read_at=NOW))[3:])
    assert ids_of(again) == MANY[:count]
    assert again.params["run"] is None


def test_ids_stand_in_place_of_the_time_that_they_were_listed_since(runtime: Runtime) -> None:
    ctx = context(runtime, ["--since", "2h", "--interval", "5s"])
    rest = words(SHELLS[0], resume_command(ctx, MANY[:2], read_at=NOW))[3:]
    assert rest == ["--interval", "5s", *MANY[:2]]


@given(st.floats(0.001, 30 * 86400).map(lambda seconds: round(seconds, 3)))
def test_a_duration_reads_as_it_is_spelled(seconds: float) -> None:
    assert parse_duration(format_duration(seconds), most=31 * 86400) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "spelled"),
    [(2592000, "720h"), (86400, "24h"), (5400, "90m"), (90, "90s"), (0.25, "0.25s"), (0, "0s")],
)
def test_spellings_of_durations(seconds: float, spelled: str) -> None:
    assert format_duration(seconds) == spelled
