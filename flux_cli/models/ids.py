"""Task ids: what is one, when two are the same, and an ordered set of them."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


MAX_LENGTH = 128
_QUOTES, _BRACKETS = "\"'`", "()[]{}<>"
_ID = re.compile(rf"[!#$%&*+./0-9:;=?@A-Z\\^_a-z|~-]{{1,{MAX_LENGTH}}}")  # ASCII but for those
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_BEFORE = 3  # characters that tell where a UUID begins
_IN_TEXT = re.compile(  # not a part of more digits; after `%2F`, too
    rf"(?:(?<![0-9a-f])|(?<=%[0-9a-f]{{2}})){_UUID.pattern}(?![0-9a-f])", re.IGNORECASE
)
_UUID_LENGTH = 36
_DIGIT = re.compile("[0-9]")


def flaw(text: str) -> str | None:
    """Say why `text` cannot be a task id, or None when it can."""
    if _ID.fullmatch(text):
        return None
    if not text:
        return "is empty"
    if len(text) > MAX_LENGTH:
        return f"is {len(text):,} characters long; the maximum is {MAX_LENGTH}"
    culprit = next(c for c in text if not _ID.fullmatch(c))
    if culprit.isspace():
        return "contains whitespace"
    for kind, characters in (("comma", ","), ("quote", _QUOTES), ("bracket", _BRACKETS)):
        if culprit in characters:
            return f"contains a {kind}"
    return "contains a control character" if culprit.isascii() else "contains a non-ASCII character"


def flaw_in_text(word: str) -> str | None:
    """Say why `word` of plain text, where other things stand as well, is no task id."""
    if _UUID.fullmatch(word):
        return None
    if reason := flaw(word):
        return reason
    if not _DIGIT.search(word):
        return "has no digit"
    if "://" in word:
        return "is a URL"
    return "contains more than a UUID" if _UUID.search(word) else None


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID, and nothing else."""
    return _UUID.fullmatch(text) is not None


def uuids_in(pieces: Iterable[str]) -> Iterator[str]:
    """Yield every UUID of a text that comes in pieces, as it is spelled."""
    rest, searched = "", 0
    for piece in itertools.chain(pieces, ["\n"]):
        text = rest + piece
        for match in _IN_TEXT.finditer(text, searched):
            if match.end() == len(text):
                break  # it may go on
            yield match[0]
            searched = match.end()
        cut = max(len(text) - _LONGEST_BEFORE - _UUID_LENGTH - 1, 0)
        rest, searched = text[cut:], max(searched - cut, _LONGEST_BEFORE if cut else 0)


def match_key(task_id: str) -> str:
    """Return what two spellings of one id have in common: UUIDs ignore case."""
    lower = task_id.lower()
    return lower if lower != task_id and _UUID.fullmatch(task_id) else task_id


def record_key(record: Mapping[str, Any]) -> str | None:
    """Return what the id in a record of the service is matched by; None where there is none."""
    task_id = record.get("id")
    if isinstance(task_id, int) and not isinstance(task_id, bool):
        task_id = str(task_id)
    return match_key(task_id) if isinstance(task_id, str) and task_id else None


class TaskIds:
    """Distinct task ids in the order they were given, each as it was first spelled.

    Costs about 120 to 190 bytes for each UUID: the key, its place in one dict,
    and, where the spelling has capitals, their positions as one integer
    instead of a second string.
    """

    def __init__(self) -> None:
        self._capitals: dict[str, int] = {}
        self.duplicates = 0

    def add(self, task_id: str) -> bool:
        """Append `task_id`, or count it as a duplicate and return False."""
        key = match_key(task_id)
        if key in self._capitals:
            self.duplicates += 1
            return False
        if key == task_id:
            self._capitals[task_id] = 0
        else:
            self._capitals[key] = sum(1 << i for i, c in enumerate(task_id) if c.isupper())
        return True

    @property
    def given(self) -> int:
        """How many were added, duplicates too."""
        return len(self) + self.duplicates

    def __len__(self) -> int:
        return len(self._capitals)

    def __iter__(self) -> Iterator[str]:
        for key, capitals in self._capitals.items():
            yield key if not capitals else _capitalise(key, capitals)


def _capitalise(key: str, capitals: int) -> str:
    return "".join(c.upper() if capitals >> i & 1 else c for i, c in enumerate(key))
