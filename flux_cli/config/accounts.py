"""Which account is used: the token of a variable, or a profile with its service and its token."""

from collections.abc import Mapping
from dataclasses import dataclass

from flux_cli.config.settings import (
    DEFAULT_BASE_URL,
    TOKEN_VARIABLES,
    BaseUrl,
    FoundToken,
    check_base_url,
    find_base_url,
    token_page,
)
from flux_cli.errors import NoToken, UsageError
from flux_cli.storage.credentials import (
    DEFAULT_PROFILE,
    PROFILE_NAME,
    Credentials,
    CredentialStore,
    Profiles,
)


OPTION, VARIABLE = "--profile", "FLUX_PROFILE"


@dataclass(frozen=True, slots=True)
class Profile:
    """A checked name of a profile; `source` says what names it."""

    name: str
    source: str

    @property
    def is_shown(self) -> bool:
        """Whether it is worth a word: nobody has to know of the one that needs no name."""
        return self.name != DEFAULT_PROFILE or self.source in (OPTION, VARIABLE)


@dataclass(frozen=True, slots=True)
class Account:
    """A service, and the token for it if there is one; `profile` is None for that of a variable."""

    base_url: BaseUrl
    profile: Profile | None
    found: FoundToken | None

    @property
    def profile_name(self) -> str:
        """The name that a token for this account is stored under."""
        return self.profile.name if self.profile else DEFAULT_PROFILE

    @property
    def of_profile(self) -> str:
        """What tells whose token is meant, " in profile work", where there is a choice."""
        is_shown = self.profile is not None and self.profile.is_shown
        return f" in profile {self.profile_name}" if is_shown else ""


def profile_name(text: str, source: str) -> str:
    """Return `text` if it can name a profile. Raises UsageError."""
    if not PROFILE_NAME.fullmatch(text):
        raise UsageError(
            f"{source}: not a valid profile name",
            hint="Use up to 64 letters, digits, dots, hyphens and underscores",
        )
    return text


def stored_account(
    store: CredentialStore,
    environment: Mapping[str, str],
    *,
    base_url: str | None,
    profile: str | None,
    may_be_new: bool = False,
) -> Account:
    """Return the account of a profile: `profile`, FLUX_PROFILE, the active one.

    A profile with a name brings its service along; a `base_url` comes before that, and so
    does a variable unless `profile` is given. Raises UsageError for a profile that is not
    there, unless it `may_be_new`.
    """
    profiles = store.load()
    chosen = _chosen(profile, environment, profiles)
    if chosen.name not in (DEFAULT_PROFILE, *profiles.by_name) and not may_be_new:
        raise unknown_profile(chosen.name, chosen.source, store)
    credentials = profiles.of(chosen.name)
    own = _own_service(chosen, credentials)
    variables = {} if own is not None and chosen.source == OPTION else environment
    url = find_base_url(base_url, variables, own)
    credential = credentials.get(url.origin)
    if credential is None:
        return Account(url, chosen, None)
    of_profile = f"profile {chosen.name}, in " if chosen.is_shown else ""
    return Account(
        url,
        chosen,
        FoundToken(
            credential.token,
            f"{of_profile}the file {store.path}",
            f"The token is from {store.path}. Run: {_login(store, url, chosen)}",
        ),
    )


def no_token(store: CredentialStore, account: Account) -> NoToken:
    """Explain why there is no token for the service of an account, and what to do."""
    url, profile = account.base_url, account.profile or Profile(DEFAULT_PROFILE, "")
    place = account.of_profile
    page = token_page(url)
    remedy = f"Create one at {page}, then run: " if page else "Run: "
    remedy += _login(store, url, profile)
    profiles = store.load()
    names = [name for name, known in profiles.by_name.items() if url.origin in known]
    if names:
        remedy += f", or add {OPTION} {' or '.join(names)}"
    if others := list(profiles.of(profile.name)):
        return NoToken(
            f"no token for {url.origin} (set by {url.source}){place};"
            f" the stored one is for {', '.join(others)} and is sent nowhere else",
            hint=remedy,
        )
    return NoToken(
        f"no API token for {url.origin}{place}", hint=f"{remedy}, or set {TOKEN_VARIABLES[0]}"
    )


def unknown_profile(name: str, source: str, store: CredentialStore) -> UsageError:
    """Return the error about a profile that is not there, which lists those that are."""
    names = sorted(store.load().by_name)
    there = f"the profiles are: {', '.join(names)}" if names else "there are no profiles"
    return UsageError(
        f"{source}: no profile named {name}; {there}",
        hint=f"To add it, run: {store.login_command} {OPTION} {name}",
    )


def _chosen(option: str | None, environment: Mapping[str, str], profiles: Profiles) -> Profile:
    if option is not None:
        return Profile(profile_name(option, OPTION), OPTION)
    if name := environment.get(VARIABLE, "").strip():
        return Profile(profile_name(name, VARIABLE), VARIABLE)
    return Profile(profiles.active, "auth switch")


def _own_service(profile: Profile, credentials: Credentials) -> BaseUrl | None:
    """Return the service of a profile with a name; `default` is for any that is asked."""
    if profile.name == DEFAULT_PROFILE or not credentials:
        return None
    origin, credential = next(iter(credentials.items()))
    return check_base_url(credential.base_url or origin, f"profile {profile.name}")


def _login(store: CredentialStore, base_url: BaseUrl, profile: Profile) -> str:
    command = store.login_command
    if profile.is_shown:
        command += f" {OPTION} {profile.name}"
    return command + ("" if base_url.text == DEFAULT_BASE_URL else f" --base-url {base_url.text}")
