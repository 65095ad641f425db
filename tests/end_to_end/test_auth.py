"""`flux auth`: the token is asked for, verified, kept, shown to nobody, and forgotten."""

import json
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Sandbox
from tests.end_to_end.test_check import Start
from tests.support.patience import until
from tests.support.program import CANARY, FLUX, Program, Run, decode
from tests.support.rights import restrained
from tests.support.terminal import Terminal


@pytest.fixture
def server(flux: Program, sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Return a sandbox that the program is pointed to, without a token in the environment."""
    started = sandbox()
    del flux.environment["FLUX_API_TOKEN"]
    return started


def login(flux: Program, token: str = TOKEN, *options: str) -> None:
    flux("auth", "login", "--with-token", *options, stdin=f"{token}\n").expect(ExitCode.OK)


def test_from_login_to_logout(flux: Program, server: Sandbox) -> None:
    flux("auth", "status").expect(ExitCode.TOKEN, stderr="flux auth login")
    login(flux)
    path = flux.config / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(json.loads(path.read_text())["profiles"]["default"]) == [server.base_url]

    run = flux("auth", "status").expect(ExitCode.OK)
    assert server.base_url in run.out
    assert str(path) in run.out
    assert "stored   20" in run.out
    assert TOKEN not in run.out + run.stderr
    assert flux("auth", "token").expect(ExitCode.OK).out == f"{TOKEN}\n"
    flux("tasks", "check", "an-id").expect(ExitCode.OK)

    flux("auth", "logout").expect(ExitCode.OK, stderr="deleted the token")
    flux("auth", "logout").expect(ExitCode.OK, stderr="no stored token")
    flux("tasks", "check", "an-id").expect(ExitCode.TOKEN)


def test_a_token_that_the_service_rejects_is_not_saved(flux: Program, server: Sandbox) -> None:
    run = flux("auth", "login", "--with-token", stdin=CANARY)
    run.expect(ExitCode.TOKEN, stderr="invalid_token")
    assert "It was not saved." in run.stderr
    assert not flux.config.exists()
    assert server.batch_queries == 0


def test_a_service_out_of_reach_leaves_the_choice(flux: Program, server: Sandbox) -> None:
    url = "http://127.0.0.1:1"
    run = flux("auth", "login", "--with-token", "--base-url", url, stdin=CANARY)
    run.expect(ExitCode.NO_ANSWER, stderr="--no-verify saves it unverified")
    assert not flux.config.exists()
    login(flux, CANARY, "--base-url", url, "--no-verify")
    assert CANARY in (flux.config / "credentials.json").read_text()
    assert server.base_url not in (flux.config / "credentials.json").read_text()


def test_a_stored_token_is_sent_to_no_other_origin(flux: Program, service: Start) -> None:
    other = service(lambda _: [])
    flux.environment["FLUX_API_TOKEN"] = ""
    login(flux, CANARY, "--no-verify", "--base-url", "https://api.acedata.cloud")
    run = flux("tasks", "check", "an-id").expect(ExitCode.TOKEN, stderr="is sent nowhere else")
    assert "https://api.acedata.cloud" in run.stderr
    assert other.requests == []


@pytest.mark.parametrize("variable", ["FLUX_API_TOKEN", "ACEDATACLOUD_API_TOKEN"])
def test_login_is_refused_while_a_variable_would_shadow_it(
    flux: Program, server: Sandbox, variable: str
) -> None:
    run = flux("auth", "login", "--with-token", stdin=TOKEN, variables={variable: CANARY})
    run.expect(ExitCode.USAGE, stderr=f"{variable} is set and takes precedence")
    assert f"unset {variable}" in run.stderr
    login(flux)
    flux("auth", "logout", variables={variable: CANARY}).expect(
        ExitCode.OK, stderr=f"{variable} is still set, and its token remains in use"
    )
    assert server.batch_queries == 0


@pytest.mark.parametrize("text", ["", "two words", "Bearer x", "ü", "a\x1bb"])
def test_what_cannot_be_a_token_is_not_quoted(flux: Program, server: Sandbox, text: str) -> None:
    del server
    run = flux("auth", "login", "--with-token", stdin=text)
    run.expect(ExitCode.TOKEN, stderr="this is not a valid token")
    assert not text or text not in run.stderr


def test_without_a_terminal_there_is_nobody_to_ask(flux: Program, server: Sandbox) -> None:
    del server
    flux("auth", "login").expect(ExitCode.USAGE, stderr="flux auth login --with-token < FILE")


@pytest.mark.parametrize("options", [(), ("--with-token",), ("--no-verify", "--")])
def test_a_token_among_the_arguments_is_not_repeated(
    flux: Program, server: Sandbox, options: tuple[str, ...]
) -> None:
    del server
    run = flux("auth", "login", *options, CANARY, stdin=TOKEN).expect(ExitCode.USAGE)
    assert run.stderr == (
        "flux: auth login takes no arguments: a token there would be visible to other users."
        " Run: flux auth login, and paste the token when prompted.\n"
    )
    assert not flux.config.exists()


def test_the_prompt_names_the_service_and_shows_nothing(flux: Program, server: Sandbox) -> None:
    terminal = Terminal(flux, "auth", "login")
    terminal.expect(f"API token for {server.base_url}: ")
    terminal.type(f"{TOKEN}\r")
    screen = terminal.end()
    assert screen.code == ExitCode.OK
    assert TOKEN not in screen.sent
    assert TOKEN in (flux.config / "credentials.json").read_text()


def test_the_prompt_says_where_a_token_for_the_service_comes_from(flux: Program) -> None:
    flux.environment["FLUX_API_TOKEN"] = ""
    terminal = Terminal(flux, "auth", "login", "--no-verify", columns=120)
    terminal.expect(
        "API token for https://api.acedata.cloud (create one at https://platform.acedata.cloud): "
    )
    terminal.type("test-token-not-a-secret\r")
    assert terminal.end().code == ExitCode.OK
    quick_start = Path(__file__).parents[2] / "docs" / "quick-start.md"
    assert terminal.sent.splitlines()[0].strip() in quick_start.read_text()


def test_ctrl_c_at_the_prompt_saves_nothing(flux: Program, server: Sandbox) -> None:
    del server
    terminal = Terminal(flux, "auth", "login")
    terminal.expect("API token for ")
    terminal.type("\x03")
    screen = terminal.end()
    assert screen.code == ExitCode.INTERRUPTED
    assert "Traceback" not in screen.sent
    assert not flux.config.exists()


@pytest.mark.parametrize("variable", ["FLUX_API_TOKEN", "ACEDATACLOUD_API_TOKEN"])
@pytest.mark.parametrize(
    "words",
    [
        f"{CANARY}",
        f"--{CANARY}",
        f"tasks {CANARY}",
        f"auth {CANARY}",
        f"help {CANARY}",
        f"tasks check an-id --state {CANARY}",
        f"tasks check an-id --retries {CANARY}",
        f"tasks watch an-id --timeout {CANARY}",
        f"tasks check an-id --base-url https://{CANARY}.example",
        f"auth status --base-url https://{CANARY.upper()}.example",
        f"auth status --base-url https://api.acedata.cloud/{CANARY}",
        f"auth status {CANARY}",
        f"auth status --profile {CANARY}",
        f"auth switch a/{CANARY}",
        f"tasks watch an-id --profile {CANARY}",
    ],
)
def test_a_token_in_the_wrong_place_is_not_repeated(
    flux: Program, words: str, variable: str
) -> None:
    run = flux(*words.split(), variables={"FLUX_API_TOKEN": None, variable: CANARY})
    run.expect(ExitCode.USAGE)
    assert CANARY not in run.stderr.lower()
    assert run.stdout == b""


def echoes(terminal: Terminal) -> bool:
    return bool(termios.tcgetattr(terminal.process.child_fd)[3] & termios.ECHO)


def test_ctrl_backslash_at_the_prompt_gives_the_echo_back(flux: Program, server: Sandbox) -> None:
    del server
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    terminal = Terminal(flux, "auth", "login", gets_signals=True)
    terminal.expect("API token for ")
    until(lambda: not echoes(terminal))
    terminal.type("\x1c")
    terminal.process.expect(pexpect.EOF)
    assert echoes(terminal)
    terminal.process.close()
    assert terminal.process.signalstatus == signal.SIGQUIT
    assert not flux.config.exists()


@pytest.mark.parametrize("url", ["https://xn--/", "https://a..b/", f"https://{'x' * 64}/"])
@pytest.mark.parametrize("words", ["tasks check an-id", "auth status", "auth logout"])
def test_a_base_url_that_no_layer_can_use_is_one_line(flux: Program, words: str, url: str) -> None:
    run = flux(*words.split(), "--base-url", url)
    run.expect(ExitCode.USAGE, stderr="flux: --base-url: the base URL has an invalid host")
    assert run.stderr.count("\n") == 1


def broken_folders(base: Path) -> dict[str, tuple[str, str]]:
    """Return folders that cannot be used: what FLUX_CONFIG_DIR is, and what flux says of it."""
    stored = '{"version": 1, "credentials": {}}'

    def made(name: str, *, mode: int = 0o700, is_filled: bool = True) -> Path:
        folder = base / name
        folder.mkdir()
        if is_filled:
            (folder / "credentials.json").write_text(stored)
            (folder / "credentials.json").chmod(0o600)
        folder.chmod(mode)
        return folder

    (base / "file").write_text("")
    (base / "loop").symlink_to("loop")
    (made("a folder", is_filled=False) / "credentials.json").mkdir()
    (made("a link", is_filled=False) / "credentials.json").symlink_to(base / "file")
    (made("unreadable") / "credentials.json").chmod(0)
    places = {
        "not searchable": (f"{made('closed', mode=0)}", "Permission denied"),
        "below one that is not searchable": (f"{made('shut', mode=0)}/x", "Permission denied"),
        "a name too long": (f"{base}/{'x' * 300}", "File name too long"),
        "a path too long": (f"{base}/{'x/' * 3000}", "File name too long"),
        "a file": (f"{base}/file", "Not a directory|File exists"),
        "below a file": (f"{base}/file/x", "Not a directory"),
        "a link to itself": (f"{base}/loop", "Too many levels of symbolic links|File exists"),
        "nobody's home": ("~no-such-user/x", ": unknown home folder"),
        "the file is a folder": (f"{base}/a folder", "Is a directory|not a regular file"),
        "the file is a link": (f"{base}/a link", "is a symbolic link"),
        "an unreadable file": (f"{base}/unreadable", "Permission denied"),
    }
    if os.geteuid() == 0:
        os.chown(made("theirs"), 12345, -1)
        places["of another user"] = (f"{base}/theirs", "Permission denied")
    return places


COMMANDS = [
    *("auth login --with-token --no-verify", "auth status", "auth token", "auth logout"),
    *("auth list", "auth switch work"),
    *("tasks check an-id", "tasks watch an-id"),
]


def run_restrained(flux: Program, *arguments: str, **changes: str) -> Run:
    """Run flux as somebody whom permissions hold back."""
    finished = subprocess.run(
        [FLUX, *arguments],
        env=flux.variables({**changes}),
        cwd=flux.folder,
        input=TOKEN.encode(),
        capture_output=True,
        check=False,
        preexec_fn=restrained,
    )
    return flux.check(Run(arguments, finished.returncode, finished.stdout, decode(finished.stderr)))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_config_folder_that_cannot_be_used_is_one_line(
    flux: Program, server: Sandbox, words: str
) -> None:
    """Every kind of broken folder, with every command that looks into it."""
    del server
    for kind, (folder, says) in broken_folders(flux.folder).items():
        if says != "Permission denied":
            run = flux(*words.split(), stdin=TOKEN, FLUX_CONFIG_DIR=folder)
        else:
            run = run_restrained(flux, *words.split(), FLUX_CONFIG_DIR=folder)
        run.expect(ExitCode.USAGE)
        assert re.fullmatch(f"flux: .*({says}).*\n", run.stderr), kind
        assert run.stdout == b""


@pytest.mark.parametrize("words", [*COMMANDS, "--install-completion"])
def test_without_any_home_it_is_one_line(flux: Program, server: Sandbox, words: str) -> None:
    """Neither HOME nor an entry for the user, as in a container with a user id of its own."""
    del server
    nobody = (
        "import pwd, sys\n"
        "def unknown(_):\n    raise KeyError\n"
        "pwd.getpwuid = unknown\n"
        "from flux_cli.__main__ import main\nmain()"
    )
    changes = dict.fromkeys(("HOME", "FLUX_CONFIG_DIR", "XDG_CONFIG_HOME"))
    finished = subprocess.run(
        [sys.executable, "-c", nobody, *words.split()],
        env=flux.variables(changes | {"SHELL": "/bin/bash"}),
        cwd=flux.folder,
        input=TOKEN.encode(),
        capture_output=True,
        check=False,
    )
    run = Run((words,), finished.returncode, finished.stdout, decode(finished.stderr))
    flux.check(run).expect(ExitCode.USAGE, stderr="no home folder ")
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stdout == b""
    assert list(flux.folder.glob("~*")) == []


def test_a_token_from_the_environment_needs_no_folder(flux: Program) -> None:
    flux.environment["FLUX_CONFIG_DIR"] = "~no-such-user/x"
    run = flux("auth", "status").expect(ExitCode.OK, stderr=": unknown home folder")
    assert "token    FLUX_API_TOKEN\n" in run.out
    assert run.stderr.count("\n") == 1


def test_a_folder_that_others_can_change_is_reported(flux: Program, server: Sandbox) -> None:
    del server
    flux.config.mkdir()
    flux.config.chmod(0o777)
    says = f"flux: {flux.config}: other users can write to it. Run: chmod 700 {flux.config}\n"
    run = flux("auth", "login", "--with-token", stdin=TOKEN).expect(ExitCode.OK, stderr=says)
    for words in ("auth status", "tasks check an-id", "auth logout"):
        run = flux(*words.split()).expect(ExitCode.OK, stderr=says)
        assert run.stderr.count(says) == 1


@pytest.mark.parametrize("time", ["1e300", "-1e300", "NaN", '"x"'])
def test_a_time_that_makes_no_sense_is_not_shown(flux: Program, server: Sandbox, time: str) -> None:
    login(flux)
    path = flux.config / "credentials.json"
    document = json.loads(path.read_text())
    document["profiles"]["default"][server.base_url]["saved_at"] = "TIME"
    path.write_text(json.dumps(document).replace('"TIME"', time))
    run = flux("auth", "status").expect(ExitCode.OK)
    assert f"stored   at an unknown time, in {path}\n" in run.out
