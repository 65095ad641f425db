"""`flux auth`: the token, and where it is kept."""

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli import interrupts
from flux_cli.commands import options
from flux_cli.commands.auth_profiles import list_accounts, switch
from flux_cli.commands.option_groups import option_groups
from flux_cli.config.accounts import Account
from flux_cli.config.settings import (
    BaseUrl,
    FoundToken,
    token_from_environment,
    token_page,
)
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import ExitCode, NoToken, ServiceError, UsageError
from flux_cli.runtime import Runtime
from flux_cli.storage.credentials import DEFAULT_PROFILE, Credential
from flux_cli.token import Token


if TYPE_CHECKING:
    from flux_cli.engine.session import Session

_PATH = re.compile(r"[\w.~%:@!$&'()*+,;=/?-]+", re.ASCII)  # of RFC 3986, and a query

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Manage your API tokens.")


@group.command(context_settings={"allow_extra_args": True})
@option_groups
def login(
    ctx: typer.Context,
    with_token: Annotated[bool, "Read the token from stdin instead of prompting."] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify/--no-verify"),
        "Verify the token with the service before saving it; this is free.",
    ] = True,
    profile: options.Profile = None,
    base_url: options.BaseUrl = None,
    request_timeout: options.RequestTimeout = ServiceSettings.request_timeout,
    debug: options.Debug = False,
) -> None:
    """Save a token for this service in your config folder.

    With --profile it gets a name, so that you can keep several accounts.

    \b
    Examples:
      flux auth login
      flux auth login --profile work
      flux auth login --with-token < token.txt
    """
    runtime: Runtime = ctx.obj
    if ctx.args:  # typer would repeat them
        raise UsageError(
            "auth login takes no arguments: a token there would be visible to other users",
            hint=f"Run: {runtime.program} auth login, and paste the token when prompted",
        )
    account = runtime.stored_account(base_url, profile, may_be_new=True)
    url, name = account.base_url, account.profile_name
    shadow = token_from_environment(runtime.environment)
    if shadow is not None and profile is None:
        raise UsageError(
            f"{shadow.source} is set and takes precedence over a stored token",
            hint=f"Unset it first (unset {shadow.source}), or keep using it without logging in",
        )
    _check_replaced(runtime, account)
    token = _ask_for_token(runtime, url, from_stdin=with_token)
    runtime.stderr.keep_secret(token)
    if runtime.stderr.has_secret(name):
        raise UsageError("--profile: this is the token, not a name", hint="Example: --profile work")
    if verify:
        settings = ServiceSettings(
            base_url=url.text,
            concurrency=1,
            request_timeout=request_timeout,
            retries=2,
            debug=debug,
        )
        found = FoundToken(token, "this login", "It was not saved")
        with runtime.session(settings, found=found) as session:
            _verify(session)
    credential = Credential(token, runtime.now(), url.text)
    is_active = runtime.credentials.save(name, url.origin, credential)
    where = f"{account.of_profile} in {runtime.credentials.path}"
    runtime.stderr.line(f"flux: saved the token for {url.origin}{where}")
    if not is_active:
        runtime.stderr.line(
            f"flux: to use it without --profile, run: {runtime.program} auth switch {name}"
        )
    elif runtime.stderr.is_terminal:
        runtime.stderr.note(
            f"flux: for a picture, run: {runtime.program} images generate 'a red fox' --watch"
        )


@group.command()
@option_groups
def status(
    ctx: typer.Context, profile: options.Profile = None, base_url: options.BaseUrl = None
) -> None:
    """Show which token is in use, for which service, and where it is stored.

    Exits with 4 if there is none. Shows no part of the token and sends nothing.
    """
    runtime: Runtime = ctx.obj
    account, found = _required_token(runtime, base_url, profile)
    url = account.base_url
    if account.profile is not None and account.profile.is_shown:
        runtime.stdout.write_text(
            f"profile  {account.profile.name} (set by {account.profile.source})\n"
        )
    runtime.stdout.write_text(f"service  {url.origin} (set by {url.source})\n")
    runtime.stdout.write_text(f"token    {found.source}\n")
    try:
        profiles = runtime.credentials.load()
        name = account.profile_name if account.profile else profiles.active
        credential = profiles.of(name).get(url.origin)
    except UsageError as error:  # the token is from elsewhere, and the question answered
        runtime.stderr.line(f"flux: {error.message}. {error.hint}.")
        return
    if credential is not None:
        date = _date(credential.saved_at)
        runtime.stdout.write_text(f"stored   {date}, in {runtime.credentials.path}\n")


