"""Task ids: what is one, when two are the same, what a set of them costs."""

import tracemalloc
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.models.ids import (
    TaskIds,
    flaw,
    flaw_in_argument,
    flaw_in_data,
    flaw_in_text,
    match_key,
)


UPPER = "2DB0168C-2373-4367-8D9A-9DC778802E8A"


@pytest.mark.parametrize("text", ["a", "x" * 128, UPPER, "a#b", "a:b/c;d=e", "-", "!~"])
def test_accepts_visible_ascii(text: str) -> None:
    assert flaw(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("x" * 129, "is 129 characters long; the maximum is 128"),
        ("a b", "contains a space"),
        ("a,b", "contains a comma"),
        ('a"', "contains a quotation mark"),
        ("{a", "contains a bracket"),
        ("a\x1bb", "contains an invisible character (U+001B)"),
        ("a\x7f", "contains an invisible character (U+007F) at its end"),
        ("\u200ba", "contains an invisible character (U+200B) at its start"),
        (" a", "contains a space at its start"),
        ("a\n", "contains a line break at its end"),
        ("é", "contains a character that is not ASCII (U+00E9)"),
    ],
)
def test_says_what_is_wrong(text: str, reason: str) -> None:
    assert flaw(text) == reason


LOWER = UPPER.lower()
FLAWS = {  # by where they matter: in text all, in arguments the first two, in JSON the first
    flaw_in_data: {
        "contains no letter and no digit": "- -- ...",
        "is a placeholder": "null None n/a TBD #NAME? #N/A #REF! ID task_id YOUR_TASK_ID",
        "is not a whole UUID": f"{LOWER[:-1]} {LOWER[1:]} {LOWER[:9]} {LOWER[:24]}",
    },
    flaw_in_argument: {
        "is a URL": f"https://cdn.example/{LOWER}",
        "looks like the name of a file": r"no.txt ./a1 ~a1 @a1 C:\a1 ids.CSV *.txt",
        "has extra characters around a task id": f"{LOWER}x {LOWER}. id={LOWER} {LOWER};{UPPER}",
        "contains a wildcard": "a* a?1",
        "contains a separator": "a;b a|b",
        "looks like an option": "--state",
        "is the name of a variable": "$ID %ID%",
        "has a name before it": "ID=a1",
    },
    flaw_in_text: {
        "contains no digit": "red",
        "is a date or a time": "2025-01-08 02:51:09 2025-01-08T02:51:09.5Z 8.1.2025",
        "is a number": "1 12345 30.5 -7 1. 50%",
    },
}


def test_what_is_no_id_is_so_by_where_it_stands() -> None:
    for number, level in enumerate(FLAWS):
        for reason, words in FLAWS[level].items():
            for word in words.split():
                for other, reads in enumerate(FLAWS):
                    found = reads(word)
                    assert (found is None) == (other < number), word
                    assert other != number or found == reason, word


@pytest.mark.parametrize("reads", FLAWS)
@pytest.mark.parametrize("text", [LOWER, UPPER, "123456", "task-1", "a1=", "a.1", "a:1", "-a1"])
def test_what_may_be_an_id_is_one_anywhere(reads: Callable[[str], str | None], text: str) -> None:
    assert reads(text) is None


@pytest.mark.parametrize("text", ["a", "an-id", "r1", "7"])
def test_an_argument_needs_no_digit(text: str) -> None:
    assert flaw_in_argument(text) is None


def test_uuids_match_without_regard_to_case_and_other_ids_do_not() -> None:
    assert match_key(UPPER) == match_key(UPPER.lower())
    assert match_key("Abc") != match_key("abc")


@given(st.lists(st.one_of(st.uuids().map(str), st.text("abAB-", min_size=1, max_size=3))))
def test_keeps_order_and_spelling_and_counts_duplicates(texts: list[str]) -> None:
    spelled = [text.upper() if number % 2 else text for number, text in enumerate(texts)]
    ids = TaskIds()
    for text in spelled:
        ids.add(text)
    first: dict[str, str] = {}
    for text in spelled:
        first.setdefault(match_key(text), text)
    assert list(ids) == list(first.values())
    assert len(ids) + ids.duplicates == len(spelled)


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_an_id_costs_at_most_200_bytes(spell: type[str]) -> None:
    count = 100_000
    tracemalloc.start()
    ids = TaskIds()
    for number in range(count):
        ids.add(spell(str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(ids) == count
    assert peak / count < 200
