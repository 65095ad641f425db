"""Reads prompts from arguments, files and stdin, one after the other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.prompt_reader import Found, read_prompts_in, refusal_of_line
from flux_cli.input.sources import STDIN, is_taken_for_file, opened
from flux_cli.models.echo import shown
from flux_cli.token import Token


_NOTHING_SENT = "Nothing was sent"
_WORD = re.compile("[!-~]+")  # ASCII: many languages have no spaces between words
_FILE_NAME = re.compile(r"\S+\.(?:txt|[ct]sv|jsonl?)", re.IGNORECASE)


class Prompt(NamedTuple):
    """What one task is to be made of, where it stood, and what else stood there.

    `fields` are those of a request, text or JSON values; `labels` are the
    user's own; `place` is like `prompts.csv:3` or `argument 2`.
    """

    fields: Mapping[str, Any]
    labels: Mapping[str, str]
    place: str


def read_prompts(
    arguments: Sequence[str],
    files: Sequence[str],
    stdin: TextIO | None,
    *,
    token: Token | None = None,
) -> Iterator[Prompt]:
    """Yield the prompts of all sources, in order; the values of their fields are not checked.

    Stdin is read when there are neither arguments nor files. Raises InputError
    that names the place of the first thing that is no prompt, or has `token` in it.
    """
    given = [
        _checked(Prompt({"prompt": text}, {}, f"argument {number}"), token)
        for number, text in enumerate(arguments, 1)
    ]
    _check_words(arguments)
    for prompt in given:
        _check_argument(prompt, is_alone=len(given) == 1)
        yield prompt
    for file in files or ([] if arguments else [STDIN]):
        with opened(file, stdin, "prompts") as source:
            is_empty = True
            for found in _found(Text(source, source.name), token):
                is_empty = False
                place = f"{source.name}:{found.line}"
                yield _checked(Prompt(found.fields, found.labels, place), token)
        if is_empty:
            raise InputError(
                f"{source.name}: it contains no prompts",
                hint="Give prompts as arguments, with --file, or on stdin",
            )


def _found(text: Text, token: Token | None) -> Iterator[Found]:
    try:
        yield from read_prompts_in(text)
    except InputError as error:
        if token:
            error.message = token.hide(error.message)
        raise


def _checked(prompt: Prompt, token: Token | None) -> Prompt:
    """Return `prompt`. Raises InputError for what may be kept or sent in none."""
    if token and token.hide(text := f"{prompt.fields}{prompt.labels}") != text:
        raise InputError(
            f"{prompt.place}: this contains your API token",
            hint=f"{_NOTHING_SENT}. Take it out, and make a new token if others have seen it",
        )
    try:
        "".join([*prompt.labels, *prompt.labels.values()]).encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{prompt.place}: a label has half a character in it, which cannot be written",
            hint=f"{_NOTHING_SENT}. Correct the \\uD800 to \\uDFFF in it, or take it out",
        ) from None
    return prompt


def _check_words(arguments: Sequence[str]) -> None:
    """Raise InputError for one prompt without quotation marks: each word would be paid for."""
    if len(arguments) > 1 and all(map(_WORD.fullmatch, arguments)):
        raise InputError(
            f"arguments 1 to {len(arguments)}: {shown(' '.join(arguments))} is"
            f" {len(arguments)} prompts of one word each",
            hint=f"{_NOTHING_SENT}. Put quotation marks around a prompt; to send single words"
            " give them on stdin, one in each line",
        )


def _check_argument(prompt: Prompt, *, is_alone: bool) -> None:
    text = str(prompt.fields["prompt"])
    hint = f"{_NOTHING_SENT}. To use the word itself as a prompt, give it on stdin"
    refusal: tuple[str, str] | None = None
    if text == STDIN:
        refusal = f"{shown(text)} is not a prompt: to read stdin, use --file -", _NOTHING_SENT
    elif is_taken_for_file(text):
        refusal = f"{shown(text)} is a file, not a prompt: to read it, use --file", hint
    elif _FILE_NAME.fullmatch(text):
        refusal = f"{shown(text)} is not a prompt, and there is no such file", hint
    elif text.strip():
        refusal = refusal_of_line(text.strip())
    if refusal is None and not is_alone and _WORD.fullmatch(text.strip()):
        refusal = (
            f"{shown(text)} is a prompt of one word beside others",
            f"{_NOTHING_SENT}. If it is meant, give the prompts on stdin, one in each line",
        )
    if refusal:
        raise InputError(f"{prompt.place}: {refusal[0]}", hint=refusal[1])
