"""Which connections are kept, for whom, and what closing does to those in use."""

import socket
from collections.abc import Iterator

import pytest

from flux_cli.api.connection_pool import ConnectionPool
from flux_cli.api.deadline import Deadline
from flux_cli.api.http1 import Http1Connection
from tests.support.clock import FakeClock


HERE = ("https", "here.example", 443)
THERE = ("https", "there.example", 443)


class Line:
    """A connection and its far end."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.connection = Http1Connection(self.near, Deadline(30.0, FakeClock()))

    @property
    def is_closed(self) -> bool:
        return self.near.fileno() == -1


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    made = [Line() for _ in range(3)]
    yield made
    for line in made:
        line.near.close()
        line.far.close()


def test_a_connection_is_kept_for_its_origin(lines: list[Line]) -> None:
    pool = ConnectionPool(2, FakeClock())
    line = lines[0]
    pool.add(line.connection)
    assert pool.take(HERE) is None
    pool.put_back(HERE, line.connection)
    assert pool.take(THERE) is None
    assert pool.take(HERE) is line.connection
    assert pool.take(HERE) is None
    assert not line.is_closed


def test_the_one_used_last_is_taken_and_the_oldest_goes_when_there_are_too_many(
    lines: list[Line],
) -> None:
    pool = ConnectionPool(2, FakeClock())
    for line in lines:
        pool.add(line.connection)
    for line in lines:
        pool.put_back(HERE, line.connection)
    assert [line.is_closed for line in lines] == [True, False, False]
    assert [pool.take(HERE), pool.take(HERE)] == [lines[2].connection, lines[1].connection]


def test_one_that_was_closed_or_has_said_something_is_not_taken(lines: list[Line]) -> None:
    pool = ConnectionPool(3, FakeClock())
    for line in lines:
        pool.put_back(HERE, line.connection)
    lines[1].far.close()
    lines[2].far.send(b"HTTP/1.1 408 Too late\r\n\r\n")
    assert pool.take(HERE) is lines[0].connection
    assert [line.is_closed for line in lines] == [False, True, True]


def test_one_that_has_waited_for_a_minute_is_not_taken(lines: list[Line]) -> None:
    clock = FakeClock()
    pool = ConnectionPool(2, clock)
    pool.put_back(HERE, lines[0].connection)
    clock.now += 30
    pool.put_back(HERE, lines[1].connection)
    clock.now += 59
    assert pool.take(HERE) is lines[1].connection
    assert pool.take(HERE) is None
    assert lines[0].is_closed


def test_closing_ends_what_is_in_use_and_closes_what_is_idle(lines: list[Line]) -> None:
    pool = ConnectionPool(2, FakeClock())
    idle, in_use, late = lines
    pool.put_back(HERE, idle.connection)
    pool.add(in_use.connection)
    pool.close()
    assert (idle.is_closed, in_use.is_closed) == (True, False)
    assert in_use.far.recv(1) == b""
    pool.add(late.connection)  # connected meanwhile
    assert late.far.recv(1) == b""
    for line in (in_use, late):
        pool.put_back(HERE, line.connection)
        assert line.is_closed
    assert pool.take(HERE) is None
