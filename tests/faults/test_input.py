"""What people and scripts hand in, and the streams that they connect."""

import json
import os
import shlex
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.faults.rows import CHECK, COMMANDS, IDS, WATCH, check_stderr
from tests.support.fault_server import Request, Step, answer, reply
from tests.support.needs import need
from tests.support.peak import peak_memory
from tests.support.program import CANARY, FLUX, Program, Run, decode
from tests.support.records import batch, error_body, finished, make_ids
from tests.support.terminal import Terminal


BOTH = pytest.mark.parametrize("command", [CHECK, WATCH], ids=["check", "watch"])


def refused(run: Run, *parts: str) -> None:
    """Assert wrong usage: one line that says all of `parts`, and nothing on stdout."""
    run.expect(ExitCode.USAGE)
    check_stderr(run)
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("flux: ")]
    for part in parts:
        assert part in line
    assert run.stdout == b""


FILES = {
    "missing": ("missing.txt", "cannot be read: No such file or directory"),
    "a folder": (".", "cannot be read: Is a directory"),
    "unreadable": ("/proc/self/mem", "cannot be read: Input/output error"),
    "a socket": ("socket", "cannot be read: "),
    "binary": ("binary", "this is a binary file"),
    "a picture": ("picture.png", "this is not valid UTF-8"),
    "latin-1": ("latin.txt", "this is not valid UTF-8"),
    "cut UTF-16": ("cut16.txt", "this is not valid UTF-16"),
    "empty": ("empty.txt", "no task ids found"),
    "comments only": ("comments.txt", "no task ids found"),
    "broken JSON": ("broken.json", "broken.json:2: invalid JSON: "),
    "JSON without ids": ("other.json", 'this object has no "task_id" or "id"'),
    "JSON of fractions": ("numbers.json", "this is neither a task id nor an object with one"),
    "JSON with a list for an id": ("number.json", "this id is neither a string nor an"),
    "JSON nested too deep": ("deep.json", "the nesting too deep"),
    "an error reply": ("error.json", "this is an error reply, not a task: used_up: no"),
    "CSV with an empty id": ("hole.csv", "hole.csv:3: this row has no task id"),
}


@pytest.fixture
def files(flux: Program) -> Iterator[None]:
    """Put one of each kind of useless file into the current folder."""
    contents: dict[str, bytes] = {
        "binary": b"PK\x03\x04\0\0",
        "picture.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        "latin.txt": "é".encode("latin-1"),
        "cut16.txt": "a-b".encode("utf-16")[:-1],
        "empty.txt": b"",
        "comments.txt": b"# nothing\n  # at all\n",
        "broken.json": b'{"id": "a"}\n{"id": "b"',
        "other.json": b'{"name": "x"}',
        "numbers.json": b"[1.5]",
        "number.json": b'{"id": [7]}',
        "deep.json": b"[" * 100_000,
        "error.json": error_body("used_up"),
        "hole.csv": b"task_id,prompt\na,x\n,y\n",
    }
    for name, content in contents.items():
        (flux.folder / name).write_bytes(content)
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(flux.folder)  # a socket's path must be short
        listener.bind("socket")
        os.chdir(here)
        yield


@pytest.mark.usefixtures("files")
@BOTH
@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_use(
    flux: Program, service: Start, command: tuple[str, ...], what: str
) -> None:
    server = service(answer)
    name, reason = FILES[what]
    others = () if "no task ids" in reason else ("good-id",)
    refused(flux(*command, *others, "-f", name), f"flux: {name}", reason)
    assert server.requests == []


U, V = make_ids(2)
NOT_IDS = {  # what is there instead of ids, what it is taken for, and how many UUIDs are in it
    "prose": ("Dear all,\nthe fox is done: see below.", "prose", 0),
    "a heading and prose": ("ID a red fox\n", "prose", 0),
    "Markdown": (f"| id | state |\n|---|---|\n| {U} | done |\n", "a drawn table", 1),
    "psql": (f" id | n \n----+---\n {U} | 1\n {V} | 2\n(2 rows)\n", "a drawn table", 2),
    "MySQL": (f"+----+\n| id |\n+----+\n| {U} |\n+----+\n", '"+----+" is not a task id', 1),
    "labels": (f"Task ID: {U}\nTask ID: {V}\nTask ID: {U}", "text with labels", 2),
    "bullets": (f"- {U}\n- {V}\n", "a bulleted or numbered list", 2),
    "numbers": (f"1. {U}\n2. {V}\n", "a bulleted or numbered list", 2),
    "line numbers": (f"     1\t{U}\n     2\t{V}\n", "CSV without task_id or id", 2),
    "no column": ("name,prompt\nred,a red fox 2\n", "CSV without task_id or id", 0),
    "no column, in quotes": ('"name","prompt"\n"1","2"\n', "CSV without task_id or id", 0),
    "no header": (f"{U},2026-11-20\n{V},2026-11-21\n", "CSV without task_id or id", 2),
    "a web page": (f"<p>1 task {U}</p>", "HTML", 1),
    "links": (f"https://cdn.example/{U}.png\n", "it is a URL", 1),
    "file names": (f"{U}.png\n{V}.png\n", "it contains more than a UUID", 2),
    "settings": (f"TASK={U}\n", "it contains more than a UUID", 1),
    "a log": (f"10:00:01 task {U} done 9\n", "is not a task id: it has no digit", 1),
    "a log in brackets": (f"[10:00:01] task {U}\n", "prose", 1),
    "other JSON": (f'{{"job": "{U}"}}', 'this object has no "task_id" or "id"', 1),
}


