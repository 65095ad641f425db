"""What is sent and what is searched for is kept apart, where both ask for the same."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from flux_cli.engine.request_locks import RequestLocks
from tests.support.patience import until


class Holder:
    """A thread that holds a lock until it is told to let go."""

    def __init__(self, lock: AbstractContextManager[None]) -> None:
        self.has = threading.Event()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._hold, args=[lock], daemon=True)
        self.thread.start()

    def _hold(self, lock: AbstractContextManager[None]) -> None:
        with lock:
            self.has.set()
            self.end.wait()

    def let_go(self) -> None:
        self.end.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def locks() -> RequestLocks:
    return RequestLocks()


@contextmanager
def held(lock: AbstractContextManager[None]) -> Iterator[None]:
    holder = Holder(lock)
    assert holder.has.wait(60)
    yield
    holder.let_go()


def waits(lock: AbstractContextManager[None]) -> Holder:
    """Assert that somebody cannot have the lock, and return who waits for it."""
    holder = Holder(lock)
    assert not holder.has.wait(0.05)
    return holder


def test_several_are_sent_at_once_and_several_searched_for(locks: RequestLocks) -> None:
    for kind in (locks.sending, locks.searching):
        with held(kind("a")), held(kind("a")), held(kind("b")):
            pass


@pytest.mark.parametrize("turned", [False, True])
def test_none_is_sent_while_it_is_searched_for_nor_the_other_way(
    locks: RequestLocks, turned: bool
) -> None:
    kinds: list[Callable[[str], AbstractContextManager[None]]] = [locks.sending, locks.searching]
    first, second = reversed(kinds) if turned else kinds
    with held(first("a")):
        waiting = waits(second("a"))
        with held(second("b")):
            pass
    assert waiting.has.wait(60)
    waiting.let_go()
    with held(first("a")):
        pass


def test_a_search_has_its_turn_though_more_are_to_be_sent(locks: RequestLocks) -> None:
    with held(locks.sending("a")):
        search = waits(locks.searching("a"))
        send = waits(locks.sending("a"))
    assert search.has.wait(60)
    assert not send.has.is_set()
    search.let_go()
    assert send.has.wait(60)
    send.let_go()


def test_what_fails_lets_go(locks: RequestLocks) -> None:
    def fail(lock: AbstractContextManager[None]) -> None:
        with lock:
            raise LookupError

    for kind in (locks.sending, locks.searching):
        with pytest.raises(LookupError):
            fail(kind("a"))
    for kind in (locks.searching, locks.sending):
        with held(kind("a")):
            pass


def test_any_mix_comes_to_its_end(locks: RequestLocks) -> None:
    sending = searching = 0
    count = threading.Lock()
    wrong: list[object] = []

    def send() -> None:
        nonlocal sending
        for _ in range(200):
            with locks.sending("a"):
                with count:
                    sending += 1
                    wrong.extend([searching] * bool(searching))
                with count:
                    sending -= 1

    def search() -> None:
        nonlocal searching
        for _ in range(200):
            with locks.searching("a"):
                with count:
                    searching += 1
                    wrong.extend([sending] * bool(sending))
                with count:
                    searching -= 1

    threads = [threading.Thread(target=kind, daemon=True) for kind in (send, search) * 3]
    for thread in threads:
        thread.start()
    until(lambda: not any(thread.is_alive() for thread in threads))
    assert wrong == []
