"""Signals, delivered only where the main thread waits.

An exception between any two bytecodes would break whatever is under way: a
record half written, a file renamed but not told of, a lock that nobody gives
back. So a handler only notes the signal and wakes whoever waits, and the
signal becomes an exception in one of the functions below, which the main
thread calls to wait: for a result, for time, for a reader that is slow. Work
that cannot ask is put into `cuttable`. While the program starts there is
nothing to protect, and a signal ends it at once; so does a second signal.

The system has one set of handlers for each process; so this module has state.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from flux_cli.errors import Interrupted
from flux_cli.readiness import ready


T = TypeVar("T")
GRACE = 0.3  # seconds that a reader has, after a signal, to take what is being written
_SAME = 0.2  # seconds in which a signal that comes again is no second one: `timeout` sends two
_TICK = 0.1  # seconds; Windows delivers a signal only between two waits
_NUMBERS = [
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
]


class _State:
    """What the handlers and the waits share. Only the main thread changes it."""

    is_installed = False
    is_held = False  # signals are noted, not acted upon
    is_cuttable = False  # what runs may be cut anywhere
    noted: int | None = None  # and not delivered yet
    first: int | None = None  # the signal that ends the program, delivered or not
    first_at: float | None = None  # monotonic seconds
    wants_stop = False  # SIGTSTP was noted
    wake: Callable[[], None] = staticmethod(lambda: None)
    alarm: tuple[int, int] | None = None  # a pipe that has a byte in it after a signal
    cleanups: tuple[Callable[[], None], ...] = ()
    suspend: Callable[[], None] | None = None


_state = _State()


def install() -> None:
    """Handle Ctrl-C, SIGTERM and SIGHUP, unless whoever started flux has them ignored."""
    for number in _NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _note)
    _state.is_installed = True


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Deliver signals only where the program waits, from here to the end of the block."""
    _state.is_held = True
    try:
        yield
    finally:
        _state.is_held = False


@contextlib.contextmanager
def cuttable() -> Iterator[None]:
    """Let a signal cut the block anywhere: only for waits whose outcome does not matter then."""
    if not _is_main():
        yield
        return
    before, _state.is_cuttable = _state.is_cuttable, True
    try:
        check()
        yield
    finally:
        _state.is_cuttable = before


@contextlib.contextmanager
def cleaned_up(cleanup: Callable[[], None]) -> Iterator[None]:
    """Have `cleanup` run, too, when a second signal or Ctrl-\\ ends the process inside the block.

    It runs in the middle of anything, so it must not wait, nor take a lock.
    """
    _state.cleanups = (*_state.cleanups, cleanup)
    try:
        with _quit_after_cleanups():
            yield
    finally:
        _state.cleanups = tuple(c for c in _state.cleanups if c is not cleanup)


