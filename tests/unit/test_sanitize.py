"""Text from the service moves nothing and colours nothing; in JSON it stays the same."""

import json
import unicodedata

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.output.jsonl import encode_record
from flux_cli.output.sanitize import one_line, sanitize, web_url


HOSTILE = (
    st.sampled_from(
        [
            "\x1b[2J",
            "\x1b]0;title\x07",
            "\x1b]8;;http://evil\x1b\\",
            "\x9b31m",
            "\r",
            "\n",
            "\b" * 9,
            "\u202e",
            "\u2066",
            "\x0e",
            "\x1bc",
            "\u2028",
            "\ud800",
            "\x7f",
            "\U000e0041",
        ]
    )
    | st.text()
)


@given(st.lists(HOSTILE).map("".join))
def test_safe_text_is_idempotent(text: str) -> None:
    safe = sanitize(text)
    assert sanitize(safe) == safe
    assert safe.isprintable() or not set(safe) & set(map(chr, range(32)))


@given(st.lists(HOSTILE).map("".join))
def test_safe_text_moves_nothing_and_colours_nothing(text: str) -> None:
    screen = pyte.Screen(2000, 3)
    stream = pyte.Stream(screen)
    stream.feed("before ")
    stream.feed(one_line(text, 300))
    stream.feed("\r\nafter")
    assert screen.display[0].startswith("before ")
    assert screen.display[1].startswith("after")
    assert screen.display[2].strip() == ""
    assert screen.title == ""
    style = {(char.fg, char.bg, char.bold, char.reverse) for char in screen.buffer[1].values()}
    assert style <= {("default", "default", False, False)}


@given(st.recursive(HOSTILE | st.integers() | st.none(), st.lists))
def test_json_round_trips_and_holds_no_control_character(value: object) -> None:
    line = encode_record({"prompt": value})
    assert json.loads(line) == {"prompt": value}
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(line) & set("\u200e\u200f\u202a\u202e\u2066\u2069")


def test_joined_emoji_stay_whole() -> None:
    assert sanitize("👩‍🚀🏳️‍🌈") == "👩‍🚀🏳️‍🌈"


def test_a_long_line_is_cut() -> None:
    assert one_line("x" * 10**7, 10) == "xxxxxxxxx…"
    assert one_line(" a \n\t b ", 10) == "a b"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://cdn.example/a.png?x=1&y=%20#z", "https://cdn.example/a.png?x=1&y=%20#z"),
        ("HTTP://cdn.example/", "HTTP://cdn.example/"),
        ("https://cdn.example/ü b.png", "https://cdn.example/%C3%BC%20b.png"),
        ("https://x/\x1b]8;;\x07\n'\"`\\<>", "https://x/%1B]8;;%07%0A%27%22%60%5C%3C%3E"),
        ("https://x/\ud800", "https://x/?"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        (" https://x/", None),
        ("", None),
    ],
)
def test_only_web_urls_are_printed(url: str, safe: str | None) -> None:
    assert web_url(url) == safe
