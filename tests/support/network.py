"""A network in virtual time: connections that give what a test says, and dead addresses."""

from tests.support.clock import FakeClock


class FakeConnection:
    """A connection that gives the bytes of a reply piece by piece, each after `delay` seconds.

    When `sending` is an error, that is what comes of sending, after `takes` bytes.
    """

    def __init__(
        self,
        clock: FakeClock,
        data: bytes,
        *,
        delay: float = 0.0,
        piece: int = 1 << 16,
        sending: OSError | None = None,
        takes: int = 0,
    ) -> None:
        self.clock = clock
        self.data = data
        self.delay = delay
        self.piece = piece
        self.sending = sending
        self.takes = takes
        self.sent = b""
        self.is_closed = False
        self.timeout = 0.0

    def settimeout(self, seconds: float, /) -> None:
        self.timeout = seconds

    def recv_into(self, buffer: memoryview, /) -> int:
        if self.timeout < self.delay:
            self.clock.now += self.timeout
            raise TimeoutError
        self.clock.now += self.delay
        piece = self.data[: min(self.piece, len(buffer))]
        self.data = self.data[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def send(self, data: memoryview, /) -> int:
        size = len(data) if self.sending is None else min(len(data), self.takes - len(self.sent))
        if self.sending is not None and size == 0:
            raise self.sending
        self.sent += data[:size]
        return size

    def fileno(self) -> int:
        return -1

    def shutdown(self, how: int, /) -> None:
        del how

    def close(self) -> None:
        self.is_closed = True


class FakeNetwork:
    """Connects to the addresses that answer; the others take all the time that there is."""

    def __init__(self, clock: FakeClock, *answering: str, connection: FakeConnection) -> None:
        self.clock = clock
        self.answering = answering
        self.connection = connection
        self.asked: list[str] = []

    def connect(self, address: str, port: int, timeout: float) -> FakeConnection:
        del port
        self.asked.append(address)
        if address in self.answering:
            return self.connection
        self.clock.now += timeout
        raise TimeoutError
