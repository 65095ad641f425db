"""One field of a submission: what it takes, what is sent, and what is said against the rest."""

from typing import Any

import pytest

from flux_cli.errors import FieldError
from flux_cli.models import request_fields as fields
from flux_cli.models.request_fields import Parser, is_given, parse_field


URL = "https://x.example/1.png"
URL_2 = "https://x.example/a,b.png?c=d"
UUID = "00000000-0000-0001-0000-000000000001"
COUNT, SECONDS = fields.whole_number(1, 4), fields.duration(5, 20)
WORDS, PROMPT = fields.one_of(("hd", "fhd")), fields.prompt(40)
NOT_WHOLE = "is not a whole number from 1 to 4"
NOT_SECONDS = "is neither 5 to 20 whole seconds nor auto"
NOT_URL = "is not one http:// or https:// URL"


@pytest.mark.parametrize(
    ("parser", "value", "expected"),
    [
        (COUNT, "2", 2),
        (COUNT, " 2 ", 2),
        (COUNT, "2.0", 2),
        (COUNT, 2, 2),
        (COUNT, 2.0, 2),
        (SECONDS, "10", 10),
        (SECONDS, "10s", 10),
        (SECONDS, 5, 5),
        (SECONDS, "AUTO", "auto"),
        (WORDS, " FHD ", "fhd"),
        (fields.flag, "TRUE", True),
        (fields.flag, "no", False),
        (fields.flag, True, True),
        (fields.flag, "0", False),
        (fields.always_true, "true", True),
        (fields.name, " flux-9 ", "flux-9"),
        (fields.name, "black-forest/flux_2.1", "black-forest/flux_2.1"),
        (fields.url, f" {URL} ", URL),
        (fields.url, URL_2, URL_2),
        (fields.task_id, UUID, UUID),
        (PROMPT, " a\n\tfox ", "a\n\tfox"),
        (PROMPT, "🦊" * 40, "🦊" * 40),
        (PROMPT, "none of us", "none of us"),
        (PROMPT, f"like {URL}", f"like {URL}"),
        (fields.keyframes, URL, [URL]),
        (fields.keyframes, [URL], [URL]),
        (fields.keyframes, f"{URL} {URL_2}", [URL, URL_2]),
        (fields.keyframes, f" {URL_2}, {URL},", [URL_2, URL]),
        (fields.keyframes, f"{URL_2},{URL}", [URL_2, URL]),
        (fields.keyframes, f"0={URL}\n2.5={URL}", [[0, URL], [2.5, URL]]),
        (fields.keyframes, [f"0={URL}", [1, URL]], [[0, URL], [1, URL]]),
    ],
)
def test_what_is_sent(parser: Parser, value: Any, expected: Any) -> None:
    sent = parse_field("x", value, {"x": parser})
    assert (sent, type(sent)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("parser", "value", "message"),
    [
        *(
            (COUNT, value, NOT_WHOLE)
            for value in (0, 5, "0", "1.5", "two", "", "٢", 1.5, True, [1])
        ),
        *((COUNT, value, NOT_WHOLE) for value in (float("nan"), float("inf"), 10**400, "9" * 5000)),
        *((SECONDS, value, NOT_SECONDS) for value in ("4", 21, "10m", "Auto!", None, "ss")),
        (WORDS, "4k", "is not one of hd, fhd"),
        (WORDS, ["hd"], "is not one of hd, fhd"),
        (fields.flag, "maybe", "is neither true nor false"),
        (fields.flag, 7, "is neither true nor false"),
        (fields.always_true, False, "is not possible: it is always true"),
        (fields.name, "flux dev", "cannot be the name of a model"),
        (fields.name, "x" * 101, "cannot be the name of a model"),
        (fields.name, {}, "cannot be the name of a model"),
        *(
            (fields.url, value, NOT_URL)
            for value in ("x.png", "ftp://a/b", "https://", "file:///a")
        ),
        *((fields.url, value, NOT_URL) for value in (f"{URL} {URL}", f"{URL}\0", [URL], 7)),
        (fields.url, "https://x.example/\ud800", NOT_URL),
        (fields.url, f"{URL}{'x' * 8192}", NOT_URL),
        (fields.task_id, "a b", "is not a task id: it contains a space"),
        (fields.task_id, 7, "is not a task id"),
        (fields.keyframes, 7, "is not a list of URLs"),
        (fields.keyframes, [URL] * 11, "holds 11 frames; 1 to 10 are possible"),
        (fields.keyframes, [[2, URL], [1, URL]], "is not in ascending order of seconds"),
        (fields.keyframes, f"1={URL} 1={URL}", "is not in ascending order of seconds"),
        (fields.keyframes, [URL, [1, URL]], "gives the second of some frames but not of all"),
        (fields.keyframes, [7], "holds 7: give http:// or https:// URLs, or SECOND=URL"),
        (fields.keyframes, "a.png b.png", 'holds "a.png b.png": give http:// or https:// URLs'),
        (fields.keyframes, [[True, URL]], "holds [true, "),
        (fields.keyframes, [[float("nan"), URL]], "holds [NaN, "),
        (fields.keyframes, [[-1, URL]], "holds [-1, "),
    ],
)
def test_what_is_refused(parser: Parser, value: Any, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_field("x", value, {"x": parser})
    assert caught.value.field == "x"
    assert caught.value.message.startswith("x ")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x" * 41, "prompt is 41 characters long; the maximum is 40"),
        ("a\x07", "prompt contains a control character (U+0007)"),
        ("a\x9b", "prompt contains a control character (U+009B)"),
        ("a\udcff", "prompt contains a control character (U+DCFF)"),
        (7, "prompt 7 is not text"),
        *((text, "prompt has no word in it") for text in ("...", "---+---", "…", "\u200b", "=>")),
        ("Prompt", "prompt is a placeholder"),
        ("NaN", "prompt is a placeholder"),
        ("#REF!", "prompt is a placeholder"),
        (UUID, "prompt is a task id"),
        (URL, "prompt is a URL"),
    ],
)
def test_a_prompt_is_not_repeated_in_a_message(value: Any, message: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_field("prompt", value, {"prompt": PROMPT})
    assert caught.value.message == message


def test_what_is_empty_is_not_given() -> None:
    assert not any(map(is_given, ["", " \n", None, []]))
    assert all(map(is_given, ["x", 0, False, [1]]))
