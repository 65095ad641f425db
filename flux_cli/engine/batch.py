"""One batch of ids, asked for until every id is settled.

A reply is not trusted to be whole: the service may page it, repeat items, mix
in others, answer with other tasks altogether, or refuse the batch because of
one id.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flux_cli.api.responses import BatchResponse
from flux_cli.api.throttle import Stopped
from flux_cli.engine.service_traits import ServiceTraits
from flux_cli.errors import (
    BadRequest,
    NotFound,
    ResponseTooLarge,
    RetryRule,
    ServiceError,
    TaskDenied,
)
from flux_cli.models.ids import match_key, record_key
from flux_cli.models.task import Task, more_advanced, no_answer, not_found, parse_task


Ask = Callable[[Sequence[str]], BatchResponse]
AskAlone = Callable[[str], Mapping[str, Any] | None]  # for one task; None where it is not known

MOST_ROUNDS = 12  # of asking again; a service that pages needs one or two
_CAREFUL = 10  # ids in a page, where no limit is certain; sibling services give 12
_RECENT = 600.0  # seconds; a task that is younger may have been left out because it was too new
_MOST_DENIALS = 14  # until two unknown ids among 50 are each alone; more are not looked for so
MOST_REFUSALS = 64  # ids refused one after the other, with nothing accepted between them


@dataclass(slots=True, eq=False, repr=False)
class Refusals:
    """Counts ids that the service refuses one by one, to notice when it refuses everything."""

    in_a_row: int = 0

    def refused(self) -> bool:
        """Count one more; True when the question itself seems to be refused."""
        self.in_a_row += 1
        return self.in_a_row >= MOST_REFUSALS

    def accepted(self) -> None:
        self.in_a_row = 0


@dataclass(slots=True, eq=False, repr=False)
class BatchQuery:
    """Asks for the ids of one batch and keeps what is known of them so far.

    `ask` and `ask_alone` send one query with its retries; `stop` ends the whole run.
    """

    ids: Sequence[str]
    ask: Ask
    ask_alone: AskAlone
    now: Callable[[], float]
    traits: ServiceTraits
    refusals: Refusals
    stop: Callable[[ServiceError], None]
    keep_raw: bool = False
    _spelling: dict[str, str] = field(init=False)  # of each id as it was given, by what matches it
    _found: dict[str, Task] = field(default_factory=dict)
    _failed: dict[str, ServiceError] = field(default_factory=dict)
    _absent: set[str] = field(default_factory=set)
    _left_out: set[str] = field(default_factory=set)  # of whole replies, in this round
    _is_doubted: bool = False  # whether a reply has held others, or was caught
    _ignores_ids: bool = False  # whether it was others alone
    _largest_reply: int = 0
    _first_short: int | None = None  # the size of the first reply that left ids out

    def __post_init__(self) -> None:
        self._spelling = {match_key(task_id): task_id for task_id in self.ids}

    def run(self) -> list[Callable[[], None]]:
        """Ask until every id is found, failed, or left out; return what else has to be done.

        Ids that are left out are asked for again, in pages of the size that
        the service was seen to give, until a round recovers none. That proves
        them absent where the replies are to be believed; anywhere else each has
        to be asked for alone, which is what the returned calls do, in any
        order and any thread. Returns early, with less known, when the run is
        stopped.
        """
        try:
            doubted = self._ask_rounds()
        except Stopped:
            return []
        return [partial(self._settle, key) for key in doubted]

    def results(self, stopped_by: ServiceError | None) -> Iterator[Task]:
        """Yield a task for each id in order; `stopped_by` explains those never answered."""
        for task_id in self.ids:
            key = match_key(task_id)
            if key in self._found:
                yield self._found[key]
            elif key in self._absent:
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

    def _ask_rounds(self) -> list[str]:
        """Ask for what is missing in round after round; return those whose absence is in doubt."""
        missing = list(self._spelling)
        page_size = max(1, len(missing))
        was_caught = False
        for round_number in range(MOST_ROUNDS + 1):
            left_out, self._left_out = self._left_out, set()
            self._ask_pages(missing, page_size)
            recovered = [key for key in missing if key in self._found]
            if round_number == 1 and recovered and self._is_cut():
                self.traits.pages.suspect(self._largest_reply)
            was_caught |= any(k in left_out and self._is_old(self._found[k]) for k in recovered)
            missing = [key for key in missing if self._is_open(key)]
            if not missing or self._ignores_ids or (round_number and not recovered):
                break
            if round_number:
                page_size = min(page_size, self._seen_limit())
            missing.reverse()  # a service that looks at the first few must not hide the rest
        else:
            self._left_out.clear()  # there may be more to find
        if was_caught and not self._is_cut():
            self._distrust()
        if self._is_doubted or self.traits.doubt:
            return missing
        self._absent |= self._left_out.intersection(missing)
        return [key for key in missing if key not in self._absent]

    def _ask_pages(self, missing: Sequence[str], page_size: int) -> None:
        """Ask for `missing` once, as far as the service cares what it is asked for."""
        for page in _chunks(missing, page_size):
            if not self._ignores_ids:
                self._ask_split(page)

    def _ask_split(self, page: Sequence[str]) -> None:
        """Ask for `page`; where the service refuses it, or says too much, ask for its halves."""
        todo, denials = [page], 0
        while todo and not self._ignores_ids:
            part = todo.pop()
            try:
                reply = self.ask(part)
            except (BadRequest, ResponseTooLarge) as error:
                denials += isinstance(error, NotFound)
                if denials > _MOST_DENIALS:
                    self._ignores_ids = self._is_doubted = True  # each is asked for alone
                elif len(part) > 1:
                    middle = len(part) // 2
                    todo += [part[middle:], part[:middle]]
                elif isinstance(error, NotFound):
                    self._settle(part[0])
                elif isinstance(error, ResponseTooLarge):
                    self._settle(part[0])
                    if part[0] not in self._failed:  # it was not that one's size
                        self._ignores_ids = self._is_doubted = True
                else:
                    self._fail(part, error)
            except ServiceError as error:
                self._fail(part, error)
            else:
                self.refusals.accepted()
                self.traits.pages.saw(reply)
                self._take(part, reply)

    def _settle(self, key: str) -> None:
        """Ask for one id alone, which tells whether it is there."""
        record = None
        try:
            record = self.ask_alone(key)
        except Stopped:
            return
        except TaskDenied:
            pass  # for the second time
        except ServiceError as error:
            with contextlib.suppress(Stopped):
                self._fail([key], error)
            return
        self.refusals.accepted()
        if record is None:
            self._absent.add(key)
            self.traits.doubt.confirm_absence()
        else:
            self._keep(key, record)

    def _fail(self, part: Sequence[str], error: ServiceError) -> None:
        """Note why there is no answer for `part`. Raises Stopped where there is none for others."""
        if error.retry_rule is RetryRule.STOP:
            raise Stopped from error
        self._failed.update(dict.fromkeys(part, error))
        if isinstance(error, BadRequest) and self.refusals.refused():
            self.stop(error)

    def _take(self, part: Sequence[str], reply: BatchResponse) -> None:
        """Keep what `reply` holds of this batch, and judge whether it was whole for `part`.

        One that holds anything else than what was asked for, once each, or
        says that there is more, proves nothing about what it leaves out.
        """
        left_out = set(part)
        has_others = False
        for item in reply.items:
            if (key := record_key(item)) is not None:
                has_others |= key not in part
                left_out.discard(key)
                self._keep(key, item)
        answered = len(part) - len(left_out)
        if reply.size <= answered and reply.may_be_whole:
            self._left_out |= left_out
        if has_others:
            self._distrust()
            self._ignores_ids = not answered
        self._largest_reply = max(self._largest_reply, reply.size)
        if left_out and self._first_short is None:
            self._first_short = reply.size

    def _keep(self, key: str, record: Mapping[str, Any]) -> None:
        if (task_id := self._spelling.get(key)) is not None:
            task = parse_task(task_id, record, self.now(), keep_raw=self.keep_raw)
            self._found[key] = more_advanced(self._found.get(key, task), task)
            self._failed.pop(key, None)

    def _distrust(self) -> None:
        self._is_doubted = True
        self.traits.doubt.add()

    def _is_open(self, key: str) -> bool:
        return not (key in self._found or key in self._failed or key in self._absent)

    def _is_old(self, task: Task) -> bool:
        """Tell whether a task was there long before the replies of this batch."""
        return task.created_at is None or task.created_at < self.now() - _RECENT

    def _is_cut(self) -> bool:
        """Tell whether the reply that left ids out is the largest, as a page limit makes it.

        One that held nothing, or less than a later one, was not cut: tasks
        have become visible since.
        """
        return bool(self._first_short) and self._first_short == self._largest_reply

    def _seen_limit(self) -> int:
        """Return the size of page that hides nothing, even if only the first ids are looked at."""
        return self._largest_reply if self._is_cut() else max(self._largest_reply, _CAREFUL)


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
