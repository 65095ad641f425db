"""Which columns a window has room for, and what gives way first."""

import itertools

import pytest

from flux_cli.models.state import State
from flux_cli.output.layout import GAP, Layout
from flux_cli.output.rows import Row
from tests.support.records import make_ids


ROW = Row(
    state=State.SUCCEEDED,
    id=make_ids(1)[0],
    model="flux-kontext-pro",
    created="12m ago",
    took="9.6s",
    result="picture.png",
    link="https://cdn.example/picture.png",
    prompt="an old sailor with a pipe, 85 mm, on the deck of a ship that leaves the harbour",
)
VARIED = [ROW, ROW._replace(model="flux-dev", created="2h ago", took="1m 02s")]
OPTIONAL = {"model", "created", "took"}


def names(rows: list[Row], width: int) -> list[str]:
    return [name for name, _ in Layout.fit(rows, width).columns]


@pytest.mark.parametrize("rows", [VARIED, [ROW, ROW], [ROW._replace(prompt="")], [ROW]])
@pytest.mark.parametrize("has_more", [False, True])
@pytest.mark.parametrize("shows_age", [False, True])
def test_columns_fit_and_none_comes_back_when_the_window_narrows(
    rows: list[Row], *, has_more: bool, shows_age: bool
) -> None:
    before: set[str] = set()
    for width in range(1, 400):
        layout = Layout.fit(rows, width, has_more=has_more, shows_age=shows_age)
        widths = dict(layout.columns)
        assert sum(widths.values()) + GAP * max(0, len(widths) - 1) <= width
        assert before <= set(widths)
        before = set(widths)
        if widths:
            assert widths["id"] == len(ROW.id)
            assert "prompt" in widths or not rows[0].prompt
    assert before >= OPTIONAL


def test_created_gives_way_first_then_took_then_model() -> None:
    seen = [frozenset(names(VARIED, width)) & OPTIONAL for width in range(70, 160)]
    order = [columns for columns, _ in itertools.groupby(seen)]
    assert order[0] == frozenset()
    assert order[-1] == OPTIONAL
    only = next(n for n, columns in enumerate(order) if "model" in columns)
    assert "created" not in order[only]


def test_where_ages_are_to_be_shown_they_are_as_soon_as_there_is_room() -> None:
    least = next(width for width in range(1, 400) if names(VARIED, width))
    for width in range(least + GAP + len("12m ago"), 400):
        assert "created" in dict(Layout.fit(VARIED, width, shows_age=True).columns)


def test_what_says_the_same_in_every_row_gives_way_before_what_differs() -> None:
    rows = [ROW, ROW._replace(created="2h ago")]
    narrowest = {
        name: next(width for width in range(300) if name in names(rows, width))
        for name in ("created", "took", "model")
    }
    assert narrowest["created"] < min(narrowest["took"], narrowest["model"])


def test_at_80_columns_state_id_and_a_piece_of_the_prompt_are_there() -> None:
    layout = dict(Layout.fit(VARIED, 80).columns)
    assert set(layout) == {"state", "id", "prompt", "result"}
    assert layout["prompt"] >= 12


def test_a_long_error_takes_no_room_from_the_prompt() -> None:
    error = ROW._replace(link=None, result="api_error: " + "no " * 50)
    assert Layout.fit([ROW, error], 110) == Layout.fit([ROW, ROW], 110)


def test_rows_that_are_still_to_come_have_room_for_their_results() -> None:
    rows = [ROW._replace(result="", link=None)]
    assert dict(Layout.fit(rows, 120, has_more=True).columns)["result"] >= 10
