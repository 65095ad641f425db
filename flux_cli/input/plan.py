"""Makes requests of prompts and of the options that hold for all, or says what is wrong."""

from collections.abc import Iterable, Mapping
from typing import Any

from flux_cli.errors import FieldError, InputError, UsageError
from flux_cli.input.prompts import Prompt
from flux_cli.models.request_fields import is_given
from flux_cli.models.requests import RequestKind, make_body, parse
from flux_cli.models.submission import PlannedRequest
from flux_cli.token import Token


_MOST_PROBLEMS = 5  # named one by one
_HINT = "Nothing was sent. Correct what is named, and run the same command again"


def plan(
    kind: RequestKind,
    prompts: Iterable[Prompt],
    defaults: Mapping[str, Any],
    *,
    token: Token | None = None,
) -> list[PlannedRequest]:
    """Return the request for each prompt; what a prompt does not set, `defaults` do.

    Those come from options named after the fields. Raises UsageError for one of them
    that no prompt can have, or that has `token` in it, and InputError, with the places,
    when prompts cannot be sent.
    """
    defaults = {name: value for name, value in defaults.items() if is_given(value)}
    _check_defaults(kind, defaults, token)
    planned: list[PlannedRequest] = []
    problems = _Problems()
    try:
        for prompt in prompts:
            own = {name: value for name, value in prompt.fields.items() if is_given(value)}
            try:
                body = make_body(kind, {**defaults, **own})
            except FieldError as error:
                is_default = error.field in defaults and error.field not in own
                problems.add(prompt.place, error, option_of(error.field) if is_default else None)
            else:
                if not problems:
                    planned.append(PlannedRequest(kind.path, body, prompt.labels, prompt.place))
    except InputError as error:  # what is no prompt ends the reading
        if not problems:
            raise
        problems.add_last(error)
    problems.check()
    return planned


def option_of(field: str) -> str:
    """Return the option that sets `field` for all prompts."""
    return f"--{field.replace('_', '-')}"


def _check_defaults(kind: RequestKind, defaults: Mapping[str, Any], token: Token | None) -> None:
    for name, value in defaults.items():
        if token and token.hide_in(value) != value:
            raise UsageError(f"{option_of(name)}: this contains your API token", hint=_HINT)
        try:
            parse(kind, name, value)
        except FieldError as error:
            raise UsageError(f"{option_of(name)}: {error.message}", hint=_HINT) from None


class _Problems:
    """What is wrong with prompts: the first few, and how many more there are."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._count = 0
        self._of_options: set[str] = set()

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, place: str, error: FieldError, option: str | None) -> None:
        """Note what is wrong with one prompt; with an `option` to blame, that but once."""
        message = f"{option}: {error.message}" if option else error.message
        if option and message in self._of_options:
            return
        if option:
            self._of_options.add(message)
        self._add(f"{place}: {message}")

    def add_last(self, error: InputError) -> None:
        """Note why there was no more to read."""
        self._add(error.message)

    def _add(self, line: str) -> None:
        self._count += 1
        if self._count <= _MOST_PROBLEMS:
            self._lines.append(line)

    def check(self) -> None:
        """Raise InputError if there was anything wrong."""
        if not self:
            return
        more = self._lines[1:]
        if hidden := self._count - len(self._lines):
            more.append(f"and {hidden:,} more")
        raise InputError(self._lines[0], hint=_HINT, more=tuple(more))
