"""Which service is asked, and with which token."""

from pathlib import Path

import pytest

from flux_cli.config.accounts import Account, no_token, stored_account
from flux_cli.config.settings import (
    DEFAULT_BASE_URL,
    BaseUrl,
    find_base_url,
    token_from_environment,
)
from flux_cli.errors import NoToken, UsageError
from flux_cli.storage.credentials import DEFAULT_PROFILE, Credential, CredentialStore
from flux_cli.token import Token


STORED = "stored-token-not-a-secret"
DEFAULT = BaseUrl(DEFAULT_BASE_URL, "the default")


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(tmp_path, warn=pytest.fail)


@pytest.mark.parametrize(
    ("option", "environment", "url", "source"),
    [
        (None, {}, DEFAULT_BASE_URL, "the default"),
        (None, {"FLUX_API_BASE_URL": " "}, DEFAULT_BASE_URL, "the default"),
        (
            None,
            {"ACEDATACLOUD_API_BASE_URL": "https://a"},
            "https://a",
            "ACEDATACLOUD_API_BASE_URL",
        ),
        (
            None,
            {"ACEDATACLOUD_API_BASE_URL": "https://a", "FLUX_API_BASE_URL": "https://b/"},
            "https://b",
            "FLUX_API_BASE_URL",
        ),
        ("https://c/v1//", {"FLUX_API_BASE_URL": "https://b"}, "https://c/v1", "--base-url"),
    ],
)
def test_the_nearest_base_url_wins(
    option: str | None, environment: dict[str, str], url: str, source: str
) -> None:
    found = find_base_url(option, environment)
    assert (found.text, found.source) == (url, source)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example:443/v1", "https://api.example"),
        ("https://api.example:8443", "https://api.example:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://localhost:8765/x", "http://localhost:8765"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str) -> None:
    assert find_base_url(url, {}).origin == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example",
        "ftp://api.example",
        "https://",
        "https://[::1",
        "https://api.example:99999",
        "https://api.example:0",
        "https://user:hunter2@api.example",
        "https://@api.example",
        "https://api.example/?x=1",
        "https://api.example/#x",
        "https://api.example/a b",
        "https://api.example/\n",
        "https://äpi.example",
        "http://api.example",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "https://api.example\\@evil.example",
        "https://xn--/",
        "https://a..b/",
        "https://.[::1]/",
        "https://[::1]x/",
        "https://.a/",
        "https://999.1.1.1/",
        f"https://{'x' * 64}.example/",
        f"https://api.example/{'x' * 2000}",
    ],
)
def test_a_bad_base_url_is_refused_and_its_source_named(url: str) -> None:
    with pytest.raises(UsageError, match="--base-url: the base URL") as caught:
        find_base_url(url, {})
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("environment", "token"),
    [
        ({}, None),
        ({"FLUX_API_TOKEN": "  "}, None),
        ({"ACEDATACLOUD_API_TOKEN": "second"}, "second"),
        ({"ACEDATACLOUD_API_TOKEN": "second", "FLUX_API_TOKEN": "first"}, "first"),
    ],
)
def test_the_nearest_variable_wins(environment: dict[str, str], token: str | None) -> None:
    found = token_from_environment(environment)
    assert (found and found.token.reveal()) == token


def account(
    store: CredentialStore, base_url: str | None = None, profile: str | None = None, **world: str
) -> Account:
    return stored_account(store, world, base_url=base_url, profile=profile)


def save(store: CredentialStore, url: str, profile: str = DEFAULT_PROFILE) -> None:
    origin = find_base_url(url, {}).origin
    store.save(profile, origin, Credential(Token(f"{STORED}-{profile}"), 1.0, url))


def token_of(found: Account) -> str | None:
    return found.found.token.reveal() if found.found else None


def test_a_stored_token_goes_to_its_own_origin_only(store: CredentialStore) -> None:
    save(store, DEFAULT.text)
    assert token_of(account(store)) == f"{STORED}-default"
    evil = "https://evil.example"
    other = account(store, evil)
    assert other.found is None
    error = no_token(store, other)
    assert (
        "the stored one is for https://api.acedata.cloud and is sent nowhere else" in error.message
    )
    assert error.hint == f"Run: flux auth login --base-url {evil}"
    store.delete(DEFAULT_PROFILE, DEFAULT.origin)
    save(store, evil)
    hint = "Create one at https://platform.acedata.cloud, then run: flux auth login"
    assert no_token(store, account(store)).hint == hint


