"""When requests may go out: what all workers of one run share about how the service is doing."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from flux_cli.api.pause import LONGEST_PAUSE, backoff
from flux_cli.errors import GaveUp, RateLimited, Reaction, ServiceError


T = TypeVar("T")
BUDGET = 16  # failures that a run may have before anything succeeds
MOST_BURSTS = 8  # of 429s in a row, about half a minute, before a run gives up
_EARNED = 2  # failures that a success makes up for: a service that half works is used


class Stopped(Exception):
    """The run was stopped; `Traffic.reason` says why."""


class Traffic:
    """Sends requests for several workers, retries them, and slows down or stops with the service.

    - At most `concurrency` requests are in flight. A 429 halves that number,
      once for all requests that were under way; it grows back by one for each
      round of successes.
    - A pause that the service asks for holds every worker. Beyond
      LONGEST_PAUSE seconds the run is stopped instead.
    - Each failure costs one token of the run's budget, each success earns
      some back; when the budget is spent the run is stopped.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        retries: int,
        pause: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
    ) -> None:
        """`pause` is what is left, in seconds, of one that the service asked for before."""
        self.limit = concurrency
        self.reason: ServiceError | None = None
        self._most = concurrency
        self._retries = retries
        self._clock = clock
        self._uniform = uniform
        self._wait = wait
        self._changed = threading.Condition()
        self._stopped = False
        self._active = 0
        self._paused_until = clock() + pause
        self._slowed_at = clock() - 1.0
        self._throttled = 0  # 429s in a row, one for each burst
        self._successes = 0  # since the limit last changed
        self._budget = BUDGET
        self._failures = 0

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def pause_left(self) -> float:
        """Return the seconds that are left of a pause that the service asked for."""
        return max(0.0, self._paused_until - self._clock())

    def renew(self) -> None:
        """Start another round: budget and stop are as new, pauses and slowness stay."""
        with self._changed:
            self._stopped = False
            self.reason = None
            self._budget = BUDGET
            self._failures = 0
            self._throttled = 0

    def stop(self, reason: ServiceError | None = None) -> None:
        """Let no further request out and wake every worker; the first reason stays."""
        with self._changed:
            if not self._stopped:
                self._stopped = True
                self.reason = reason
            self._changed.notify_all()

    def send(self, exchange: Callable[[], T]) -> T:
        """Run `exchange` when its turn comes, again after trouble that may pass.

        Raises the last ServiceError when retrying is no use or used up, GaveUp
        when the run is to stop, and Stopped when it has been stopped.
        """
        failures = 0
        while True:
            started = self._enter()
            try:
                result = exchange()
            except ServiceError as error:
                self._leave_failed(error, started)
                if not isinstance(error, RateLimited):
                    failures += 1
                    if failures > self._allowed(error):
                        raise
                    self._sleep(backoff(failures, self._uniform))
            except BaseException:
                self._leave()
                raise
            else:
                self._leave_succeeded()
                return result

    def _allowed(self, error: ServiceError) -> int:
        if error.reaction is Reaction.RETRY:
            return self._retries
        return min(1, self._retries) if error.reaction is Reaction.RETRY_ONCE else 0

    def _enter(self) -> float:
        with self._changed:
            while True:
                if self._stopped:
                    raise Stopped
                now = self._clock()
                if now < self._paused_until:
                    self._wait(self._changed, self._paused_until - now)
                elif self._active >= self.limit:
                    self._wait(self._changed, None)
                else:
                    self._active += 1
                    return now

    def _sleep(self, seconds: float) -> None:
        with self._changed:
            end = self._clock() + seconds
            while not self._stopped and (left := end - self._clock()) > 0:
                self._wait(self._changed, left)

    def _leave(self) -> None:
        with self._changed:
            self._active -= 1
            self._changed.notify_all()

    def _leave_succeeded(self) -> None:
        with self._changed:
            self._budget = min(BUDGET, self._budget + _EARNED)
            self._throttled = 0
            self._successes += 1
            if self._successes >= self.limit and self.limit < self._most:
                self.limit += 1
                self._successes = 0
        self._leave()

    def _leave_failed(self, error: ServiceError, started: float) -> None:
        with self._changed:
            if error.reaction is Reaction.STOP:
                self.stop(error)
            elif error.reaction is not Reaction.SPLIT:
                self._pause(error, started)
                self._spend(error)
        self._leave()

    def _pause(self, error: ServiceError, started: float) -> None:
        now = self._clock()
        pause = error.retry_after or 0.0
        if isinstance(error, RateLimited) and started > self._slowed_at:
            self._slowed_at = now
            self.limit = max(1, self.limit // 2)
            self._successes = 0
            self._throttled += 1
            pause = max(pause, backoff(self._throttled, self._uniform))
        self._paused_until = max(self._paused_until, now + pause)
        if pause > LONGEST_PAUSE:
            self._give_up(error, f"it asks to come back in {_roughly(pause)}")
        elif self._throttled > MOST_BURSTS:
            self._give_up(error, "gave up, as it did so each time")

    def _spend(self, error: ServiceError) -> None:
        self._budget -= 1
        self._failures += 1
        if self._budget <= 0:
            self._give_up(error, f"gave up after {self._failures} failed requests")

    def _give_up(self, error: ServiceError, why: str) -> None:
        hint = error.hint or "Nothing was lost: run the same command again then, or later"
        self.stop(
            GaveUp(f"{error.message}; {why}", code=error.code, hint=hint, trace_id=error.trace_id)
        )


def _roughly(seconds: float) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"  # noqa: PLR2004
