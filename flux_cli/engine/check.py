"""One poll of every task, in batches."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

from flux_cli.api.throttle import Throttle
from flux_cli.engine.batch import Ask, AskAlone, BatchQuery, Refusals
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.ordered_pool import OrderedPool
from flux_cli.engine.service_traits import PageSize, ServiceTraits
from flux_cli.errors import ServiceError, Unanswered
from flux_cli.models.task import Task


_AHEAD = 4  # batches for each worker that may be done before their turn to be shown


class Check:
    """Looks up ids in batches and yields tasks in the order of the ids: one round of `throttle`.

    Needs ceil(n / batch_size) requests when all is well, and one more for each
    id where the service ignores what it is asked for. Memory is bounded by
    batch size and concurrency. Afterwards `stopped_by` is the error that
    ended the run early, and `failure` the first that left an id unanswered.
    """

    def __init__(
        self,
        ids: Iterable[str],
        retrieve_batch: Ask,
        retrieve: AskAlone,
        *,
        throttle: Throttle,
        batch_size: int,
        workers: int,
        keep_raw: bool = False,
        now: Callable[[], float] = time.time,
        traits: ServiceTraits | None = None,
        is_over: Callable[[], bool] = lambda: False,
        loop: EventLoop | None = None,
        annotate: Callable[[Task], Task] = lambda task: task,
    ) -> None:
        """`traits` holds what an earlier poll has learned of the service.

        `annotate` adds to each task what is known of it here.

        `is_over` ends the poll early when it turns true; the ids that are not
        answered by then are unknown. `loop` is where the results are waited for.
        """
        self._ids = iter(ids)
        self._retrieve_batch = retrieve_batch
        self._retrieve = retrieve
        self._round = throttle.begin()
        self._keep_raw = keep_raw
        self._annotate = annotate
        self._now = now
        self.failure: ServiceError | None = None
        self.asked_alone = 0  # how many tasks; one that two threads count at once costs nothing
        self._traits = traits or ServiceTraits(PageSize(batch_size))
        self._refusals = Refusals()
        self._loop = loop or EventLoop()
        self._pool = OrderedPool(
            self._batches(),
            BatchQuery.run,
            loop=self._loop,
            workers=workers,
            window=workers * _AHEAD,
            is_stopped=lambda: self._round.is_stopped or is_over(),
        )

    @property
    def stopped_by(self) -> ServiceError | None:
        return self._round.reason

    def results(self) -> Iterator[list[Task]]:
        """Yield the tasks a batch at a time: every id once, in order, whatever happens."""
        return self._loop.each(self.results_so_far())

    def results_so_far(self) -> Iterator[list[Task] | None]:
        """Yield the same, and None where the loop has to run before there is more."""
        for batch in self._pool.finished():
            if batch is None:
                yield None
            else:
                self.failure = self.failure or batch.failure
                yield self._annotated(batch.results(self.stopped_by))
        for batch in chain(self._pool.unfinished(), self._pool.unstarted()):
            yield self._annotated(batch.results(self.stopped_by))

    def interrupt(self) -> Iterator[list[Task]]:
        """Stop asking, and yield the answers that had not had their turn yet."""
        self._round.stop()
        for batch in self._pool.unfinished():
            if known := self._annotated(batch.known()):
                yield known

    def _annotated(self, tasks: Iterable[Task]) -> list[Task]:
        return list(map(self._annotate, tasks))

    def _ask_alone(self, task_id: str) -> Mapping[str, Any] | None:
        self.asked_alone += 1
        return self._round.send(lambda: self._retrieve(task_id))

    def _batches(self) -> Iterator[BatchQuery]:
        while ids := list(islice(self._ids, self._traits.pages.next_batch())):
            yield BatchQuery(
                ids,
                ask=lambda part: self._round.send(lambda: self._retrieve_batch(part)),
                ask_alone=self._ask_alone,
                now=self._now,
                traits=self._traits,
                refusals=self._refusals,
                stop=self._round.stop,
                keep_raw=self._keep_raw,
            )


def no_answer_for(unknown: int, total: int, failure: ServiceError | None) -> Unanswered:
    """Return the error for `unknown` of `total` tasks that `failure` left without an answer."""
    reason = failure.message if failure else "the service keeps sending incomplete replies"
    return Unanswered(
        f"no answer for {unknown:,} of {total:,} tasks: {reason}",
        code="no_answer",
        hint=(failure and failure.hint) or "Run the same command again later",
        trace_id=failure.trace_id if failure else None,
    )
