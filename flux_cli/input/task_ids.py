"""Gathers task ids from arguments, files and stdin, all read and checked before any is used."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.id_reader import ErrorReply, FoundId, JsonObject, Problem, read_ids
from flux_cli.input.sources import STDIN, Enough, Source, is_taken_for_file, opened
from flux_cli.models.echo import shortened
from flux_cli.models.ids import (
    TaskIds,
    flaw_in_argument,
    is_file_like,
    is_uuid,
    match_key,
    uuids_in,
)
from flux_cli.models.task import Task, read_record, read_run_keys
from flux_cli.token import Token


_MOST_PROBLEMS = 5  # named one by one
_NOTHING_SENT = "Nothing was sent"
_ADVICE = "Separate ids with whitespace or commas; CSV needs a task_id or id column"
_OWN_ARGUMENT = "Give each id as its own argument"
_READ_FILE = "Read a file with --file FILE"
_LONGEST_REASON = 100  # characters of what the service said that are shown
_LONGEST_ECHO = 40  # characters of a bad id that are shown


def gather_ids(
    arguments: Sequence[str],
    files: Sequence[str],
    stdin: TextIO | None,
    *,
    token: Token | None,
    note: Callable[[str], None],
    find: bool = False,
    keep: Callable[[Task | None], None] | None = None,
    keep_row: Callable[[str, int, Mapping[str, str]], None] = lambda *_: None,
) -> TaskIds:
    """Return the distinct ids of all sources, in order.

    Stdin is read when there are neither arguments nor files. With `find`, every
    UUID in files and stdin is an id, whatever stands around it. Raises
    InputError that names source and line of a bad id, and of others as far as
    they were read by then; `token`, pasted where an id belongs, is one of them.
    `note` is told what was left out; `keep` is given the task of each new id
    that the input tells about, None where it does not tell the end of it, and
    `keep_row` is given the row and the labels that it tells of one.
    """

    def learn(task_id: str, record: JsonObject) -> None:
        if keep is not None:
            keep(read_record(task_id, record))
        if (run_keys := read_run_keys(record)) is not None:
            keep_row(task_id, *run_keys)

    gatherer = _Gatherer(token, learn)
    gatherer.take("argument ", ((_argument(a), n, None) for n, a in enumerate(arguments, 1)))
    files = files or ([] if arguments else [STDIN])
    empty: list[str] = []
    for file in files:
        before = gatherer.taken
        with opened(file, stdin, "ids") as source:
            gatherer.read(source, find=find)
        if gatherer.taken == before:
            empty.append(source.name)
    if not gatherer.ids:
        raise gatherer.refusal() or _empty(empty, find=find)
    if gatherer.refused:
        note(f"flux: skipped {gatherer.refused_summary()}.")
    if empty:
        note(f"flux: {_empty(empty, find=find).message}.")
    return gatherer.ids


def _empty(names: Sequence[str], *, find: bool) -> InputError:
    if find:
        what = "no UUIDs found in " + ("it" if len(names) == 1 else "them")
    else:
        what = ("it contains" if len(names) == 1 else "they contain") + " no task ids"
    return InputError(
        f"{', '.join(names)}: {what}", hint="Give ids as arguments, with --file, or on stdin"
    )


class _Gatherer:
    """Takes ids from one source after the other, until one has a problem."""

    def __init__(self, token: Token | None, learn: Callable[[str, JsonObject], None]) -> None:
        self.ids = TaskIds()
        self.refused = 0
        """How many replies were about an error: those submissions have no task."""
        self._refusal = ("", "")  # the first of them: its place and its reason
        self._has_records = False  # among them, which do not say that there is no task
        self._token = token
        self._learn = learn

    @property
    def taken(self) -> int:
        """How much was made sense of."""
        return self.ids.given + self.refused

    def refused_summary(self) -> str:
        """Count the error replies, with the reason of the first."""
        noun = "error reply" if self.refused == 1 else "error replies"
        first = "" if self.refused == 1 else "the first: "
        if self._has_records:
            noun = "record" if self.refused == 1 else "records"
            return f"{self.refused:,} {noun} without a task id ({first}{self._refusal[1]})"
        verb = "no task was created"
        return f"{self.refused:,} {noun} ({first}{self._refusal[1]}): {verb}"

    def refusal(self) -> InputError | None:
        """Return what is wrong where there is nothing but error replies."""
        if not self.refused:
            return None
        place, reason = self._refusal
        if self._has_records:
            return InputError(
                f"{place}: this record has no task id: {reason}",
                hint=f"{_NOTHING_SENT}. To see what became of a run: flux runs show NAME",
            )
        return InputError(
            f"{place}: this is an error reply; no task was created: {reason}",
            hint=f"{_NOTHING_SENT}. Correct what it names, and submit again",
        )

    def read(self, source: Source, *, find: bool) -> None:
        """Take the ids of a file, or all its UUIDs. Raises InputError."""
        text = Text(source, source.name, lossy=find)
        if find:
            self.take("", ((uuid, 0, None) for uuid in self._uuids(text)))
            return
        before = self.ids.given
        try:
            self.take(f"{source.name}:", read_ids(text), source)
        except InputError as error:
            count = len({match_key(uuid) for uuid in self._uuids([text.last])})
            if count and self.ids.given == before:  # this is no list with a slip in it
                found = "1 UUID" if count == 1 else f"{count:,} UUIDs"
                error.hint = f"{_NOTHING_SENT}. {found} found: use --find-ids"
            raise

    def take(self, place: str, found_ids: Iterator[FoundId], source: Source | None = None) -> None:
        """Take `found_ids`, which stand at `place` and a number. Raises InputError."""
        problems: list[str] = []
        advice: str | None = None
        before = self.ids.given
        with contextlib.suppress(Enough):
            for found, number, record in found_ids:
                if isinstance(found, ErrorReply):
                    reason = self._shown(found.reason, _LONGEST_REASON)
                    self._refusal = self._refusal if self.refused else (f"{place}{number}", reason)
                    self.refused += 1
                    self._has_records |= found.is_record
                elif problem := self._problem(found):
                    if not problems and isinstance(found, Problem):
                        advice = found.advice
                    problems.append(f"{place}{number}: {problem}")
                    if len(problems) == _MOST_PROBLEMS or self.ids.given == before:
                        break
                    if source:
                        source.is_enough = True
                elif self.ids.add(str(found)) and record is not None:
                    self._learn(str(found), record)
        if problems:
            hint = f"{_NOTHING_SENT}. {advice or (_ADVICE if source else _OWN_ARGUMENT)}"
            raise InputError(problems[0], hint=hint, more=tuple(problems[1:]))

    def _uuids(self, text: Iterable[str]) -> Iterator[str]:
        return (uuid for uuid in uuids_in(text) if not self._is_token(uuid))

    def _shown(self, text: str, longest: int) -> str:
        return shortened(self._token.hide(text) if self._token else text, longest)

    def _problem(self, found: str | Problem) -> str | None:
        if isinstance(found, str):
            return "this is your API token, not a task id" if self._is_token(found) else None
        if found.word is None:
            return found.message
        if self._is_token(found.word):
            return "this is your API token, not a task id"
        return f'"{self._shown(found.word, _LONGEST_ECHO)}" {found.message}'

    def _is_token(self, text: str) -> bool:
        """Tell whether `text` is the token, or has it between other characters."""
        token = self._token
        return token is not None and (
            token.is_in(text) or (not is_uuid(text) and token.hide(text) != text)
        )


def _argument(text: str) -> str | Problem:
    if text == STDIN:
        return Problem("is not a task id: to read stdin, use --file -", text)
    if is_taken_for_file(text):
        return Problem("is a file, not a task id: to read it, use --file", text)
    if not (reason := flaw_in_argument(text)):
        return text
    if is_file_like(text):
        return Problem("is not a task id, and there is no such file", text, _READ_FILE)
    return Problem(f"is not a task id: it {reason}", text)


def is_argument(task_id: str) -> bool:
    """Tell whether an argument `task_id` is taken for the id that it is."""
    return isinstance(_argument(task_id), str)
