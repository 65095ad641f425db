"""Which service is asked, and with which token."""

from pathlib import Path

import pytest

from flux_cli.config.settings import (
    DEFAULT_BASE_URL,
    BaseUrl,
    find_base_url,
    no_token,
    token_from_environment,
    token_from_store,
)
from flux_cli.errors import NoToken, UsageError
from flux_cli.storage.credentials import Credential, CredentialStore
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


def test_a_stored_token_goes_to_its_own_origin_only(store: CredentialStore) -> None:
    store.save(DEFAULT.origin, Credential(Token(STORED), 1.0))
    found = token_from_store(store, DEFAULT)
    assert found is not None
    assert found.token.reveal() == STORED
    other = find_base_url("https://evil.example", {})
    assert token_from_store(store, other) is None
    error = no_token(store, other)
    assert (
        "the stored one is for https://api.acedata.cloud and is sent nowhere else" in error.message
    )
    assert error.hint == "Run: flux auth login --base-url https://evil.example"
    store.delete(DEFAULT.origin)
    store.save(other.origin, Credential(Token(STORED), 1.0))
    hint = "Create one at https://platform.acedata.cloud, then run: flux auth login"
    assert no_token(store, DEFAULT).hint == hint


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
