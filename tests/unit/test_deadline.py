"""One deadline for a whole exchange, over all addresses of a host, in virtual time."""

import threading
from collections.abc import Callable
from typing import Any

import httpcore
import httpx
import pytest

from flux_cli.api.deadline import DeadlineTransport
from flux_cli.api.file_client import STEP, Access, FileClient
from tests.support.clock import FakeClock


SECONDS = 30.0


class Stream:
    """A connection that gives the bytes of a reply piece by piece, each after `delay` seconds."""

    def __init__(self, clock: FakeClock, data: bytes, *, delay: float, piece: int) -> None:
        self.clock = clock
        self.data = data
        self.delay = delay
        self.piece = piece

    def read(self, max_bytes: int, timeout: float) -> bytes:
        if timeout < self.delay:
            self.clock.now += timeout
            raise httpcore.ReadTimeout
        self.clock.now += self.delay
        piece, self.data = self.data[: self.piece], self.data[self.piece :]
        assert len(piece) <= max_bytes
        return piece

    def write(self, buffer: bytes, timeout: float) -> None:
        del buffer, timeout

    def start_tls(self, *_: object, **__: object) -> "Stream":
        return self

    def close(self) -> None:
        pass

    def get_extra_info(self, info: str) -> None:
        del info


class Network:
    """Connects to the addresses that answer; the others take all the time that there is."""

    def __init__(self, clock: FakeClock, *answering: str, stream: Stream | None = None) -> None:
        self.clock = clock
        self.answering = answering
        self.stream = stream or Stream(
            clock, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", delay=1.0, piece=1 << 16
        )
        self.asked: list[str] = []

    def connect_tcp(self, host: str, port: int, timeout: float, **_: Any) -> Stream:
        del port
        self.asked.append(host)
        if host in self.answering:
            return self.stream
        self.clock.now += timeout
        raise httpcore.ConnectTimeout


def transport(
    clock: FakeClock,
    network: Network,
    resolve: Callable[[str, int], list[str]],
    *,
    seconds: float = SECONDS,
) -> DeadlineTransport:
    made = DeadlineTransport(seconds=seconds, clock=clock, resolve=resolve)
    pool: Any = made._pool
    pool._network_backend._backend = network
    return made


def get(made: DeadlineTransport) -> bytes:
    with httpx.Client(transport=made) as client:
        return client.get("http://pictures.example/").content


@pytest.mark.parametrize("dead", [1, 2, 3, 10, 100])
def test_addresses_that_do_not_answer_leave_the_next_one_its_share_of_the_time(dead: int) -> None:
    clock = FakeClock()
    started = clock.now
    network = Network(clock, "the last")
    addresses = [str(number) for number in range(dead)]
    made = transport(clock, network, lambda *_: [*addresses, "the last"], seconds=SECONDS * dead)
    assert get(made) == b"ok"
    assert network.asked == [*addresses, "the last"]
    assert clock.now - started <= SECONDS * dead


@pytest.mark.parametrize("dead", [1, 2, 3, 10, 100])
def test_the_deadline_is_one_for_all_addresses_of_a_host(dead: int) -> None:
    clock = FakeClock()
    started = clock.now
    network = Network(clock)
    made = transport(clock, network, lambda *_: [str(number) for number in range(dead)])
    with pytest.raises(httpx.TimeoutException):
        get(made)
    assert len(network.asked) == dead
    assert clock.now - started <= SECONDS


def test_the_deadline_covers_the_resolution_of_the_name() -> None:
    clock = FakeClock()
    network = Network(clock, "address")

    def slow(*_: object) -> list[str]:
        clock.now += SECONDS - 0.5  # which leaves too little for a reply that takes a second
        return ["address"]

    with pytest.raises(httpx.TimeoutException):
        get(transport(clock, network, slow))
    assert clock.now == pytest.approx(1000.0 + SECONDS)


def test_a_resolver_that_hangs_is_left_behind() -> None:
    clock = FakeClock()
    network = Network(clock, "address")
    hangs = threading.Event()

    def hang(*_: object) -> list[str]:
        hangs.wait(60)
        return ["address"]

    with pytest.raises(httpx.ConnectTimeout):
        get(transport(clock, network, hang, seconds=0.05))
    assert network.asked == []
    hangs.set()


def test_an_address_needs_no_resolver() -> None:
    clock = FakeClock()
    network = Network(clock, "127.0.0.1")

    def nobody(*_: object) -> list[str]:
        raise AssertionError("asked")

    with httpx.Client(transport=transport(clock, network, nobody)) as client:
        assert client.get("http://127.0.0.1/").content == b"ok"


@pytest.mark.parametrize(("piece", "comes"), [(STEP // 10, True), (STEP // 100, False)])
def test_the_deadline_of_a_long_download_is_renewed_with_each_step(piece: int, comes: bool) -> None:
    clock = FakeClock()
    size = 20 * STEP
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n".encode()
    stream = Stream(clock, head + bytes(size), delay=1.0, piece=piece)  # 200 seconds, or 2,000
    network = Network(clock, "127.0.0.1", stream=stream)
    access = Access(SECONDS, connections=1, allows_local=True, route=lambda *_: None)
    received = 0

    def fetch() -> None:
        nonlocal received
        with FileClient(access) as files:
            files._transports["http", None] = transport(clock, network, lambda *_: [])
            with files.open("http://127.0.0.1/picture.png") as reply:
                for chunk in reply.chunks:
                    received += len(chunk)

    if comes:
        fetch()
        assert received == size
        assert clock.now > 1000.0 + 5 * SECONDS
    else:
        with pytest.raises(Exception, match="no whole reply within 30 seconds"):
            fetch()
