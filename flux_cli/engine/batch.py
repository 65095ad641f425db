"""One batch of ids, asked for until every id is settled.

A reply is not trusted to be whole: the service may page it, repeat items, mix
in others, or refuse the batch because of one id.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from flux_cli.api.responses import BatchResponse
from flux_cli.api.throttle import Stopped
from flux_cli.errors import BadRequest, RetryRule, ServiceError
from flux_cli.models.ids import match_key
from flux_cli.models.task import Task, more_advanced, no_answer, not_found, parse_task


Ask = Callable[[Sequence[str]], BatchResponse]

MOST_ROUNDS = 12  # of asking again; a service that pages needs one or two
_CAREFUL = 10  # ids in a page, where no limit is certain; sibling services give 12
_PROBE_EVERY = 8  # batches, the page limit is put to the test
MOST_REFUSALS = 64  # ids refused one after the other, with nothing accepted between them


@dataclass(slots=True)
class PageSize:
    """How many ids to ask for at once: `most` of them, or what the service gives.

    A page limit is believed when two batches have met the same one, asked
    beyond now and then, and forgotten when a reply disproves it. Shared by the
    workers of a run; a lost update costs a few requests at most.
    """

    most: int
    limit: int | None = None
    _suspected: int | None = None
    _batches: int = 0

    def next_batch(self) -> int:
        """Return how many ids the next batch takes; twice the limit costs nothing where it holds.

        Two pages are asked for then instead of one, for twice as many ids.
        """
        if self.limit is None:
            return self.most
        self._batches += 1
        return min(self.most, self.limit if self._batches % _PROBE_EVERY else 2 * self.limit)

    def saw(self, reply: BatchResponse) -> None:
        """Forget a limit that `reply` is beyond."""
        if reply.size > (self._suspected or 0):
            self.limit = self._suspected = None

    def suspect(self, limit: int) -> None:
        """Note that a batch has met a page limit; the second one to meet it is believed."""
        if limit == self._suspected:
            self.limit = limit
        self._suspected = limit


@dataclass(slots=True)
class Refusals:
    """Counts ids that the service refuses one by one, to notice when it refuses everything."""

    in_a_row: int = 0

    def refused(self) -> bool:
        """Count one more; True when the question itself seems to be refused."""
        self.in_a_row += 1
        return self.in_a_row >= MOST_REFUSALS

    def accepted(self) -> None:
        self.in_a_row = 0


@dataclass(slots=True)
class BatchQuery:
    """Asks for the ids of one batch and keeps what is known of them so far.

    `ask` sends one query with its retries; `stop` ends the whole run.
    """

    ids: Sequence[str]
    ask: Ask
    now: Callable[[], float]
    pages: PageSize
    refusals: Refusals
    stop: Callable[[ServiceError], None]
    keep_raw: bool = False
    _found: dict[str, Task] = field(default_factory=dict)
    _failed: dict[str, ServiceError] = field(default_factory=dict)
    _proven: bool = False
    _largest_reply: int = 0
    _first_short: int | None = None  # the size of the first reply that left ids out

    def run(self) -> None:
        """Ask until every id is found, failed, or proven not to be there.

        Ids that are left out are asked for again, in pages of the size that
        the service was seen to give, until a round recovers none. Returns
        early, with less known, when the run is stopped.
        """
        missing = [match_key(task_id) for task_id in self.ids]
        page_size = max(1, len(missing))
        try:
            for round_number in range(MOST_ROUNDS + 1):
                for page in _chunks(missing, page_size):
                    self._ask_split(page)
                recovered = any(key in self._found for key in missing)
                if round_number == 1 and recovered and self._is_cut():
                    self.pages.suspect(self._largest_reply)
                missing = [k for k in missing if k not in self._found and k not in self._failed]
                if not missing:
                    return
                if round_number and not recovered:
                    self._proven = True
                    return
                if round_number:
                    page_size = min(page_size, self._seen_limit())
                missing.reverse()  # a service that looks at the first few must not hide the rest
        except Stopped:
            return

    def results(self, stopped_by: ServiceError | None) -> Iterator[Task]:
        """Yield a task for each id in order; `stopped_by` explains those never answered."""
        for task_id in self.ids:
            key = match_key(task_id)
            if key in self._found:
                yield self._found[key]
            elif self._proven and key not in self._failed:
                yield not_found(task_id, self.now())
            else:
                yield unanswered(task_id, self._failed.get(key) or stopped_by, self.now())

    @property
    def failure(self) -> ServiceError | None:
        """The first of the errors that left ids of this batch unanswered."""
        return next(iter(self._failed.values()), None)

    def known(self) -> Iterator[Task]:
        """Yield, in order, only the tasks that the service answered for."""
        return (self._found[key] for key in map(match_key, self.ids) if key in self._found)

    def _ask_split(self, page: Sequence[str]) -> None:
        """Ask for `page`; where the service refuses it, ask for its halves."""
        todo = [page]
        while todo:
            part = todo.pop()
            try:
                reply = self.ask(part)
            except BadRequest as error:
                if len(part) > 1:
                    middle = len(part) // 2
                    todo += [part[middle:], part[:middle]]
                else:
                    self._failed[part[0]] = error
                    if self.refusals.refused():
                        self.stop(error)
            except ServiceError as error:
                if error.retry_rule is RetryRule.STOP:
                    raise Stopped from error
                self._failed.update(dict.fromkeys(part, error))
            else:
                self.refusals.accepted()
                self.pages.saw(reply)
                self._take(reply)
                self._largest_reply = max(self._largest_reply, reply.size)
                if self._first_short is None and any(key not in self._found for key in part):
                    self._first_short = reply.size

    def _is_cut(self) -> bool:
        """Tell whether the reply that left ids out is the largest, as a page limit makes it.

        One that held nothing, or less than a later one, was not cut: tasks
        have become visible since.
        """
        return bool(self._first_short) and self._first_short == self._largest_reply

    def _seen_limit(self) -> int:
        """Return the size of page that hides nothing, even if only the first ids are looked at."""
        return self._largest_reply if self._is_cut() else max(self._largest_reply, _CAREFUL)

    def _take(self, reply: BatchResponse) -> None:
        spelling = {match_key(task_id): task_id for task_id in self.ids}
        observed_at = self.now()
        for item in reply.items:
            item_id = item.get("id")
            key = match_key(item_id) if isinstance(item_id, str) else ""
            if key in spelling:
                task = parse_task(spelling[key], item, observed_at, keep_raw=self.keep_raw)
                self._found[key] = more_advanced(self._found.get(key, task), task)
                self._failed.pop(key, None)


def unanswered(task_id: str, error: ServiceError | None, observed_at: float) -> Task:
    """Return the task for an id that `error`, or a service leaving it out for ever, hid."""
    if error is None:
        return no_answer(
            task_id,
            code="short_reply",
            message="the service keeps sending incomplete replies",
            observed_at=observed_at,
        )
    return no_answer(task_id, code=error.code, message=error.message, observed_at=observed_at)


def _chunks(ids: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