@pytest.mark.parametrize("what", NOT_IDS)
def test_what_is_no_list_of_ids_is_named_and_never_sent(
    flux: Program, service: Start, what: str
) -> None:
    server = service(answer)
    text, taken_for, count = NOT_IDS[what]
    (flux.folder / "notes").write_text(text)
    offer = {0: "", 1: "1 UUID found: use --find-ids", 2: "2 UUIDs found: use --find-ids"}[count]
    for arguments, stdin in ((["-f", "notes"], ""), ([], text)):
        name = "notes:1: " if arguments else "stdin:1: "
        run = flux(*CHECK, *arguments, stdin=stdin)
        refused(run, name, taken_for, offer, "Nothing was sent")
        assert ("--find-ids" in run.stderr) == bool(count)
    assert server.requests == []
    for arguments, stdin in ((["-f", "notes"], ""), ([], text)):
        run = flux(*CHECK, "-o", "ids", "--find-ids", *arguments, stdin=stdin)
        assert run.lines == [U, V][:count]
        if count == 0:
            refused(run, "no UUIDs found")


def test_a_slip_in_a_list_is_no_reason_to_offer_the_others(flux: Program) -> None:
    refused(flux(*CHECK, stdin=f"{U}\n{V} slip\n"), 'stdin:2: "slip"', "Separate ids")


def test_uuids_are_found_in_text_of_any_encoding_but_the_token_is_not_one(
    flux: Program, service: Start
) -> None:
    server = service(answer)
    text = f"Bearer {V}\n\xe9 {U} {U.upper()}".encode("latin-1")
    run = flux(*CHECK, "an-id", "--find-ids", "-o", "ids", "-f", "-", stdin=text, FLUX_API_TOKEN=V)
    assert run.expect(ExitCode.OK, stderr="skipped 1 duplicate id").lines == ["an-id", U]
    assert [request.ids for request in server.requests] == [["an-id", U]]


@pytest.mark.parametrize("command", [CHECK, WATCH, ("tasks", "download")])
def test_an_argument_that_is_a_file(
    flux: Program, service: Start, command: tuple[str, ...]
) -> None:
    server = service(answer)
    (flux.folder / "ids.txt").write_text(U)
    refused(flux(*command, "ids.txt"), '"ids.txt" is a file', "--file")
    refused(flux(*command, "@ids.txt"), '"@ids.txt" is a file', "--file")
    refused(flux(*command, "-", stdin=U), "argument 1: ", "to read stdin, use --file -")
    assert server.requests == []
    (flux.folder / "-").write_text(U)
    (flux.folder / V).touch()
    run = flux(*CHECK, "-o", "ids", "-f", "./-", V, stdin="stdin-is-not-read")
    assert run.lines == [V, U]


@pytest.mark.parametrize(
    "lines", [f"{U}\nslip\n", f'{{"id":"{U}"}}\n{{"id" "x"}}\n', f'id\n{U}\n"x"y\n']
)
def test_a_slip_is_told_while_the_pipe_is_still_written(flux: Program, lines: str) -> None:
    reader, writer = os.pipe()
    with flux.start(*CHECK, stdin=reader) as running:
        os.close(reader)
        os.write(writer, lines.encode())
        run = running.end()  # nobody has closed the pipe
        os.close(writer)
    refused(run, "flux: stdin:")


@BOTH
def test_no_ids(flux: Program, command: tuple[str, ...]) -> None:
    refused(flux(*command), "stdin: no task ids found", "--file")
    refused(flux(*command, "-f", "-"), "no task ids found")
    screen = Terminal(flux, *command).end()
    assert screen.code == ExitCode.USAGE
    assert screen.lines[0].startswith(f"Usage: flux {shlex.join(command[:2])}")
    assert "no task ids" in screen.lines[1]