@group.command("token")
@option_groups
def show_token(
    ctx: typer.Context,
    curl_path: Annotated[
        str | None,
        typer.Option("--curl", metavar="PATH"),
        "Print a config for `curl -K -` instead, which POSTs JSON to PATH with the token.",
    ] = None,
    profile: options.Profile = None,
    base_url: options.BaseUrl = None,
) -> None:
    """Print the token in use, for your own scripts.

    With --curl it is only sent to its own service, and stays out of the process list.

    \b
    Examples:
      flux auth token
      flux auth token --curl flux/images | curl -sS -K - -d @task.json
    """
    runtime: Runtime = ctx.obj
    account, found = _required_token(runtime, base_url, profile)
    text = found.token.reveal()
    if curl_path is not None:
        text = _curl_configuration(_address(account.base_url, curl_path), text)
    runtime.stdout.write_text(f"{text}\n")


@group.command()
@option_groups
def logout(
    ctx: typer.Context, profile: options.Profile = None, base_url: options.BaseUrl = None
) -> None:
    """Delete the stored token for this service or profile."""
    runtime: Runtime = ctx.obj
    account = runtime.stored_account(base_url, profile)
    origin, name = account.base_url.origin, account.profile_name
    was_active = runtime.credentials.load().active == name
    if runtime.credentials.delete(name, origin):
        runtime.stderr.line(f"flux: deleted the token for {origin}{account.of_profile}.")
    else:
        runtime.stderr.line(f"flux: no stored token for {origin}{account.of_profile}.")
    active = runtime.credentials.load(anew=True).active
    if was_active and active != name:
        runtime.stderr.line(f"flux: switched to profile {active}.")
    if shadow := token_from_environment(runtime.environment):
        runtime.stderr.line(f"flux: {shadow.source} is still set, and its token remains in use.")


group.command("list")(list_accounts)
group.command()(switch)


def _check_replaced(runtime: Runtime, account: Account) -> None:
    """Say what a login is going to replace. Raises UsageError for a profile of another service."""
    origin, name = account.base_url.origin, account.profile_name
    credentials = runtime.credentials.load().of(name)
    if old := credentials.get(origin):
        runtime.stderr.line(
            f"flux: replacing the token for {origin}{account.of_profile},"
            f" saved {_date(old.saved_at)}"
        )
    elif credentials and name != DEFAULT_PROFILE:
        raise UsageError(
            f"profile {name} is for {', '.join(credentials)}, not for {origin}",
            hint="Use another --profile for it",
        )


def _date(saved_at: float | None) -> str:
    if saved_at is None:
        return "at an unknown time"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(saved_at))


def _address(base_url: BaseUrl, path: str) -> str:
    """Return the URL of a path of the service. Raises UsageError for what is no path."""
    path = path.removeprefix("/")
    if not _PATH.fullmatch(path) or "://" in path:
        raise UsageError("--curl: not a path on the service", hint="Example: --curl flux/images")
    return f"{base_url.text}/{path}"


def _curl_configuration(url: str, token: str) -> str:
    """Return what `curl -K` reads. Neither value has a quote or a backslash in it."""
    return (
        f'url = "{url}"\ngloboff\n'
        f'header = "authorization: Bearer {token}"\n'
        'header = "content-type: application/json"'
    )


def _required_token(
    runtime: Runtime, base_url: str | None, profile: str | None
) -> tuple[Account, FoundToken]:
    account = runtime.account(base_url, profile)
    if account.found is None:
        raise runtime.no_token(account)
    return account, account.found


def _verify(session: "Session") -> None:
    try:
        with interrupts.cuttable():
            session.verify_token()
    except ServiceError as error:
        if error.exit_code is not ExitCode.TOKEN:
            not_saved = "The token was not saved; --no-verify saves it unverified"
            error.hint = f"{error.hint}. {not_saved}" if error.hint else not_saved
        raise


def _ask_for_token(runtime: Runtime, url: BaseUrl, *, from_stdin: bool) -> Token:
    if from_stdin:
        with interrupts.cuttable():
            data = runtime.stdin.buffer.read(1 << 16) if runtime.stdin else b""
        text = data.decode("utf-8", "replace")
    elif runtime.stdin_is_terminal:
        from flux_cli.output.prompt import ask_secret

        page = token_page(url)
        source = f" (create one at {page})" if page else ""
        prompt = runtime.stderr.wrapped(f"API token for {url.origin}{source}: ")
        text = ask_secret("\n".join(prompt))
    else:
        raise UsageError(
            "stdin is not a terminal, so flux cannot prompt for the token",
            hint=f"Run: {runtime.program} auth login --with-token < FILE",
        )
    try:
        return Token(text.strip())
    except ValueError as error:
        raise NoToken(
            f"this is not a valid token: it {error}", hint="Paste the token alone, without Bearer"
        ) from None
