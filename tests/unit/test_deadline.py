"""One deadline for a whole exchange, over all addresses of a host, in virtual time."""

import threading
from collections.abc import Callable

import httpx
import pytest

from flux_cli.api.dialer import Dialer
from flux_cli.api.file_client import STEP, Access, FileClient
from flux_cli.api.transport import Transport
from tests.support.clock import FakeClock
from tests.support.network import FakeConnection, FakeNetwork


SECONDS = 30.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def network(clock: FakeClock, *answering: str) -> FakeNetwork:
    return FakeNetwork(clock, *answering, connection=FakeConnection(clock, OK, delay=1.0))


def transport(
    clock: FakeClock,
    network: FakeNetwork,
    resolve: Callable[[str, int], list[str]],
    *,
    seconds: float = SECONDS,
) -> Transport:
    dialer = Dialer(resolve=resolve, connect=network.connect)
    return Transport(seconds=seconds, clock=clock, dialer=dialer)


def get(made: Transport) -> bytes:
    with made:
        return made.handle_request(httpx.Request("GET", "http://pictures.example/")).read()


@pytest.mark.parametrize("dead", [1, 2, 3, 10, 100])
def test_addresses_that_do_not_answer_leave_the_next_one_its_share_of_the_time(dead: int) -> None:
    clock = FakeClock()
    started = clock.now
    net = network(clock, "the last")
    addresses = [str(number) for number in range(dead)]
    made = transport(clock, net, lambda *_: [*addresses, "the last"], seconds=SECONDS * dead)
    assert get(made) == b"ok"
    assert net.asked == [*addresses, "the last"]
    assert clock.now - started <= SECONDS * dead


@pytest.mark.parametrize("dead", [1, 2, 3, 10, 100])
def test_the_deadline_is_one_for_all_addresses_of_a_host(dead: int) -> None:
    clock = FakeClock()
    started = clock.now
    net = network(clock)
    made = transport(clock, net, lambda *_: [str(number) for number in range(dead)])
    with pytest.raises(httpx.ConnectTimeout):
        get(made)
    assert len(net.asked) == dead
    assert clock.now - started <= SECONDS


def test_the_deadline_covers_the_resolution_of_the_name() -> None:
    clock = FakeClock()
    net = network(clock, "address")

    def slow(*_: object) -> list[str]:
        clock.now += SECONDS - 0.5  # which leaves too little for a reply that takes a second
        return ["address"]

    with pytest.raises(httpx.ReadTimeout):
        get(transport(clock, net, slow))
    assert clock.now == pytest.approx(1000.0 + SECONDS)


def test_a_resolver_that_hangs_is_left_behind() -> None:
    clock = FakeClock()
    net = network(clock, "address")
    hangs = threading.Event()

    def hang(*_: object) -> list[str]:
        hangs.wait(60)
        return ["address"]

    with pytest.raises(httpx.ConnectTimeout):
        get(transport(clock, net, hang, seconds=0.05))
    assert net.asked == []
    hangs.set()


def test_an_address_needs_no_resolver() -> None:
    clock = FakeClock()
    net = network(clock, "127.0.0.1")

    def nobody(*_: object) -> list[str]:
        raise AssertionError("asked")

    made = transport(clock, net, nobody)
    assert made.handle_request(httpx.Request("GET", "http://127.0.0.1/")).read() == b"ok"


@pytest.mark.parametrize(("piece", "comes"), [(STEP // 10, True), (STEP // 100, False)])
def test_the_deadline_of_a_long_download_is_renewed_with_each_step(piece: int, comes: bool) -> None:
    clock = FakeClock()
    size = 20 * STEP
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n".encode()
    connection = FakeConnection(clock, head + bytes(size), delay=1.0, piece=piece)
    net = FakeNetwork(clock, "127.0.0.1", connection=connection)  # 200 seconds, or 2,000
    access = Access(SECONDS, connections=1, allows_local=True, route=lambda *_: None)
    received = 0

    def fetch() -> None:
        nonlocal received
        with (
            FileClient(access, transport=transport(clock, net, lambda *_: [])) as files,
            files.open("http://127.0.0.1/picture.png") as reply,
        ):
            for chunk in reply.chunks:
                received += len(chunk)

    if comes:
        fetch()
        assert received == size
        assert clock.now > 1000.0 + 5 * SECONDS
    else:
        with pytest.raises(Exception, match="no complete reply within 30 seconds"):
            fetch()
