"""How sentences are wrapped: nothing is lost, nothing is broken, and what is typed is whole."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from flux_cli.output.wrapping import wrap


WORDS = st.lists(
    st.text(string.ascii_letters + "-/:.山水🌱✓é", min_size=1, max_size=30), min_size=1, max_size=30
)
COLUMNS = st.integers(8, 120)


@given(WORDS, COLUMNS)
def test_no_word_is_broken_or_lost_and_no_line_is_too_long(words: list[str], columns: int) -> None:
    first, *others = wrap(" ".join(words), columns)
    assert " ".join([first, *others]).split() == words
    assert all(line.startswith("  ") for line in others)
    for line in (first, *others):
        assert cell_len(line) <= columns or len(line.split()) == 1


COMMAND = "flux tasks check -f 'my ids.txt' -o json"


@given(st.sampled_from([".", "?", "", ", or set FLUX_API_TOKEN."]), COLUMNS)
def test_a_command_is_whole_and_alone_where_it_does_not_fit(end: str, columns: int) -> None:
    sentence = "flux: no answer for 3 of 5 tasks. To ask again, run:"
    lines = wrap(f"{sentence} {COMMAND}{end}", columns)
    (line,) = (line for line in lines if COMMAND in line)
    if line.strip() != COMMAND:  # it stands beside a part of its sentence
        assert cell_len(line) <= columns
    others = " ".join(lines).replace(COMMAND, "").split()
    assert " ".join(others).startswith(sentence)
    assert not end.startswith(",") or " ".join(others).endswith(end[2:])


@pytest.mark.parametrize(
    "text", ["", "a b", "  flux tasks watch --interval 10s", f"  {'x y ' * 9}"]
)
def test_what_fits_or_is_laid_out_already_stays_as_it_is(text: str) -> None:
    assert wrap(text, 20) == [text]
