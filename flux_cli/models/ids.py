"""Task ids: what is one, when two are the same, and an ordered set of them."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


MAX_LENGTH = 128
_QUOTES, _BRACKETS = "\"'`", "()[]{}<>"
_ID = re.compile(rf"[!#$%&*+./0-9:;=?@A-Z\\^_a-z|~-]{{1,{MAX_LENGTH}}}")  # ASCII but for those
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST_BEFORE = 32  # characters that tell where a UUID begins, and what it is
_IN_TEXT = re.compile(  # not a part of more digits; after `%2F`, too
    rf"(?:(?<![0-9a-f])|(?<=%[0-9a-f]{{2}})){_UUID.pattern}(?![0-9a-f])", re.IGNORECASE
)
_TRACE_LABEL = re.compile(r"trace[\s_-]?id\W{0,8}\Z", re.IGNORECASE)
_UUID_LENGTH = 36
_SPACES = {" ": "a space", "\n": "a line break", "\t": "a tab"}

_FILE = re.compile(r"[/\\]|\A[@~]|\.(?:txt|csv|json|jsonl|ids)\Z", re.IGNORECASE)
_Rules = tuple[tuple[re.Pattern[str], str], ...]
_EVERYWHERE: _Rules = (
    (re.compile(r"\A[^0-9A-Za-z]+\Z"), "contains no letter and no digit"),
    (
        re.compile(
            r"\A(?:(?:(?:your|my)[_-]?)?(?:task[_-]?)?ids?|null|none|nil|undefined|nan|n/a|tbd"
            r"|#n/a|#[a-z0-9/]+[!?])\Z",
            re.IGNORECASE,
        ),
        "is a placeholder",
    ),
    (
        re.compile(
            r"\A(?:[0-9a-f]{1,9}(?:-[0-9a-f]{3,5}){3}(?:-[0-9a-f]{0,13})?"
            r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){0,3}-)\Z",
            re.IGNORECASE,
        ),
        "is not a whole UUID",
    ),
)
_TYPED: _Rules = (
    (re.compile("://"), "is a URL"),
    (_FILE, "looks like the name of a file"),
    (_UUID, "has extra characters around a task id"),
    (re.compile(r"[*?]"), "contains a wildcard"),
    (re.compile(r"[;|]"), "contains a separator"),
    (re.compile(r"\A--[a-z-]*(?:=|\Z)"), "looks like an option"),
    (re.compile(r"\A(?:\$|%\w+%\Z)"), "is the name of a variable"),
    (re.compile(r"\A[A-Za-z_][\w-]*=[^=]"), "has a name before it"),
)
_IN_PLAIN_TEXT: _Rules = (
    (re.compile(r"\A[^0-9]*\Z"), "contains no digit"),
    (
        re.compile(
            r"\A(?:\d{4}([-/.])\d\d?\1\d\d?(?:T[\d:.+-]+Z?)?|\d\d?([-/.])\d\d?\2\d{2,4}"
            r"|\d\d?:\d\d(?::\d\d)?(?:\.\d+)?Z?)\Z",
            re.ASCII,
        ),
        "is a date or a time",
    ),
    (re.compile(r"\A[+-]?(?:\d{1,5}[.:]?|\d*\.\d+)%?\Z", re.ASCII), "is a number"),
)
_SIMPLE = re.compile(  # most ids, in which no rule finds anything
    r"(?!--|[0-9a-f]{1,9}-)(?=[0-9-]*[A-Za-z_])(?=[A-Za-z_-]*[0-9])[0-9A-Za-z_-]{1,35}",
    re.IGNORECASE,
)


def flaw(text: str) -> str | None:
    """Say why `text` cannot be a task id, or None when it can."""
    if _ID.fullmatch(text):
        return None
    if not text:
        return "is empty"
    if len(text) > MAX_LENGTH:
        return f"is {len(text):,} characters long; the maximum is {MAX_LENGTH}"
    culprit = next(c for c in text if not _ID.fullmatch(c))
    code = f"U+{ord(culprit):04X}"
    if culprit.isspace() or not culprit.isprintable():
        ends = {0: " at its start", len(text) - 1: " at its end"}
        name = _SPACES.get(culprit, f"an invisible character ({code})")
        return f"contains {name}{ends.get(text.index(culprit), '')}"
    for kind, characters in (("comma", ","), ("quotation mark", _QUOTES), ("bracket", _BRACKETS)):
        if culprit in characters:
            return f"contains a {kind}"
    return f"contains a character that is not ASCII ({code})"


def flaw_in_data(text: str) -> str | None:
    """Say why `text`, where JSON or CSV has an id, is none."""
    if _UUID.fullmatch(text):
        return None
    return flaw(text) or _broken(text, _EVERYWHERE)


def flaw_in_argument(text: str) -> str | None:
    """Say why `text`, which somebody typed or a shell made, is no task id."""
    if _UUID.fullmatch(text):
        return None
    return flaw(text) or _broken(text, _EVERYWHERE + _TYPED)


def flaw_in_text(word: str) -> str | None:
    """Say why `word` of plain text, where other things stand as well, is no task id."""
    if _UUID.fullmatch(word) or _SIMPLE.fullmatch(word):
        return None
    return flaw(word) or _broken(word, _IN_PLAIN_TEXT + _EVERYWHERE + _TYPED)


def _broken(text: str, rules: _Rules) -> str | None:
    return next((reason for pattern, reason in rules if pattern.search(text)), None)


def is_file_like(text: str) -> bool:
    """Tell whether `text` is written as paths and names of files are."""
    return _FILE.search(text) is not None and "://" not in text


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID, and nothing else."""
    return _UUID.fullmatch(text) is not None


def uuids_in(pieces: Iterable[str]) -> Iterator[str]:
    """Yield every UUID of a text that comes in pieces, as it is spelled, but for trace ids."""
    rest, searched = "", 0
    for piece in itertools.chain(pieces, ["\n"]):
        text = rest + piece
        has_labels = "trace" in text.lower()
        for match in _IN_TEXT.finditer(text, searched):
            if match.end() == len(text):
                break  # it may go on
            searched = match.end()
            if not (has_labels and _is_trace(text, match.start())):
                yield match[0]
        cut = max(len(text) - _LONGEST_BEFORE - _UUID_LENGTH - 1, 0)
        rest, searched = text[cut:], max(searched - cut, _LONGEST_BEFORE if cut else 0)


def _is_trace(text: str, start: int) -> bool:
    """Tell whether what starts there is labelled as the id of a trace."""
    return _TRACE_LABEL.search(text, max(start - _LONGEST_BEFORE, 0), start) is not None


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
