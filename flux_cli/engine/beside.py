"""Does in a thread of its own what cannot be stopped, for who may not wait for it."""

import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar


T = TypeVar("T")
_TICK = 0.1  # seconds between two looks whether it is over


class _End:
    """Nothing comes any more, and why."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def beside(items: Iterator[T], is_over: Callable[[], bool]) -> Iterator[T]:
    """Yield what `items` yields, until it ends or `is_over` turns true.

    What is under way then is left alone. Raises what `items` raises.
    """
    queue: SimpleQueue[T | _End] = SimpleQueue()

    def run() -> None:
        try:
            for item in items:
                queue.put(item)
                if is_over():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            queue.put(_End(error))
        else:
            queue.put(_End(None))

    threading.Thread(target=run, daemon=True).start()
    while not is_over():
        try:
            item = queue.get(timeout=_TICK)
        except Empty:
            continue
        if not isinstance(item, _End):
            yield item
        elif item.error is not None:
            raise item.error
        else:
            return
