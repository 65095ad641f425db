"""Task ids: what is one, when two are the same, what a set of them costs."""

import tracemalloc
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.models.ids import TaskIds, flaw, match_key


UPPER = "2DB0168C-2373-4367-8D9A-9DC778802E8A"


@pytest.mark.parametrize("text", ["a", "x" * 128, UPPER, "a#b", "a:b/c;d=e", "-", "!~"])
def test_accepts_visible_ascii(text: str) -> None:
    assert flaw(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("x" * 129, "is 129 characters long; the maximum is 128"),
        ("a b", "contains whitespace"),
        ("a,b", "contains a comma"),
        ('a"', "contains a quote"),
        ("{a", "contains a bracket"),
        ("a\x1b", "contains a control character"),
        ("a\x7f", "contains a control character"),
        ("é", "contains a non-ASCII character"),
    ],
)
def test_says_what_is_wrong(text: str, reason: str) -> None:
    assert flaw(text) == reason


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
