"""One deadline for a whole exchange: the name, connecting, sending, every byte that comes back.

A timeout for each read and write would not do: a server that sends one byte a
second is never late. Every operation gets what is left of the exchange's time.
"""

from collections.abc import Callable


_CONNECT_SHARE = 3  # an address may take a third of the time at most, if it is the only one


class Deadline:
    """The end of an exchange that may take `seconds`, from now on."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Give the exchange its whole time again: it makes progress."""
        self._end = self._clock() + self._seconds

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError when none are."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("the request timed out")
        return left

    def for_connecting(self, others: int) -> float:
        """Return the share of one address, with `others` after it and the exchange after those.

        However many addresses do not answer, the last one has its chance.
        """
        left = self.left()
        return min(left / (others + 2), self._seconds / _CONNECT_SHARE)
