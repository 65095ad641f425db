"""When requests may go out: what all workers share about how the service is doing."""

import math
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from flux_cli.api.backoff import LONGEST_PAUSE, backoff
from flux_cli.errors import GaveUp, RateLimited, RetryRule, ServiceError


T = TypeVar("T")
BUDGET = 16  # failures that a round may have before anything succeeds
MOST_BURSTS = 8  # of 429s in a row, about half a minute, before a round gives up
_EARNED = 2  # failures that a success makes up for: a service that half works is used


class Stopped(Exception):
    """The round was stopped; `Round.reason` says why."""


class Throttle:
    """How the service is doing: what all that is asked of it shares, from one round to the next.

    - At most `concurrency` requests are in flight. A 429 halves that number,
      once for all requests that were under way; it grows back by one for each
      round trip of successes.
    - A pause that the service asks for holds every worker. Beyond
      LONGEST_PAUSE seconds the round is stopped instead, and also when it
      would make a silence of `patience` seconds.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        retries: int,
        pause: float = 0.0,
        patience: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
    ) -> None:
        """`pause` is what is left, in seconds, of one that the service asked for before."""
        self.limit = concurrency
        self.retries = retries
        self.clock = clock
        self.uniform = uniform
        self.changed = threading.Condition()
        self._most = concurrency
        self._patience = patience
        self._wait = wait
        self._active = 0
        self._paused_until = clock() + pause
        self._silent_since: float | None = None  # the start of the first request without success
        self._slowed_at = clock() - 1.0
        self._successes = 0  # since the limit last changed
        self._round = Round(self)

    def begin(self) -> "Round":
        """Start another round, and stop the one before: its workers ask and spend no more."""
        with self.changed:
            self._round.stop()
            self._round = Round(self)
            return self._round

    def send(self, exchange: Callable[[], T]) -> T:
        """Send in the round that is under way; see `Round.send`."""
        return self._round.send(exchange)

    def stop(self, reason: ServiceError | None = None) -> None:
        """Stop the round that is under way; see `Round.stop`."""
        self._round.stop(reason)

    @property
    def is_stopped(self) -> bool:
        return self._round.is_stopped

    @property
    def reason(self) -> ServiceError | None:
        """Why the round that is under way was stopped."""
        return self._round.reason

    def pause_left(self) -> float:
        """Return the seconds that are left of a pause that the service asked for."""
        return max(0.0, self._paused_until - self.clock())

    def enter(self, of: "Round") -> float:
        """Wait for a turn and return the time. Raises Stopped when the round is."""
        with self.changed:
            while True:
                if of.is_stopped:
                    raise Stopped
                now = self.clock()
                if now < self._paused_until:
                    self._wait(self.changed, self._paused_until - now)
                elif self._active >= self.limit:
                    self._wait(self.changed, None)
                else:
                    self._active += 1
                    return now

    def leave(self) -> None:
        """End a turn."""
        with self.changed:
            self._active -= 1
            self.changed.notify_all()

    def sleep(self, seconds: float, of: "Round") -> None:
        """Let time pass, unless the round is stopped."""
        with self.changed:
            end = self.clock() + seconds
            while not of.is_stopped and (left := end - self.clock()) > 0:
                self._wait(self.changed, left)

    def succeeded(self) -> None:
        """Note a success, and grow with it."""
        self._silent_since = None
        self._successes += 1
        if self._successes >= self.limit and self.limit < self._most:
            self.limit += 1
            self._successes = 0

    def slow_down(self, started: float) -> bool:
        """Note a 429 to a request that left at `started`; False when its burst is known."""
        if started <= self._slowed_at:
            return False
        self._slowed_at = self.clock()
        self.limit = max(1, self.limit // 2)
        self._successes = 0
        return True

    def pause(self, seconds: float, started: float) -> bool:
        """Hold every worker for `seconds`; False when that is too long to be waited for.

        `started` is when the request left that brought this answer.
        """
        until = self.clock() + seconds
        self._paused_until = max(self._paused_until, until)
        if self._silent_since is None:
            self._silent_since = started
        return seconds <= LONGEST_PAUSE and until - self._silent_since < self._patience


class Round:
    """One round of questions, as one look at some tasks is, with retries and an end of its own.

    Each failure costs one token of its budget, each success earns some back;
    when the budget is spent it is stopped.
    """

    def __init__(self, throttle: Throttle) -> None:
        self.reason: ServiceError | None = None
        self.is_stopped = False
        self._throttle = throttle
        self._budget = BUDGET
        self._failures = 0
        self._throttled = 0  # 429s in a row, one for each burst

    def stop(self, reason: ServiceError | None = None) -> None:
        """Let no further request out and wake every worker; the first reason stays."""
        with self._throttle.changed:
            if not self.is_stopped:
                self.is_stopped = True
                self.reason = reason
            self._throttle.changed.notify_all()

    def send(
        self,
        exchange: Callable[[], T],
        *,
        is_repeatable: Callable[[ServiceError], bool] = lambda _: True,
    ) -> T:
        """Run `exchange` when its turn comes, again after trouble that may pass.

        After an error that is not repeatable it is not run again. Raises the last
        ServiceError when retrying is no use or used up, GaveUp when the round is to
        stop, and Stopped when it has been stopped.
        """
        failures = 0
        while True:
            started = self._throttle.enter(self)
            try:
                result = exchange()
            except ServiceError as error:
                self._failed(error, started)
                if not is_repeatable(error):
                    raise
                if not isinstance(error, RateLimited):
                    failures += 1
                    if failures > self._allowed(error):
                        raise
                    self._throttle.sleep(backoff(failures, self._throttle.uniform), self)
            except BaseException:
                self._throttle.leave()
                raise
            else:
                self._succeeded()
                return result

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises Stopped when the round is."""
        self._throttle.sleep(seconds, self)
        if self.is_stopped:
            raise Stopped

    def _allowed(self, error: ServiceError) -> int:
        retries = self._throttle.retries
        if error.retry_rule is RetryRule.RETRY:
            return retries
        is_once = error.retry_rule in (RetryRule.RETRY_ONCE, RetryRule.CONFIRM)
        return min(1, retries) if is_once else 0

    def _succeeded(self) -> None:
        with self._throttle.changed:
            self._budget = min(BUDGET, self._budget + _EARNED)
            self._throttled = 0
            self._throttle.succeeded()
        self._throttle.leave()

    def _failed(self, error: ServiceError, started: float) -> None:
        with self._throttle.changed:
            if error.retry_rule is RetryRule.STOP:
                self.stop(error)
            elif error.retry_rule not in (RetryRule.SPLIT, RetryRule.CONFIRM):
                self._pause(error, started)
                self._spend(error)
        self._throttle.leave()

    def _pause(self, error: ServiceError, started: float) -> None:
        asked = pause = error.retry_after or 0.0
        if isinstance(error, RateLimited) and self._throttle.slow_down(started):
            self._throttled += 1
            pause = max(asked, backoff(self._throttled, self._throttle.uniform))
        if not self._throttle.pause(pause, started) and asked:
            self._give_up(error, f"it asks to retry in {_roughly(asked)}")
        elif self._throttled > MOST_BURSTS:
            self._give_up(error, "gave up after repeated pauses")

    def _spend(self, error: ServiceError) -> None:
        self._budget -= 1
        self._failures += 1
        if self._budget <= 0:
            self._give_up(error, f"gave up after {self._failures} failed requests")

    def _give_up(self, error: ServiceError, why: str) -> None:
        hint = error.hint or "Nothing was lost: run the same command again later"
        self.stop(
            GaveUp(
                f"{error.message}; {why}",
                code=error.code,
                hint=hint,
                trace_id=error.trace_id,
                may_have_taken_effect=error.may_have_taken_effect,
            )
        )


def _roughly(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004
        return f"{math.ceil(seconds)} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"  # noqa: PLR2004
