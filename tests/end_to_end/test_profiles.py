"""Accounts side by side: each command uses the one that is meant, and each service sees its own."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from flux_cli.errors import ExitCode
from tests.support.fault_server import FaultServer, Request, Script, Step, answer, reply
from tests.support.program import Program
from tests.support.records import batch, error_body, running
from tests.support.terminal import Terminal


HOME_TOKEN, WORK_TOKEN = "home-token-not-a-secret", "work-token-not-a-secret"
NAMES = ("home", "work")
Services = dict[str, FaultServer]


@pytest.fixture
def services(flux: Program) -> Iterator[Services]:
    """Start two services, and log in to each under a name of its own."""
    del flux.environment["FLUX_API_TOKEN"]
    with ExitStack() as stack:
        started = {name: stack.enter_context(FaultServer()) for name in NAMES}
        for name, server in started.items():
            login(flux, name, server.url)
        yield started


def login(flux: Program, name: str, url: str, token: str = "") -> str:
    words = ("auth", "login", "--with-token", "--no-verify", "--profile", name, "--base-url", url)
    token = token or f"{name}-token-not-a-secret"
    return flux(*words, stdin=token).expect(ExitCode.OK).stderr


def seen(services: Services) -> dict[str, set[str]]:
    """Return what each service was sent as a token, and forget it."""
    found = {
        name: {request.headers["authorization"].removeprefix("Bearer ") for request in s.requests}
        for name, s in services.items()
    }
    for server in services.values():
        server.requests.clear()
    return found


def only(name: str) -> dict[str, set[str]]:
    return {n: {f"{n}-token-not-a-secret"} if n == name else set() for n in NAMES}


def in_turn(flux: Program, *words: str, check: Callable[[str], None]) -> None:
    """Run a command with each account, named in each of the ways that there are."""
    for name in NAMES:
        flux(*words, "--profile", name).expect(ExitCode.OK)
        check(name)
        flux(*words, FLUX_PROFILE=name).expect(ExitCode.OK)
        check(name)
        flux("auth", "switch", name).expect(ExitCode.OK)
        flux(*words).expect(ExitCode.OK)
        check(name)


def still_running(request: Request) -> list[Step]:
    return [reply(200, batch(running(task_id) for task_id in request.ids))]


@pytest.mark.parametrize(
    ("verb", "script"), [("check", answer), ("watch", answer), ("download", still_running)]
)
def test_each_service_sees_its_own_token_only(
    flux: Program, services: Services, verb: str, script: Script
) -> None:
    for server in services.values():
        server.script = script

    def check(name: str) -> None:
        assert seen(services) == only(name)

    in_turn(flux, "tasks", verb, "an-id", check=check)


def test_auth_tells_of_each_account_and_of_no_token(flux: Program, services: Services) -> None:
    for name, server in services.items():
        run = flux("auth", "status", "--profile", name).expect(ExitCode.OK)
        assert f"profile  {name} (set by --profile)\n" in run.out
        assert f"service  {server.url} (set by profile {name})\n" in run.out
        token = flux("auth", "token", "--profile", name).expect(ExitCode.OK).out
        assert token == f"{name}-token-not-a-secret\n"
        curl = flux("auth", "token", "--curl", "flux/images", FLUX_PROFILE=name)
        assert f'url = "{server.url}/flux/images"' in curl.out
        assert token.strip() in curl.out

    rows = flux("auth", "list").expect(ExitCode.OK).records
    assert [(row["profile"], row["active"], row["service"]) for row in rows] == [
        ("home", True, services["home"].url),
        ("work", False, services["work"].url),
    ]
    assert all(re.fullmatch("20.*Z", row["saved_at"]) for row in rows)
    assert json.loads(flux("auth", "list", "-o", "json").out) == rows
    table = flux("auth", "list", "-o", "table").lines
    assert [line.split()[:2] for line in table[1:]] == [
        ["*", "home"],
        ["work", services["work"].url],
    ]
    shown = "".join([json.dumps(rows), *table])
    assert HOME_TOKEN not in shown
    assert WORK_TOKEN not in shown

    flux("auth", "switch", "work").expect(ExitCode.OK, stderr="flux: switched to profile work")
    run = flux("auth", "logout").expect(ExitCode.OK, stderr="in profile work.")
    assert "switched to profile default" in run.stderr
    assert [row["profile"] for row in flux("auth", "list").records] == ["home"]
    flux("auth", "logout", "--profile", "home").expect(ExitCode.OK, stderr="in profile home.")
    flux("auth", "list").expect(ExitCode.OK, stderr="no stored accounts. Run: flux auth login")
    flux("auth", "switch", "home").expect(ExitCode.TOKEN, stderr="no stored accounts")
    assert json.loads(flux("auth", "list", "-o", "json").out) == []
    assert seen(services) == {"home": set(), "work": set()}


def test_a_second_login_says_what_it_replaces(flux: Program, services: Services) -> None:
    said = login(flux, "work", services["work"].url, token="new-token-not-a-secret")  # noqa: S106
    url = services["work"].url
    assert re.match(
        f"flux: replacing the token for {url} in profile work, saved 20[0-9: -]+\n", said
    )
    assert flux("auth", "token", "--profile", "work").out == "new-token-not-a-secret\n"
    assert flux("auth", "token", "--profile", "home").out == f"{HOME_TOKEN}\n"
    assert "replacing" not in login(flux, "third", url)


def test_a_profile_is_of_one_service(flux: Program, services: Services) -> None:
    words = ("auth", "login", "--with-token", "--profile", "work")
    run = flux(*words, "--base-url", services["home"].url, stdin="other-token-not-a-secret")
    run.expect(ExitCode.USAGE, stderr=f"profile work is for {services['work'].url}, not for ")
    assert flux("auth", "token", "--profile", "work").out == f"{WORK_TOKEN}\n"
    assert seen(services) == {"home": set(), "work": set()}


def test_a_token_goes_to_no_other_service_whoever_names_it(
    flux: Program, services: Services
) -> None:
    url = services["work"].url
    for options, variable in (((), url), (("--base-url", url), None)):
        run = flux("tasks", "check", "an-id", *options, FLUX_API_BASE_URL=variable)
        run.expect(ExitCode.TOKEN, stderr="in profile home")
        assert "is sent nowhere else" in run.stderr
        assert "or add --profile work" in run.stderr
    assert seen(services) == {"home": set(), "work": set()}


def test_a_token_in_the_environment_comes_before_all_but_the_option(
    flux: Program, services: Services
) -> None:
    changes: dict[str, str | None]
    changes = {"FLUX_API_TOKEN": "env-token-not-a-secret", "FLUX_PROFILE": "work"}
    flux("tasks", "check", "an-id", "--base-url", services["home"].url, variables=changes)
    assert seen(services) == {"home": {"env-token-not-a-secret"}, "work": set()}
    flux("tasks", "check", "an-id", "--profile", "work", variables=changes).expect(ExitCode.OK)
    assert seen(services) == only("work")
    run = flux("auth", "list", variables=changes)
    assert "FLUX_API_TOKEN is set and takes precedence, except over --profile" in run.stderr
    assert not any(row["active"] for row in run.records)
    run = flux("auth", "list", FLUX_PROFILE="work").expect(
        ExitCode.OK, stderr="FLUX_PROFILE is set, so profile work is in use"
    )
    assert [row["active"] for row in run.records] == [False, True]


@pytest.mark.parametrize(
    "words",
    [
        *("tasks check an-id", "tasks watch an-id", "tasks download an-id", "mcp"),
        *("auth status", "auth token", "auth logout", "mcp config claude"),
    ],
)
def test_an_unknown_profile_is_one_line_with_those_there_are(
    flux: Program, services: Services, words: str
) -> None:
    run = flux(*words.split(), "--profile", "wrok").expect(ExitCode.USAGE)
    assert run.stderr == (
        "flux: --profile: no profile named wrok; the profiles are: home, work."
        " To add it, run: flux auth login --profile wrok.\n"
    )
    assert run.stdout == b""
    assert seen(services) == {"home": set(), "work": set()}


@pytest.mark.parametrize(
    "name", ["", "a b", "../x", "a/b", "x" * 65, "wörk", "a\x1b[2Jb", "\u202e"]
)
@pytest.mark.parametrize(
    "words", ["auth login --with-token --profile", "auth switch", "tasks check an-id --profile"]
)
def test_a_hostile_name_is_one_line_and_stored_nowhere(
    flux: Program, services: Services, words: str, name: str
) -> None:
    run = flux(*words.split(), name, stdin="new-token-not-a-secret").expect(ExitCode.USAGE)
    assert run.stderr.startswith("flux: ")
    assert "not a valid profile name" in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stderr.isascii()
    assert "\x1b" not in run.stderr
    assert [row["profile"] for row in flux("auth", "list").records] == [*NAMES]
    assert seen(services) == {"home": set(), "work": set()}


def test_a_token_is_not_taken_for_a_name(flux: Program, services: Services) -> None:
    token = "new-token-not-a-secret"  # noqa: S105
    run = flux("auth", "login", "--with-token", "--profile", token, stdin=token)
    assert token not in run.expect(ExitCode.USAGE, stderr="not a name").stderr
    run = flux("tasks", "check", "an-id", "--profile", WORK_TOKEN).expect(ExitCode.USAGE)
    assert WORK_TOKEN not in run.stderr
    assert seen(services) == {"home": set(), "work": set()}


def test_the_hint_to_go_on_names_the_profile(flux: Program, services: Services) -> None:
    services["work"].script = still_running
    words = ("tasks", "watch", "an-id-1", "--timeout", "0", "--profile", "work")
    run = flux(*words).expect(ExitCode.TIMED_OUT)
    command = run.stderr.splitlines()[-1].strip()
    assert command == "flux tasks watch --timeout 0s --profile work an-id-1"
    again = flux(*command.split()[1:]).expect(ExitCode.TIMED_OUT)
    assert again.stderr.splitlines()[-1].strip() == command
    assert seen(services) == only("work")


def test_a_rejected_token_is_told_with_the_login_that_replaces_it(
    flux: Program, services: Services
) -> None:
    services["work"].script = lambda _: [reply(401, error_body("invalid_token"))]
    run = flux("tasks", "check", "an-id", "--profile", "work").expect(ExitCode.TOKEN)
    command = f"flux auth login --profile work --base-url {services['work'].url}"
    assert f"Run: {command}" in run.stderr
    flux(*command.split()[1:], "--with-token", "--no-verify", stdin=WORK_TOKEN).expect(ExitCode.OK)


def test_an_mcp_client_is_told_of_the_profile(flux: Program, services: Services) -> None:
    del services
    for words in (
        ("mcp", "config", "claude", "--profile", "work"),
        ("mcp", "--profile", "work", "config", "claude"),
    ):
        document = json.loads(flux(*words).expect(ExitCode.OK).out)
        assert document["mcpServers"]["flux"]["args"][-3:] == ["mcp", "--profile", "work"]


def test_the_prompt_of_a_known_profile_is_for_its_service(
    flux: Program, services: Services
) -> None:
    terminal = Terminal(flux, "auth", "login", "--no-verify", "--profile", "work", columns=120)
    terminal.expect(f"replacing the token for {services['work'].url} in profile work")
    terminal.expect(f"API token for {services['work'].url}: ")
    terminal.type("\x03")
    assert terminal.end().code == ExitCode.INTERRUPTED
    assert flux("auth", "token", "--profile", "work").out == f"{WORK_TOKEN}\n"
