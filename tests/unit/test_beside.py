"""What cannot be stopped is not waited for."""

import threading
from collections.abc import Iterator

import pytest

from flux_cli.engine.beside import beside


def test_what_comes_is_handed_over_in_order() -> None:
    assert list(beside(iter(range(100)), lambda: False)) == list(range(100))


def test_what_goes_wrong_is_raised_after_what_came_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    found = beside(items(), lambda: False)
    assert next(found) == 1
    with pytest.raises(ValueError, match="no more"):
        next(found)


def test_it_ends_when_it_is_over_whatever_is_under_way() -> None:
    never, over = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        never.wait()
        yield 2

    found = beside(items(), over.is_set)
    assert next(found) == 1
    over.set()
    assert list(found) == []
    never.set()