@BOTH
def test_stdin_closed(flux: Program, command: tuple[str, ...]) -> None:
    closed = shell(flux, f"{FLUX} {shlex.join(command)} <&-")
    assert closed.code == ExitCode.USAGE
    assert "no task ids" in closed.stderr


BAD_IDS = {
    "an escape": "a\x1b[31mb",
    "a bell": "x\x07",
    "10 KB": "x" * 10_000,
    "a direction mark": "\u202eevil",
    "a C1 control": "\x9b2J",
    "a null": '{"id": "a\\u0000b"}',
    "a lone surrogate": '{"id": "a\\ud800b"}',
    "white space": '{"id": "a b"}',
    "an accent": "é",
}


@BOTH
@pytest.mark.parametrize("what", BAD_IDS)
def test_an_id_with_control_characters_or_too_long(
    flux: Program, service: Start, command: tuple[str, ...], what: str
) -> None:
    server = service(answer)
    run = flux(*command, stdin=f"good-id\n{BAD_IDS[what]}" if what != "a null" else BAD_IDS[what])
    run.expect(ExitCode.USAGE, stderr="flux: stdin:")
    assert "Nothing was sent." in run.stderr
    assert len(run.stderr) < 300
    assert not set(run.stderr) & set("\x1b\x07\x9b\u202e\0")
    assert server.requests == []


@pytest.mark.parametrize(
    "text",
    [CANARY, CANARY.upper(), f"a {CANARY},b", f'{{"id": "{CANARY}"}}', f"{'x' * 30}={CANARY},"],
)
def test_an_id_equal_to_the_token(flux: Program, service: Start, text: str) -> None:
    server = service(answer)
    for run in (flux(*CHECK, stdin=text), flux(*CHECK, *text.split())):
        if text.startswith("{") and run.arguments[2:]:
            continue
        run.expect(ExitCode.USAGE)
        assert CANARY[:9] not in run.stderr
        assert CANARY.upper() not in run.stderr
    assert server.requests == []


def test_many_ids_on_stdin_stream_through_in_little_memory(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        items = ",".join(f'{{"id":"{task_id}"}}' for task_id in request.ids)
        return [reply(200, f'{{"items":[{items}]}}'.encode())]

    service(script)

    def peak(count: int) -> int:
        ids = make_ids(count)
        (flux.folder / "ids").write_text("\n".join(ids))
        command = [FLUX, *CHECK, "-q", "-o", "ids", "-f", "ids"]
        code, out, used = peak_memory(command, flux.variables({}), flux.folder)
        assert (code, out.split()) == (0, ids)
        return used

    assert (peak(110_000) - peak(10_000)) / 100_000 <= 200  # bytes for each id


@pytest.mark.parametrize(
    ("command", "option", "value", "allowed"),
    [
        (WATCH[:2], "--interval", "nan", "from 1s to 1h"),
        (WATCH[:2], "--interval", "0", "from 1s to 1h"),
        (WATCH[:2], "--interval", "inf", "from 1s to 1h"),
        (WATCH[:2], "--interval", "soon", "from 1s to 1h"),
        (WATCH[:2], "--max-interval", "0.5s", "from 1s to 1h"),
        (WATCH[:2], "--timeout", "-5", "from 0s to 720h"),
        (WATCH[:2], "--timeout", "1e9", "from 0s to 720h"),
        (WATCH[:2], "--give-up-after", "-1s", "from 0s to"),
        (WATCH[:2], "--not-found-grace", "", "from 0s to"),
        (WATCH[:2], "--until", "some", "one of 'all', 'any'"),
        (CHECK, "--request-timeout", "nan", "from 0.1s to 1h"),
        (CHECK, "--request-timeout", "0", "from 0.1s to 1h"),
        (CHECK, "--concurrency", "0", "1<=x<=64"),
        (CHECK, "--concurrency", "many", "many"),
        (CHECK, "--batch-size", "51", "1<=x<=50"),
        (CHECK, "--retries", "-1", "0<=x<=20"),
    ],
)
def test_numbers_out_of_range(
    flux: Program, command: tuple[str, ...], option: str, value: str, allowed: str
) -> None:
    refused(flux(*command, "an-id", option, value), option, allowed)


def shell(flux: Program, script: str, stdin: str = "", **changes: str | None) -> Run:
    """Run a line of bash, with pipefail, and check what holds of every run."""
    need("bash")
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"],
        input=stdin.encode(),
        capture_output=True,
        env=flux.variables(changes),
        cwd=flux.folder,
        timeout=60,
        check=False,
    )
    return flux.check(Run((script,), ended.returncode, ended.stdout, decode(ended.stderr)))


