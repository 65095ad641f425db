"""Calls of tools: each runs beside the event loop, and ends within what was promised for it."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from mcp.server.context import ServerRequestContext

from flux_cli.errors import Unanswered, UsageError
from flux_cli.mcp.limits import Limits


R = TypeVar("R")
Context = ServerRequestContext[Any, Any]
_SLICE = 0.2  # seconds between two looks whether a call goes on


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Call:
    """One call of a tool: knows how long it may take, and says how far it is."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.progress = ""  # in words
        self.ask: Callable[[str], bool] = lambda _: True  # asks whoever uses the client
        self._clock = clock
        self._started = clock()
        self._cancelled = threading.Event()
        self.cancel = self._cancelled.set
        self.is_cancelled = self._cancelled.is_set

    @property
    def elapsed(self) -> float:
        """The seconds since the call came."""
        return self._clock() - self._started

    @property
    def left(self) -> float:
        """The seconds that are left of what it may take."""
        return max(0.0, self.seconds - self.elapsed)

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises Cancelled."""
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            if self._cancelled.wait(min(left, _SLICE)):
                raise Cancelled


class Calls:
    """Runs calls: looks, which wait for their turn, and waits, of which there is a most.

    So that no wait keeps a look from being answered.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._looks = anyio.CapacityLimiter(limits.looks)
        self._waits = anyio.CapacityLimiter(limits.waits)

    async def look(self, work: Callable[[Call], R], context: Context) -> R:
        """Return what `work` does within the time of a look. Raises FluxError and Cancelled."""
        return await self._run(work, Call(self.limits.look_seconds), self._looks, context)

    async def wait(self, work: Callable[[Call], R], seconds: float, context: Context) -> R:
        """Return what `work` does within `seconds`, likewise."""
        if self._waits.available_tokens < 1:
            raise UsageError(
                f"{self.limits.waits} waits are under way, the most that this server takes",
                hint="Ask once with flux_get_tasks_batch, or wait again when another has ended",
            )
        return await self._run(work, Call(seconds), self._waits, context)

    async def _run(
        self,
        work: Callable[[Call], R],
        call: Call,
        limiter: anyio.CapacityLimiter,
        context: Context,
    ) -> R:
        results: list[R] = []
        failures: list[Exception] = []

        def run() -> None:
            try:
                results.append(work(call))
            except Exception as error:  # noqa: BLE001 - raised again below, outside the group
                failures.append(error)

        try:
            with anyio.move_on_after(call.seconds + self.limits.grace):
                async with anyio.create_task_group() as group:
                    group.start_soon(self._report, call, context)
                    await anyio.to_thread.run_sync(run, limiter=limiter, abandon_on_cancel=True)
                    group.cancel_scope.cancel()
        finally:
            call.cancel()
        if failures:
            raise failures[0]
        if results:
            return results[0]
        raise Unanswered(
            f"there was no answer within {call.seconds:.0f} seconds",
            code="no_answer",
            hint="Ask again in a minute, or for fewer tasks",
        )

    async def _report(self, call: Call, context: Context) -> None:
        """Tell who calls how many seconds have passed, and what is known."""
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                await anyio.sleep(self.limits.progress_interval)
                seconds = round(call.elapsed, 1)
                await context.session.report_progress(
                    min(seconds, call.seconds), call.seconds, call.progress or None
                )