WORK, HOME = "https://work.example/v1", "https://home.example"


@pytest.mark.parametrize(
    ("base_url", "profile", "world", "expected"),
    [
        (None, None, {}, ("home", HOME, "profile home")),
        (None, None, {"FLUX_PROFILE": "work"}, ("work", WORK, "profile work")),
        (None, "work", {"FLUX_PROFILE": "home"}, ("work", WORK, "profile work")),
        (
            None,
            "work",
            {"FLUX_API_BASE_URL": "https://evil.example"},
            ("work", WORK, "profile work"),
        ),
        ("https://work.example", "work", {}, ("work", "https://work.example", "--base-url")),
        ("https://evil.example", "work", {}, (None, "https://evil.example", "--base-url")),
        (HOME, "work", {}, (None, HOME, "--base-url")),
        (None, None, {"FLUX_API_BASE_URL": WORK}, (None, WORK, "FLUX_API_BASE_URL")),
        (None, "default", {}, (None, DEFAULT_BASE_URL, "the default")),
    ],
)
def test_a_profile_brings_its_service_along(
    store: CredentialStore,
    base_url: str | None,
    profile: str | None,
    world: dict[str, str],
    expected: tuple[str | None, str, str],
) -> None:
    """Whatever names the service, a token is only ever found for the origin it was saved for."""
    save(store, HOME, "home")
    save(store, WORK, "work")
    name, url, source = expected
    found = account(store, base_url, profile, **world)
    assert (found.base_url.text, found.base_url.source) == (url, source)
    assert token_of(found) == (name and f"{STORED}-{name}")


def test_an_address_in_the_file_that_is_not_its_origin_gets_no_token(
    store: CredentialStore,
) -> None:
    store.save(
        "work", "https://work.example", Credential(Token(STORED), 1.0, "https://evil.example")
    )
    found = account(store, profile="work")
    assert (found.base_url.text, found.found) == ("https://evil.example", None)
    assert "the stored one is for https://work.example" in no_token(store, found).message


@pytest.mark.parametrize("source", ["--profile", "FLUX_PROFILE"])
@pytest.mark.parametrize(
    "name",
    ["", "a b", "../x", "a/b", "x" * 65, "w\u00f6rk", "work\n", "\x1b[2J", "\u0661", "\u202e"],
)
def test_a_bad_name_is_refused_and_not_quoted(
    store: CredentialStore, name: str, source: str
) -> None:
    named = {"profile": name} if source == "--profile" else {"FLUX_PROFILE": f"x{name}/"}
    with pytest.raises(UsageError, match="not a valid profile name") as caught:
        account(store, **named)
    assert caught.value.message.startswith(f"{source}: ")


def test_a_profile_that_is_not_there_is_answered_with_those_that_are(
    store: CredentialStore,
) -> None:
    with pytest.raises(UsageError, match="--profile: no profile named x; there are no profiles"):
        account(store, profile="x")
    save(store, WORK, "work")
    save(store, HOME, "home")
    with pytest.raises(
        UsageError, match="FLUX_PROFILE: no profile named x; the profiles are: home, work"
    ):
        account(store, FLUX_PROFILE="x")


def test_who_has_no_token_here_is_told_of_profiles_that_have(store: CredentialStore) -> None:
    save(store, HOME, "home")
    save(store, DEFAULT.text, "work")
    error = no_token(store, account(store, profile="default"))
    assert error.message == f"no API token for {DEFAULT.origin} in profile default"
    assert "flux auth login --profile default, or add --profile work" in error.hint


@pytest.mark.parametrize("text", ["two words", "line\nbreak", 'mark"', "ünicode", "x" * 5000])
def test_a_variable_that_cannot_be_a_token_is_named_and_not_quoted(text: str) -> None:
    with pytest.raises(NoToken, match="FLUX_API_TOKEN: this is not a valid token") as caught:
        token_from_environment({"FLUX_API_TOKEN": text})
    assert text[:5] not in caught.value.message.replace("FLUX_API_TOKEN", "")


def test_a_token_hides_itself() -> None:
    token = Token("test-token-not-a-secret")
    assert "secret" not in repr(token)
    assert "secret" not in f"{token}"
    assert token.hide("a test-token-not-a-secret b") == "a [token] b"
    assert token.hide_bytes(b"test-token-not-a-secret") == b"[token]"
    assert token.is_in("TEST-token-not-a-secret")
    assert Token("short").hide("short") == "short"
