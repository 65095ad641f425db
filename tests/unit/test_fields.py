"""What the fields of a record are read as: what makes no sense is not there."""

import math
from typing import Any

import pytest

from flux_cli.models.fields import (
    as_number,
    as_object,
    as_text,
    as_time,
    error_code,
    output_entries,
    response_of,
)


NOON = 1736337600.0  # 2025-01-08T12:00:00Z
NO_SENSE: list[Any] = [None, "", True, [], {}, "x", "nan", math.nan, math.inf, "1" * 50]


@pytest.mark.parametrize("value", NO_SENSE)
def test_what_makes_no_sense_is_not_there(value: Any) -> None:
    assert as_number(value) is None
    assert as_time(value) is None
    assert as_object(value) == (value if isinstance(value, dict) else None)


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0), (-2.5, -2.5), ("7", 7), (" +7.50 ", 7.5), ("1e3", None)]
)
def test_a_number_may_come_as_text(value: Any, number: float | None) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("value", "time"),
    [
        *((NOON, NOON), (f"{NOON}", NOON), (NOON * 1000, NOON)),
        *(("2025-01-08T12:00:00Z", NOON), ("2025-01-08T13:00:00+01:00", NOON)),
        *((NOON * 1e6, NOON), (f"{NOON * 1e6:.0f}", NOON), ("2025-01-08T12:00:00z", NOON)),
        *(("2025-01-08 12:00:00 UTC", NOON), ("2025-01-08t12:00:00.000gmt", NOON)),
        *(("2025-01-08 13:00:00 +0100", NOON), ("2025-01-08 12:00:00 +0000 UTC", NOON)),
        *(("Wed, 08 Jan 2025 12:00:00 GMT", NOON), ("8 jan 2025 07:00:00 -0500", NOON)),
        *(("2025-01-08T11:59:60Z", NOON), ("Wed, 8 Jan 2025 11:59:60 +0000", NOON)),
        *(("20250108", NOON - 43200), ("20250108120000", NOON), ("20251308", None)),
        *(("8 Foo 2025 12:00:00", None), ("2025-01-08T12:60:60Z", None)),
        *(("2025-01-08 12:00", NOON), (0, None), (-1, None), (1e18, None), ("2025-13-01", None)),
    ],
)
def test_a_time_may_be_seconds_or_parts_of_them_iso_8601_or_rfc_2822(
    value: Any, time: float | None
) -> None:
    assert as_time(value) == time


def test_text_and_objects() -> None:
    assert [as_text(value) for value in ("a", "", 1, None)] == ["a", None, None, None]
    assert as_object('{"a": NaN}') == {"a": None}
    assert as_object("[" * 100_000) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        *(({"code": "x"}, "x"), ({"code": 7}, "7"), ({"code": 0}, None), ({"code": " "}, None)),
        *(({"code": True}, None), ("x", None), ({}, None)),
    ],
)
def test_the_code_of_an_error(error: Any, code: str | None) -> None:
    assert error_code(error) == code


def test_the_body_that_says_something_is_the_response() -> None:
    assert response_of({"response": {}, "result": '{"a": 1}'}) == {"a": 1}
    assert response_of({"response": {"b": 2}, "result": {"a": 1}}) == {"b": 2}
    assert response_of({"response": {}}) == {}
    assert response_of({"response": "pending"}) is None
    assert response_of({"response": {"task_id": "a"}, "result": {"a": 1}}) == {"a": 1}
    assert response_of({"response": [{"a": 1}]}) == {"data": [{"a": 1}]}
    assert response_of({"response": ["a"]}) is None


def test_each_output_is_there_once_and_no_echo_of_the_request() -> None:
    data = [
        {"image_url": "a", "image_urls": ["a", ["b"], " "]},
        {"video_url": "c", "image_url": "given"},
        "no entry",
    ]
    record = {"request": {"image_urls": ["given"]}, "response": {"data": data}}
    found = [(kind, url) for kind, url, _ in output_entries(record)]
    assert found == [("image", "a"), ("image", "b"), ("video", "c")]
    assert output_entries({"response": {"image_url": "a"}}) == [("image", "a", {"image_url": "a"})]
