"""What was given, as a message shows it."""

from typing import Any

import pytest

from flux_cli.models.echo import shortened, shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("flux-9", '"flux-9"'),
        ("a\nb\x1b[1m\ud800", '"a\\nb\\x1b[1m\\ud800"'),
        ("x" * 50, f'"{"x" * 39}…"'),
        (7, "7"),
        (True, "true"),
        (["é", {"a": None}], '["é", {"a": null}]'),
        (["x" * 50], f'["{"x" * 37}…'),
    ],
)
def test_a_value_is_shown_on_one_line_and_not_too_long(value: Any, expected: str) -> None:
    assert shown(value) == expected


def test_what_is_cut_is_marked() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
