"""A token that the service repeats is hidden, however it is spelled, and nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.api.responses import ResponseHead, parse_batch, parse_object
from flux_cli.errors import ServiceError
from flux_cli.models.task import parse_task
from flux_cli.token import Token
from tests.support.records import batch, finished, make_ids


TEXT = "Test-token/not+a~secret=="
TOKEN = Token(TEXT)


def escaped(text: str, which: set[int]) -> str:
    """Return `text` with the characters at some places as JSON escapes."""
    return "".join(f"\\u{ord(c):04x}" if number in which else c for number, c in enumerate(text))


CASES = st.sampled_from([str, str.upper, str.lower, str.swapcase])
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])


@given(st.sets(st.integers(0, len(TEXT) - 1)), CASES, ENCODINGS, st.booleans(), st.booleans())
def test_a_reply_that_repeats_it_does_not_hold_it_once_it_is_decoded(
    which: set[int], change: Any, encoding: str, slashes: bool, is_json_in_json: bool
) -> None:
    spelled = escaped(change(TEXT), which)
    if slashes:
        spelled = spelled.replace("/", "\\/")
    if is_json_in_json:
        spelled = json.dumps(spelled)[1:-1]
    text = (
        f'{{"items": [{{"id": "a{spelled}", "x{spelled}y": ["{spelled}", {{"k": "é{spelled}"}}],'
        f' "n": 7, "t": true, "o": null}}], "{spelled}": 1}}'
    )
    json.loads(text)  # it is JSON
    reply = parse_object(ResponseHead(200), text.encode(encoding), token=TOKEN)
    shown = json.dumps(reply, ensure_ascii=False)
    assert TEXT.lower() not in shown.lower()
    assert TEXT.lower() not in json.dumps(json.loads(shown.replace("\\\\", "\\"))).lower()
    item = reply["items"][0]
    assert (item["id"], item["n"], item["t"], item["o"]) == ("a[token]", 7, True, None)


@given(st.sets(st.integers(0, len(TEXT) - 1)), CASES)
def test_text_that_holds_it_in_escapes_is_cleaned_before_anybody_decodes_it(
    which: set[int], change: Any
) -> None:
    assert TOKEN.hide(f'{{"a": "{escaped(change(TEXT), which)}"}}') == '{"a": "[token]"}'


@given(st.binary() | st.text().map(str.encode))
def test_what_does_not_hold_it_is_not_changed(body: bytes) -> None:
    assert TOKEN.hide_bytes(body) == body
    assert TOKEN.hide(body.decode("latin-1")) == body.decode("latin-1")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    if not TOKEN.may_be_in(body):
        assert TOKEN.hide_in(value) == value


@given(st.sets(st.integers(0, len(TEXT) - 1)), CASES)
def test_a_body_that_is_json_text_does_not_bring_it_back(which: set[int], change: Any) -> None:
    spelled = escaped(change(TEXT), which)
    body = f'{{"success": true, "data": [{{"image_url": "u", "prompt": "{spelled}"}}]}}'
    items = batch([{"id": "a", "response": body, "trace_id": "t"}])
    (item,) = parse_batch(ResponseHead(200), items, token=TOKEN).items
    assert parse_task("a", item, 0.0).prompt == "[token]"


def test_escapes_of_other_text_are_no_reason_to_look_closer() -> None:
    body = batch([finished(i, note='<é/>\n"x" \u003c') for i in make_ids(3)])
    assert not TOKEN.may_be_in(body.replace(b"<", b"\\u003c").replace(b"/", b"\\/"))
    assert TOKEN.may_be_in(body.replace(b"x", TEXT.encode()))


def test_a_reply_that_is_nested_too_deeply_is_no_reply() -> None:
    deep = b'{"x": ' + b"[" * 600 + json.dumps(TEXT).encode() + b"]" * 600 + b', "items": []}'
    with pytest.raises(ServiceError, match="not complete JSON"):
        parse_batch(ResponseHead(200), deep, token=TOKEN)


def test_a_short_one_hides_nothing() -> None:
    short = Token("abc")
    assert not short.may_be_in(b'"abc"')
    assert short.hide("abc") == "abc"
