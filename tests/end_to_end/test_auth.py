"""`flux auth`: the token is asked for, verified, kept, shown to nobody, and forgotten."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import TOKEN, Sandbox
from tests.end_to_end.test_check import Start
from tests.support.program import CANARY, Program
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
    assert list(json.loads(path.read_text())["credentials"]) == [server.base_url]

    run = flux("auth", "status").expect(ExitCode.OK)
    assert server.base_url in run.out
    assert str(path) in run.out
    assert "stored   20" in run.out
    assert TOKEN not in run.out + run.stderr
    assert flux("auth", "token").expect(ExitCode.OK).out == f"{TOKEN}\n"
    flux("tasks", "check", "an-id").expect(ExitCode.OK)

    flux("auth", "logout").expect(ExitCode.OK, stderr="forgot the token")
    flux("auth", "logout").expect(ExitCode.OK, stderr="no token was stored")
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
    run.expect(ExitCode.NO_ANSWER, stderr="--no-verify saves it without asking")
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
    run.expect(ExitCode.USAGE, stderr=f"{variable} is set and would be used instead")
    assert f"unset {variable}" in run.stderr
    login(flux)
    flux("auth", "logout", variables={variable: CANARY}).expect(
        ExitCode.OK, stderr=f"{variable} is set and is still used"
    )
    assert server.batch_queries == 0


@pytest.mark.parametrize("text", ["", "two words", "Bearer x", "ü", "a\x1bb"])
def test_what_cannot_be_a_token_is_not_quoted(flux: Program, server: Sandbox, text: str) -> None:
    del server
    run = flux("auth", "login", "--with-token", stdin=text)
    run.expect(ExitCode.TOKEN, stderr="this cannot be a token")
    assert not text or text not in run.stderr


def test_without_a_terminal_there_is_nobody_to_ask(flux: Program, server: Sandbox) -> None:
    del server
    flux("auth", "login").expect(ExitCode.USAGE, stderr="flux auth login --with-token < FILE")


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


@pytest.mark.parametrize("url", ["https://xn--/", "https://a..b/", f"https://{'x' * 64}/"])
@pytest.mark.parametrize("words", ["tasks check an-id", "auth status", "auth logout"])
def test_a_base_url_that_no_layer_can_use_is_one_line(flux: Program, words: str, url: str) -> None:
    run = flux(*words.split(), "--base-url", url)
    run.expect(ExitCode.USAGE, stderr="flux: --base-url: the base URL has a host that is neither")
    assert run.stderr.count("\n") == 1