@contextlib.contextmanager
def _quit_after_cleanups() -> Iterator[None]:
    """Have SIGQUIT clean up before it does what it always does."""
    number = getattr(signal, "SIGQUIT", None)
    if number is None or not _is_main() or signal.getsignal(number) is not signal.SIG_DFL:
        yield  # another block does, or whoever started flux has it ignored
        return
    signal.signal(number, _quit)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def suspended_by(suspend: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-Z call `suspend`, which is to stop the process, where the main thread waits."""
    number = getattr(signal, "SIGTSTP", None)
    if number is None or not _is_main() or signal.getsignal(number) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(number, _note_stop)
    _state.suspend = suspend
    try:
        yield
    finally:
        _state.suspend = None
        _state.wants_stop = False
        signal.signal(number, before)


def stop_here() -> None:
    """Stop, as Ctrl-Z does, until somebody lets it go on; not where there is no shell to do so."""
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, before)


def check() -> None:
    """Raise Interrupted if a signal was noted, in the main thread; stop for Ctrl-Z."""
    if not _is_main():
        return
    check_stop()
    if _state.noted is not None:
        number, _state.noted = _state.noted, None
        raise Interrupted(number)


def get(queue: "SimpleQueue[T]", timeout: float | None = None) -> T:
    """Take the next item of a queue that nobody reads but through this function.

    `timeout` is in seconds. Raises Empty when it is over, and Interrupted.
    """
    if not (_state.is_installed and _is_main()):
        return queue.get(timeout=timeout)
    items: SimpleQueue[Any] = queue
    end = None if timeout is None else time.monotonic() + timeout
    before, _state.wake = _state.wake, lambda: items.put(_WAKE)
    try:
        while True:
            check()
            left = None if end is None else max(0.0, end - time.monotonic())
            if sys.platform == "win32":
                left = _TICK if left is None else min(left, _TICK)
            try:
                item: T = items.get(timeout=left)
            except Empty:
                if end is not None and time.monotonic() >= end:
                    raise
                continue
            if item is not _WAKE:
                return item
    finally:
        _state.wake = before


_WAKE = object()


def noted() -> int | None:
    """Return the number of the first signal that has come, delivered or not."""
    return _state.first


def sleep(seconds: float) -> None:
    """Let `seconds` pass. Raises Interrupted."""
    with contextlib.suppress(Empty):
        get(SimpleQueue[None](), seconds)


def wait_writable(descriptor: int, until: float | None = None) -> bool:
    """Wait until whoever reads from `descriptor` takes more; say whether they do.

    False at `until`, in monotonic seconds, and GRACE seconds after a signal,
    which is not delivered here: what is being written is not cut in half.
    """
    while True:
        limits = [limit for limit in (until, grace_end()) if limit is not None]
        left = max(0.0, min(limits) - time.monotonic()) if limits else None
        alarms = _alarms()
        if not alarms:
            left = _TICK if left is None else min(left, _TICK)
        try:
            found = ready(descriptor, alarms, left, writes=True)
        except (OSError, ValueError):  # the system cannot wait for this: writing waits instead
            return True
        if descriptor in found:
            return True
        if found:
            os.read(alarms[0], 64)
        if any(time.monotonic() >= limit for limit in limits):
            return False
        check_stop()


def wait_readable(descriptor: int) -> None:
    """Wait until there is something to read from `descriptor`. Raises Interrupted."""
    while True:
        check()
        alarms = _alarms()
        try:
            found = ready(descriptor, alarms, None if alarms else _TICK, writes=False)
        except (OSError, ValueError):  # no system can wait for a file: it is always there
            return
        if descriptor in found:
            return
        if found:
            os.read(alarms[0], 64)


def check_stop() -> None:
    """Stop for Ctrl-Z, where a signal is not to be delivered."""
    if _is_main() and _state.wants_stop and _state.suspend is not None:
        _state.wants_stop = False
        _state.suspend()


def grace_end() -> float | None:
    """Return until when, in monotonic seconds, a reader has time; None while no signal came."""
    return None if _state.first_at is None else _state.first_at + GRACE


def _alarms() -> list[int]:
    """Return what turns readable when a signal comes, for the main thread."""
    if not (_state.is_installed and _is_main()) or sys.platform == "win32":
        return []
    if _state.alarm is None:
        _state.alarm = os.pipe()
        for end in _state.alarm:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(_state.alarm[1], warn_on_full_buffer=False)
    return [_state.alarm[0]]


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _note(number: int, frame: object) -> None:
    del frame
    now = time.monotonic()
    if not _state.is_held:
        _end_at_once(number)
    if _state.first_at is None:
        _state.first, _state.first_at = number, now
    elif now - _state.first_at < _SAME:
        return
    else:
        _end_at_once(number)
    if _state.is_cuttable:
        raise Interrupted(number)
    _state.noted = number
    _state.wake()


def _note_stop(number: int, frame: object) -> None:
    del number, frame
    _state.wants_stop = True
    _state.wake()


def _quit(number: int, frame: object) -> None:
    del frame
    _clean_up()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end_at_once(number: int) -> None:
    _clean_up()
    os._exit(128 + number)


def _clean_up() -> None:
    for cleanup in reversed(_state.cleanups):
        with contextlib.suppress(Exception):
            cleanup()