@BOTH
@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "ids", "urls", "table"])
def test_a_reader_that_leaves(
    flux: Program, service: Start, command: tuple[str, ...], form: str
) -> None:
    service(answer)
    many = "\n".join(make_ids(3000))
    run = shell(flux, f"{FLUX} {shlex.join(command)} -q -o {form} | head -1", stdin=many)
    assert (run.code, run.out.count("\n"), run.stderr) == (0, 1, "")


@BOTH
@pytest.mark.parametrize(
    ("redirect", "code"), [("> /dev/full", ExitCode.OUTPUT), (">&-", ExitCode.OK), ("| true", 0)]
)
def test_stdout_that_cannot_be_written(
    flux: Program, service: Start, command: tuple[str, ...], redirect: str, code: int
) -> None:
    service(answer)
    run = shell(flux, f"{FLUX} {shlex.join(command)} -q {redirect}", stdin=" ".join(make_ids(200)))
    assert run.code == code
    assert run.stderr.count("\n") == (code == ExitCode.OUTPUT)
    assert ("stdout: cannot be written: No space left on device" in run.stderr) == bool(code)


@pytest.mark.parametrize("redirect", ["2>&-", "2> /dev/full"])
def test_a_stderr_that_cannot_be_written_changes_nothing(
    flux: Program, service: Start, redirect: str
) -> None:
    service(answer)
    run = shell(flux, f"{FLUX} {shlex.join(CHECK)} an-id -o ids {redirect}")
    assert (run.code, run.out) == (0, "an-id\n")


ODD_PROMPT = "✓ é 山水画 👩‍🚀 \x1b[31m\u202e"
SETTINGS: dict[str, dict[str, str | None]] = {
    "LC_ALL=C": {"LC_ALL": "C", "LANG": None},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "NO_COLOR": {"NO_COLOR": "1"},
    "TERM=dumb": {"TERM": "dumb"},
    "FORCE_COLOR=1": {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "PY_COLORS": "1"},
    "no TERM": {"TERM": None},
    "COLUMNS=0": {"COLUMNS": "0"},
    "COLUMNS=x": {"COLUMNS": "x", "LINES": "-1"},
}


@pytest.fixture
def odd(service: Start) -> None:
    """Start a service whose prompts no code page holds."""
    prompt = {"request": {"prompt": ODD_PROMPT, "model": ODD_PROMPT}}
    service(lambda r: [reply(200, batch(finished(i) | prompt for i in r.ids))])


@pytest.mark.usefixtures("odd")
@BOTH
@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_into_a_pipe(flux: Program, command: tuple[str, ...], setting: str) -> None:
    for form in ("table", "jsonl", "json", "csv", "ids", "urls"):
        run = flux(*command, *IDS, "-o", form, variables=SETTINGS[setting])
        run.expect(ExitCode.OK)
        assert b"\x1b" not in run.stdout
        assert "\x1b" not in run.stderr
        if form == "jsonl":
            assert [record["prompt"] for record in run.records] == [ODD_PROMPT] * 3
        if form == "json":
            assert len(json.loads(run.stdout)) == 3


@pytest.mark.usefixtures("odd")
@BOTH
@pytest.mark.parametrize("setting", ["LC_ALL=C", "ascii", "NO_COLOR", "TERM=dumb"])
@pytest.mark.parametrize("columns", [20, 80])
def test_settings_on_a_terminal(
    flux: Program, command: tuple[str, ...], setting: str, columns: int
) -> None:
    screen = Terminal(flux, *command, *IDS, columns=columns, variables=SETTINGS[setting]).end()
    assert screen.code == ExitCode.OK
    assert not screen.cursor_hidden
    assert all(len(line) <= columns for line in screen.lines)
    text = "".join("".join(screen.lines).split())
    assert all(task_id in text for task_id in IDS)
    if setting == "TERM=dumb":
        assert "\x1b" not in screen.sent
    if setting == "NO_COLOR":
        assert "\x1b[3" not in screen.sent
    if setting == "ascii":
        assert screen.sent.isascii()


@pytest.mark.parametrize("command", COMMANDS)
def test_files_in_the_current_folder_name_no_token_and_no_service(
    flux: Program, service: Start, command: str
) -> None:
    elsewhere = service(answer)
    for name in (".env", "flux.toml", ".fluxrc", "config.json", "credentials.json", ".netrc"):
        (flux.folder / name).write_text(f"FLUX_API_BASE_URL={elsewhere.url}\nmachine 127.0.0.1\n")
    here = {"FLUX_API_BASE_URL": "https://host.invalid", "FLUX_API_TOKEN": None}
    arguments = () if command == "login" else IDS
    run = flux(*COMMANDS[command], *arguments, stdin=CANARY, variables=here)
    run.expect(ExitCode.NO_ANSWER if command == "login" else ExitCode.TOKEN, stderr="host.invalid")
    assert elsewhere.connections == 0
