"""`flux auth`: the token, and where it is kept."""

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli import interrupts
from flux_cli.commands import options
from flux_cli.commands.option_groups import option_groups
from flux_cli.config.settings import (
    BaseUrl,
    FoundToken,
    token_from_environment,
    token_page,
)
from flux_cli.engine.policies import ServiceSettings
from flux_cli.errors import ExitCode, NoToken, ServiceError, UsageError
from flux_cli.runtime import Runtime
from flux_cli.storage.credentials import Credential
from flux_cli.token import Token


if TYPE_CHECKING:
    from flux_cli.engine.session import Session

_PATH = re.compile(r"[\w.~%:@!$&'()*+,;=/?-]+", re.ASCII)  # of RFC 3986, and a query

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Manage your API token.")


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
    base_url: options.BaseUrl = None,
    request_timeout: options.RequestTimeout = ServiceSettings.request_timeout,
    debug: options.Debug = False,
) -> None:
    """Save a token for this service in your config folder.

    \b
    Examples:
      flux auth login
      flux auth login --with-token < token.txt
    """
    runtime: Runtime = ctx.obj
    if ctx.args:  # typer would repeat them
        raise UsageError(
            "auth login takes no arguments: a token there would be visible to other users",
            hint=f"Run: {runtime.program} auth login, and paste the token when prompted",
        )
    url = runtime.base_url(base_url)
    if shadow := token_from_environment(runtime.environment):
        raise UsageError(
            f"{shadow.source} is set and takes precedence over a stored token",
            hint=f"Unset it first (unset {shadow.source}), or keep using it without logging in",
        )
    token = _ask_for_token(runtime, url, from_stdin=with_token)
    runtime.stderr.keep_secret(token)
    if verify:
        settings = ServiceSettings(
            base_url=base_url,
            concurrency=1,
            request_timeout=request_timeout,
            retries=2,
            debug=debug,
        )
        found = FoundToken(token, "this login", "It was not saved")
        with runtime.session(settings, found=found) as session:
            _verify(session)
    runtime.credentials.save(url.origin, Credential(token, runtime.now()))
    runtime.stderr.line(f"flux: saved the token for {url.origin} in {runtime.credentials.path}")


@group.command()
@option_groups
def status(ctx: typer.Context, base_url: options.BaseUrl = None) -> None:
    """Show which token is in use, for which service, and where it is stored.

    Exits with 4 if there is none. Shows no part of the token and sends nothing.
    """
    runtime: Runtime = ctx.obj
    url, found = _required_token(runtime, base_url)
    runtime.stdout.write_text(f"service  {url.origin} (set by {url.source})\n")
    runtime.stdout.write_text(f"token    {found.source}\n")
    try:
        credential = runtime.credentials.load().get(url.origin)
    except UsageError as error:  # the token is from elsewhere, and the question answered
        runtime.stderr.line(f"flux: {error.message}. {error.hint}.")
        return
    if credential is not None:
        date = "at an unknown time"
        if credential.saved_at is not None:
            date = time.strftime("%Y-%m-%d %H:%M", time.localtime(credential.saved_at))
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
    url, found = _required_token(runtime, base_url)
    text = found.token.reveal()
    if curl_path is not None:
        text = _curl_configuration(_address(url, curl_path), text)
    runtime.stdout.write_text(f"{text}\n")


@group.command()
@option_groups
def logout(ctx: typer.Context, base_url: options.BaseUrl = None) -> None:
    """Delete the stored token for this service."""
    runtime: Runtime = ctx.obj
    url = runtime.base_url(base_url)
    if runtime.credentials.delete(url.origin):
        runtime.stderr.line(f"flux: deleted the token for {url.origin}.")
    else:
        runtime.stderr.line(f"flux: no stored token for {url.origin}.")
    if shadow := token_from_environment(runtime.environment):
        runtime.stderr.line(f"flux: {shadow.source} is still set, and its token remains in use.")


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


def _required_token(runtime: Runtime, base_url: str | None) -> tuple[BaseUrl, FoundToken]:
    url = runtime.base_url(base_url)
    found = runtime.find_token(url)
    if found is None:
        raise runtime.no_token(url)
    return url, found


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
        from flux_cli.output.secret_prompt import ask_secret

        page = token_page(url)
        source = f" (create one at {page})" if page else ""
        text = ask_secret(f"API token for {url.origin}{source}: ")
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
