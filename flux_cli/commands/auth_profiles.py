"""`flux auth list` and `flux auth switch`: accounts side by side."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from flux_cli.commands.option_groups import option_groups
from flux_cli.config.accounts import VARIABLE, profile_name, unknown_profile
from flux_cli.config.settings import token_from_environment
from flux_cli.errors import NoToken
from flux_cli.output.records import rfc3339
from flux_cli.output.sanitize import sanitize
from flux_cli.output.terminal import Stdout
from flux_cli.output.times import format_age
from flux_cli.runtime import Runtime
from flux_cli.storage.credentials import Credential


class ListFormat(StrEnum):
    """How accounts are listed."""

    AUTO = "auto"
    TABLE = "table"
    JSONL = "jsonl"
    JSON = "json"

    def on(self, stdout: Stdout) -> "ListFormat":
        """Return what this is there: `auto` is the table on a terminal, else JSON lines."""
        if self is not ListFormat.AUTO:
            return self
        return ListFormat.TABLE if stdout.is_terminal else ListFormat.JSONL


@option_groups
def list_accounts(
    ctx: typer.Context,
    output: Annotated[
        ListFormat,
        typer.Option("--output", "-o"),
        "Output format. auto is a table on a terminal, JSON lines elsewhere.",
    ] = ListFormat.AUTO,
) -> None:
    """List the stored accounts: profile, service, and when the token was saved.

    The one used by default is marked with *. Shows no part of a token.

    \b
    Examples:
      flux auth list
      flux auth list -o jsonl | jq -r 'select(.active).service'
    """
    runtime: Runtime = ctx.obj
    records = list(_records(runtime))
    output = output.on(runtime.stdout)
    if output is ListFormat.JSON:
        lines = [json.dumps(records, indent=2)]
    elif output is ListFormat.JSONL:
        lines = [json.dumps(record) for record in records]
    else:
        lines = list(_table(runtime)) if records else []
    runtime.stdout.write_text("".join(f"{line}\n" for line in lines))
    if not records:
        runtime.stderr.line(f"flux: no stored accounts. Run: {runtime.credentials.login_command}")
    tell_of_shadows(runtime)


@option_groups
def switch(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME"), "The profile to use by default."],
) -> None:
    """Set the profile to use by default.

    \b
    Example:
      flux auth switch work
    """
    runtime: Runtime = ctx.obj
    store = runtime.credentials
    runtime.keep_stored_secrets()
    profile_name(name, "auth switch")
    if not store.load().by_name:
        raise NoToken("no stored accounts", hint=f"Run: {store.login_command}")
    if not store.switch(name):
        raise unknown_profile(name, "auth switch", store)
    services = ", ".join(store.load().of(name))
    runtime.stderr.line(f"flux: switched to profile {name} ({services}).")
    tell_of_shadows(runtime)


def tell_of_shadows(runtime: Runtime) -> None:
    """Say which variable comes before the active profile."""
    name = runtime.environment.get(VARIABLE, "").strip()
    if shadow := token_from_environment(runtime.environment):
        runtime.stderr.line(
            f"flux: {shadow.source} is set and takes precedence, except over --profile."
        )
    elif name:
        runtime.stderr.line(f"flux: {VARIABLE} is set, so profile {name} is in use.")


def _records(runtime: Runtime) -> Iterator[dict[str, Any]]:
    for name, is_active, service, credential in _accounts(runtime):
        yield {
            "profile": name,
            "active": is_active,
            "service": service,
            "saved_at": rfc3339(credential.saved_at),
        }


def _table(runtime: Runtime) -> Iterator[str]:
    rows = [
        ("* " if is_active else "  ", name, sanitize(service), credential.saved_at)
        for name, is_active, service, credential in _accounts(runtime)
    ]
    names = max(len("PROFILE"), *(len(row[1]) for row in rows))
    services = max(len(row[2]) for row in rows)
    yield f"  {'PROFILE':{names}}  {'SERVICE':{services}}  SAVED"
    for mark, name, service, saved_at in rows:
        yield f"{mark}{name:{names}}  {service:{services}}  {format_age(saved_at, runtime.now())}"


def _accounts(runtime: Runtime) -> Iterator[tuple[str, bool, str, Credential]]:
    """Yield profile, whether it is the active one, service and credential of each account."""
    profiles = runtime.credentials.load()
    active = runtime.environment.get(VARIABLE, "").strip() or profiles.active
    is_shadowed = token_from_environment(runtime.environment) is not None
    for name, credentials in sorted(profiles.by_name.items()):
        for origin, credential in sorted(credentials.items()):
            is_active = name == active and not is_shadowed
            yield name, is_active, credential.base_url or origin, credential
