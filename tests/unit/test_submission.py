"""A submitter sends each row once, tells each in its order, and ends as it is told to."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flux_cli import errors
from flux_cli.api.acceptance import Acceptance
from flux_cli.api.throttle import Throttle
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.history import History
from flux_cli.engine.listing import Bounds
from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.submission import Submitter
from flux_cli.errors import JournalError, ServiceError
from flux_cli.models.state import State
from flux_cli.models.submission import PlannedRequest, RunInfo, Submission, SubmissionState
from flux_cli.models.task import Task, TaskError, parse_task
from flux_cli.storage.journal import Journal
from tests.support.patience import until
from tests.support.simulation import Clock
from tests.support.submitting import NOW, body, open_run, requests, states


PLANNED, SENDING, ACCEPTED, REFUSED, UNKNOWN = SubmissionState


def lost() -> ServiceError:
    return errors.ConnectionFault("the reply was cut short", code="reply_cut")


def unreachable() -> ServiceError:
    return errors.ConnectionFault("cannot connect", code="unreachable", may_have_taken_effect=False)


def refused() -> ServiceError:
    return errors.BadRequest(
        "the service answered forbidden: no", code="forbidden", may_have_taken_effect=False
    )


def used_up() -> ServiceError:
    return errors.Refused(
        "the service answered used_up", code="used_up", may_have_taken_effect=False
    )


class Desk:
    """A submitter with all that it needs, a service that follows a script, and a clock.

    Replies are by prompt: one after the other, then always a task named after the prompt.
    """

    def __init__(self, journal: Journal, planned: Sequence[PlannedRequest]) -> None:
        self.journal = journal
        self.planned = planned
        self.clock = Clock()
        self.replies: dict[str, list[ServiceError | str]] = {}
        self.listed: list[Task] = []
        self.listings = 0
        self.sent: list[str] = []
        self.sent_at: list[float] = []
        self.before_reply: Callable[[str], object] = str
        self.run: RunInfo
        self.loop = EventLoop()

    @property
    def prompts(self) -> list[str]:
        return [str(request.body["prompt"]) for request in self.planned]

    def submitter(
        self,
        *,
        workers: int = 1,
        rows: Sequence[Submission] | None = None,
        name: str | None = None,
        **policy: Any,
    ) -> Submitter:
        self.run, found = open_run(self.journal, self.planned, name=name)
        throttle = Throttle(
            concurrency=workers,
            retries=3,
            clock=self.clock,
            uniform=lambda _, most: most,
            wait=self.clock.wait,
        )
        return Submitter(
            self.journal,
            self.run,
            found if rows is None else rows,
            self.submit,
            History(self.tasks, skew=lambda: 0.0, is_taken=self.journal.has_task),
            throttle=throttle,
            policy=SubmitPolicy(**{"rate": 1000.0, **policy}),
            most=len(self.planned),
            workers=workers,
            loop=self.loop,
            now=lambda: NOW + self.clock() - 1000.0,
            clock=self.clock,
        )

    def go(self, **options: Any) -> list[Submission]:
        """Submit it all, as a command does."""
        submitter = self.submitter(**options)
        submitter.settle()
        return list(submitter.results())

    def submit(self, path: str, request: Mapping[str, Any]) -> Acceptance:
        assert path == "/flux/images"
        prompt = str(request["prompt"])
        self.sent.append(prompt)
        self.sent_at.append(self.clock())
        script = self.replies.get(prompt, [])
        answer = script.pop(0) if script else f"task-{prompt}-{self.sent.count(prompt)}"
        self.before_reply(prompt)
        if isinstance(answer, ServiceError):
            raise answer
        return Acceptance(answer, "trace-1")

    def tasks(self, bounds: Bounds) -> Iterator[Sequence[Task]]:
        self.listings += 1
        yield [task for task in self.listed if bounds.hold(task)]

    def list_task(self, prompt: str, task_id: str, at: float = 1.0) -> None:
        record = {"id": task_id, "request": body(prompt), "created_at": NOW + at}
        self.listed.append(parse_task(task_id, record, NOW, keep_raw=True))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[[str], Desk]]:
    """Make a desk for prompts of one letter each."""
    times = iter(range(10**6))
    with Journal(tmp_path / "journal", now=lambda: NOW + next(times) / 1e6) as journal:
        yield lambda prompts: Desk(journal, requests(*prompts))


Make = Callable[[str], Desk]


def test_each_is_sent_once_and_told_in_its_order(desk: Make) -> None:
    at = desk("abcdef")
    rows = at.go()
    assert at.sent == list("abcdef")
    assert [row.task_id for row in rows] == [f"task-{prompt}-1" for prompt in "abcdef"]
    assert at.journal.submissions(at.run) == rows
    assert states(at.go()) == "aaaaaa"
    assert len(at.sent) == 6


def test_those_that_are_answered_early_wait_for_their_turn(desk: Make) -> None:
    """Rows are told when their fate is known, also where a later one was done long before."""
    at = desk("abcdefgh")
    others_are_done = threading.Event()

    def hold(prompt: str) -> None:
        if prompt == "a":
            assert others_are_done.wait(60)
        elif len(at.sent) == 8:
            others_are_done.set()

    at.before_reply = hold
    submitter = at.submitter(workers=3)
    submitter.settle()
    rows = []
    for row in submitter.results():
        assert row.state is ACCEPTED, row
        rows.append(row.row)
    assert rows == [1, 2, 3, 4, 5, 6, 7, 8]


def test_they_leave_at_the_rate(desk: Make) -> None:
    at = desk("abcdef")
    at.go(rate=2.0)
    assert [round(time - at.sent_at[0], 3) for time in at.sent_at] == [0, 0.5, 1, 1.5, 2, 2.5]


@pytest.mark.parametrize("failure", [unreachable, lambda: limited(5.0), lambda: limited(None)])
def test_what_was_certainly_not_taken_is_sent_again(
    desk: Make, failure: Callable[[], ServiceError]
) -> None:
    at = desk("ab")
    at.replies["a"] = [failure(), failure()]
    assert states(at.go()) == "aa"
    assert at.sent == ["a", "a", "a", "b"]
    waits = [later - earlier for earlier, later in zip(at.sent_at, at.sent_at[1:], strict=False)]
    assert min(waits[:2]) >= 0.5


def limited(pause: float | None) -> ServiceError:
    return errors.RateLimited(
        "slow down", code="too_many_requests", retry_after=pause, may_have_taken_effect=False
    )


@pytest.mark.parametrize(
    "failure",
    [
        lost,
        lambda: errors.ServerFault("x", code="http_502"),
        lambda: errors.InternalFault("x", code="api_error"),
        lambda: errors.BrokenContract("x", code="bad_reply"),
        lambda: errors.BadRequest("x", code="400"),
        lambda: errors.RateLimited("x", code="429"),
    ],
)
def test_what_may_have_been_taken_is_told_and_never_sent_again(
    desk: Make, failure: Callable[[], ServiceError]
) -> None:
    at = desk("ab")
    error = failure()
    at.replies["a"] = [error]
    submitter = at.submitter()
    submitter.settle()
    rows = list(submitter.results())
    assert states(rows) == "ua"
    assert submitter.failure is (None if isinstance(error, errors.BadRequest) else error)
    assert rows[0].error is not None
    assert rows[0].as_task(1.0).state is State.UNKNOWN
    for _ in range(3):
        assert states(at.go()) == "ua"
    assert at.sent == ["a", "b"]


def test_what_may_have_been_taken_is_searched_for_a_few_times(desk: Make) -> None:
    at = desk("ab")
    at.replies["a"] = [lost()]
    listing = at.tasks

    def late(bounds: Bounds) -> Iterator[Sequence[Task]]:
        if at.listings == 2:
            at.list_task("a", "found-1")
        return listing(bounds)

    at.tasks = late  # type: ignore[method-assign]
    started = at.clock()
    rows = at.go()
    assert [row.task_id for row in rows] == ["found-1", "task-b-1"]
    assert at.clock() - started >= 7.5
    assert at.listings == 3


def test_a_history_that_never_tells_anything_is_asked_once_for_each(desk: Make) -> None:
    at = desk("abcdefgh")
    at.replies = {prompt: [lost()] for prompt in "abcdefgh"}
    assert states(at.go()) == "uuuuuuuu"
    assert at.listings == 3 + 7


def test_what_is_refused_concerns_one_prompt(desk: Make) -> None:
    at = desk("abc")
    at.replies["b"] = [refused()]
    submitter = at.submitter()
    submitter.settle()
    rows = list(submitter.results())
    assert states(rows) == "ara"
    assert rows[1].error == TaskError("forbidden", "no")
    assert (submitter.stopped_by, submitter.failure) == (None, None)
    assert states(at.go()) == "ara"
    assert at.sent == ["a", "b", "c"]
    assert states(at.go(retry_refused=True)) == "aaa"
    assert at.sent == ["a", "b", "c", "b"]


def test_when_all_are_refused_it_is_not_the_prompts_that_are_wrong(desk: Make) -> None:
    prompts = "abcdefghijklmnopqrstuvwxyz"
    at = desk(prompts)
    at.replies = {prompt: [refused()] for prompt in prompts}
    submitter = at.submitter()
    submitter.settle()
    assert states(submitter.results()) == "r" * 20 + "p" * 6
    assert submitter.stopped_by is not None
    assert "the first 20 prompts were all refused" in submitter.stopped_by.message
    at = desk("0" + prompts)
    at.replies = {prompt: [refused()] for prompt in prompts}
    assert states(at.go(retry_refused=True)) == "a" + "r" * 26


def test_where_some_were_accepted_before_it_is_the_prompts(desk: Make) -> None:
    assert states(desk("0").go()) == "a"
    at = desk("0abcdefghijklmnopqrstuvwxyz")
    at.replies = {prompt: [refused()] for prompt in at.prompts}
    assert states(at.go()) == "a" + "r" * 26


@pytest.mark.parametrize(
    "failure",
    [
        used_up,
        lambda: errors.TokenRejected("no", code="invalid_token", may_have_taken_effect=False),
        lambda: errors.NotTheApi("no", code="not_the_api", may_have_taken_effect=False),
    ],
)
def test_what_concerns_all_stops_the_run(desk: Make, failure: Callable[[], ServiceError]) -> None:
    at = desk("abcdef")
    at.replies["c"] = [failure()]
    submitter = at.submitter()
    submitter.settle()
    rows = list(submitter.results())
    assert states(rows) == "aapppp"
    assert at.sent == ["a", "b", "c"]
    assert submitter.stopped_by is not None
    shown = rows[2].as_task(1.0).error
    assert shown is not None
    assert (shown.message or "").startswith("not submitted: ")
    assert states(at.go()) == "aaaaaa"
    assert at.sent == [*"abc", *"cdef"]


def test_a_dead_service_is_left_alone(desk: Make) -> None:
    at = desk("abcdefgh")
    at.replies = {prompt: [unreachable() for _ in range(99)] for prompt in "abcdefgh"}
    submitter = at.submitter()
    submitter.settle()
    assert states(submitter.results()) == "pppppppp"
    assert len(at.sent) == 16
    assert isinstance(submitter.stopped_by, errors.GaveUp)


def test_a_reply_that_names_the_task_of_another_leaves_it_in_doubt(desk: Make) -> None:
    at = desk("ab")
    at.replies["b"] = ["task-a-1"]
    rows = at.go()
    assert [row.task_id for row in rows] == ["task-a-1", None]
    assert rows[1].state is UNKNOWN
    assert rows[1].error is not None
    assert rows[1].error.code == "bad_reply"


def test_the_rows_are_as_they_are_once_the_run_is_ones_own(desk: Make) -> None:
    """While it waited for another process, that one has sent some, lost one, and has gone on."""
    at = desk("abcd")
    run, stale = open_run(at.journal, at.planned)
    assert at.journal.mark_sending(stale[0], run)
    assert at.journal.mark_accepted(stale[0], "theirs-1", None)
    assert at.journal.mark_sending(stale[1], run)  # and was killed
    assert at.journal.mark_sending(stale[2], run)
    at.journal.mark(stale[2], UNKNOWN, None)
    at.list_task("b", "theirs-2")
    rows = at.go(rows=stale)
    assert [row.task_id for row in rows] == ["theirs-1", "theirs-2", None, "task-d-1"]
    assert states(rows) == "aaua"
    assert at.sent == ["d"]


@contextmanager
def sent_by_another(at: Desk, prompts: str) -> Iterator[Submission]:
    """Let a run of its own have sent its first prompt, and wait for the reply."""
    with Journal(at.journal.path, now=lambda: NOW) as journal:
        run, rows = open_run(journal, requests(*prompts), name="another")
        with journal.locked(run, wait=time.sleep):
            assert journal.mark_sending(rows[0], run)
            yield rows[0]


def test_a_task_that_may_be_that_of_another_process_is_left_to_it(desk: Make) -> None:
    at = desk("a")
    at.replies["a"] = [lost()]
    open_run(at.journal, at.planned)  # first, so that it is found
    with sent_by_another(at, "a"):
        at.list_task("a", "theirs-1")
        assert states(at.go(name="prompts")) == "u"
    assert [row.task_id for row in at.go(name="prompts")] == ["theirs-1"]  # it ended without one


def test_a_row_that_another_process_is_sending_is_left_to_it(desk: Make) -> None:
    at = desk("abcde")
    with sent_by_another(at, "aUVWXYZ") as row:
        at.list_task("a", "theirs-1")
        shared = at.go()
        assert (shared[0].number, states(shared)) == (row.number, "saaaa")
        assert at.listings == 0
        assert at.journal.mark_accepted(row, "theirs-1", None)
        assert at.go()[0].task_id == "theirs-1"
    assert at.sent == ["b", "c", "d", "e"]


def test_none_is_searched_for_while_a_look_alike_is_under_way(tmp_path: Path) -> None:
    """Its task, which is listed before its reply has come, would be taken for the other's."""
    twice = [PlannedRequest("/flux/images", body("a", **more)) for more in ({}, {"count": 2})]
    with Journal(tmp_path / "journal", now=lambda: NOW) as journal:
        at = Desk(journal, twice)
        at.replies["a"] = [lost()]
        under_way: list[int] = []

        def hold(_: str) -> None:
            if len(at.sent) == 2:
                until(lambda: "u" in states(journal.submissions(at.run)))
                time.sleep(0.1)  # in which nothing must happen

        def tasks(bounds: Bounds) -> Iterator[Sequence[Task]]:
            del bounds
            under_way.append(submitter.under_way)
            yield []

        at.before_reply = hold
        at.tasks = tasks  # type: ignore[method-assign]
        submitter = at.submitter(workers=2)
        assert sorted(states(submitter.results())) == ["a", "u"]  # whichever left first
    assert under_way == [0, 0, 0]


def test_another_input_of_the_same_run_does_not_change_whose_rows_are_sent(desk: Make) -> None:
    at = desk("abc")
    _, own = open_run(at.journal, at.planned)
    open_run(at.journal, requests(*"cbaxyz"))
    assert [row.body["prompt"] for row in at.go(rows=own)] == ["a", "b", "c"]
    assert at.sent == ["a", "b", "c"]


def test_what_is_in_doubt_is_sent_again_when_told_and_the_history_had_its_time(
    desk: Make,
) -> None:
    at = desk("abc")
    at.replies = {"a": [lost()], "c": [lost()]}
    assert states(at.go()) == "uau"
    at.list_task("a", "found-1")
    started = at.clock()
    rows = at.go(resend_unconfirmed=True)
    assert [row.task_id for row in rows] == ["found-1", "task-b-1", "task-c-2"]
    assert at.sent == ["a", "b", "c", "c"]
    assert at.clock() >= started


def test_what_was_lost_a_moment_ago_is_waited_for_before_it_is_sent_again(desk: Make) -> None:
    at = desk("a")
    run, [row] = open_run(at.journal, at.planned)
    assert at.journal.mark_sending(row, run)
    listing = at.tasks

    def late(bounds: Bounds) -> Iterator[Sequence[Task]]:
        if at.listings == 1:
            at.list_task("a", "found-1")
        return listing(bounds)

    at.tasks = late  # type: ignore[method-assign]
    started = at.clock()
    assert [row.task_id for row in at.go(resend_unconfirmed=True)] == ["found-1"]
    assert at.sent == []
    assert 15 < at.clock() - started <= 20


@pytest.mark.parametrize("error", [unreachable(), errors.TokenRejected("no", code="x")])
def test_what_cannot_be_searched_for_is_not_sent_again_even_when_told(
    desk: Make, error: ServiceError
) -> None:
    """A moment later the history may show that it was taken."""
    at = desk("ab")
    at.replies["a"] = [lost()]
    assert states(at.go()) == "ua"
    listing = at.tasks

    def fail(bounds: Bounds) -> Iterator[Sequence[Task]]:
        yield from listing(bounds)
        raise error

    at.tasks = fail  # type: ignore[method-assign]
    submitter = at.submitter(resend_unconfirmed=True)
    submitter.settle()
    assert states(submitter.results()) == "ua"
    assert submitter.failure is error
    at.tasks = listing  # type: ignore[method-assign]
    assert states(at.go(resend_unconfirmed=True)) == "aa"
    assert at.sent == ["a", "b", "a"]


def test_a_look_alike_of_what_another_process_is_sending_is_not_sent_again(desk: Make) -> None:
    at = desk("a")
    at.replies["a"] = [lost()]
    at.go(name="prompts")
    with sent_by_another(at, "a"):
        assert states(at.go(name="prompts", resend_unconfirmed=True)) == "u"
    assert states(at.go(name="prompts", resend_unconfirmed=True)) == "a"


def interrupted_at(at: Desk, prompt: str) -> tuple[Submitter, list[Submission]]:
    """Submit, and stop when the request for `prompt` is under way; return what was told."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(sent: str) -> None:
        if sent == prompt:
            reached.set()
            assert go_on.wait(60)

    at.before_reply = hold
    submitter = at.submitter()
    submitter.settle()
    told: list[Submission] = []

    class Left(Exception):
        pass

    def leave() -> None:
        raise Left

    def post() -> None:
        assert reached.wait(60)
        at.loop.post(leave)

    threading.Thread(target=post, daemon=True).start()
    with pytest.raises(Left):
        told.extend(submitter.results())
    assert submitter.under_way == 1
    go_on.set()
    return submitter, told


def test_what_is_under_way_is_waited_for_after_a_signal(desk: Make) -> None:
    at = desk("abcd")
    submitter, _ = interrupted_at(at, "b")
    rest = {row.row: row for row in submitter.interrupt(60.0)}
    assert rest[2].task_id == "task-b-1"
    assert [rest[row].state for row in (3, 4)] == [PLANNED, PLANNED]
    assert at.sent == ["a", "b"]
    assert submitter.under_way == 0


def test_nobody_waits_longer_than_that(desk: Make) -> None:
    at = desk("ab")
    held = threading.Event()
    at.before_reply = lambda _: held.wait(60)
    submitter = at.submitter()
    submitter.settle()
    results = submitter.results()
    threading.Thread(target=lambda: next(results, None), daemon=True).start()
    until(lambda: at.journal.submissions(at.run)[0].state is SENDING)
    has_ended = threading.Event()

    def let_time_pass() -> None:
        while not has_ended.wait(0.01):
            at.clock.advance(1.0)

    threading.Thread(target=let_time_pass, daemon=True).start()
    assert states(submitter.interrupt(5.0)) == "pp"  # as was known before
    has_ended.set()
    assert at.journal.submissions(at.run)[0].state is SENDING
    held.set()
    until(lambda: not submitter.under_way)
    assert states(at.journal.submissions(at.run)) == "ap"


def test_it_is_under_way_from_before_the_journal_says_so(desk: Make) -> None:
    """Else a signal at that instant would leave a row in doubt that was never sent."""
    at = desk("a")
    submitter = at.submitter()
    mark, counts = at.journal.mark_sending, list[int]()

    def observed(submission: Submission, run: RunInfo, *, clock_skew: float | None = None) -> bool:
        counts.append(submitter.under_way)
        return mark(submission, run, clock_skew=clock_skew)

    at.journal.mark_sending = observed  # type: ignore[method-assign]
    assert states(submitter.results()) == "a"
    assert counts == [1]
    assert submitter.under_way == 0


def test_after_a_stop_nothing_leaves(desk: Make) -> None:
    at = desk("abc")
    submitter = at.submitter()
    at.before_reply = lambda _: submitter.stop()
    assert states(submitter.results()) == "app"
    assert at.sent == ["a"]
    assert submitter.stopped_by is None


def test_a_journal_that_fails_ends_it_and_the_task_is_told(desk: Make) -> None:
    """The disk is full when the reply comes: its id is all that is left."""
    at = desk("abc")
    submitter = at.submitter()
    submitter.settle()

    def fail(*_: object, **__: object) -> bool:
        raise JournalError("the disk is full")

    def fill(prompt: str) -> None:
        if prompt == "b":
            at.journal.mark_accepted = fail  # type: ignore[method-assign]

    at.before_reply = fill
    told: list[Submission] = []
    with pytest.raises(JournalError, match="the disk is full"):
        told.extend(submitter.results())
    rest = {row.row: row for row in submitter.interrupt(60.0)}
    assert rest[2].task_id == "task-b-1"
    assert rest[3].state is PLANNED
    assert at.sent == ["a", "b"]
    assert states(at.journal.submissions(at.run)) == "asp"


def test_where_the_journal_cannot_say_that_it_leaves_it_does_not(desk: Make) -> None:
    at = desk("ab")
    submitter = at.submitter()

    def fail(*_: object, **__: object) -> bool:
        raise JournalError("the disk is full")

    at.journal.mark_sending = fail  # type: ignore[method-assign]
    with pytest.raises(JournalError):
        list(submitter.results())
    assert at.sent == []
    assert states(submitter.interrupt(60.0)) == "pp"


def test_a_run_that_is_removed_meanwhile_is_one_line(desk: Make) -> None:
    at = desk("ab")
    submitter = at.submitter()
    at.before_reply = lambda _: at.journal.remove(at.run)
    with pytest.raises(JournalError, match="removed"):
        list(submitter.results())
    assert at.sent == ["a"]
    assert next(submitter.interrupt(60.0)).task_id == "task-a-1"


def test_a_failure_to_search_is_no_failure(desk: Make) -> None:
    at = desk("ab")
    at.replies["a"] = [lost()]

    def fail(bounds: Bounds) -> Iterator[Sequence[Task]]:
        del bounds
        raise errors.TokenRejected("no", code="invalid_token")

    at.tasks = fail  # type: ignore[method-assign]
    assert states(at.go()) == "ua"


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (PLANNED, State.UNKNOWN),
        (SENDING, State.UNKNOWN),
        (ACCEPTED, State.PENDING),
        (REFUSED, State.FAILED),
        (UNKNOWN, State.UNKNOWN),
    ],
)
def test_a_row_is_shown_as_a_task(state: SubmissionState, shown: State) -> None:
    row = Submission(
        *(7, 3, "/flux/images", body("a", count=2), "key", {"name": "A"}, state),
        task_id="task-1" if state is ACCEPTED else None,
        trace_id="trace-1",
        error=None if state in (PLANNED, ACCEPTED) else TaskError("code", "why"),
    )
    task = row.as_task(5.0)
    assert (task.state, task.row, task.labels, task.observed_at) == (shown, 3, {"name": "A"}, 5.0)
    assert (task.type, task.action, task.model) == ("images", "generate", "flux-dev")
    assert (task.prompt, task.size, task.trace_id) == ("a", "1:1", "trace-1")
    assert task.id == ("task-1" if state is ACCEPTED else "")
    assert (task.error is None) == (state is ACCEPTED)
    if state is PLANNED:
        assert task.error == TaskError("not_sent", "not submitted")
        wait = row._replace(error=TaskError("x", "slow down")).as_task(5.0).error
        assert wait == TaskError("not_sent", "not submitted: slow down")


def test_only_two_states_are_in_doubt() -> None:
    assert [state for state in SubmissionState if state.is_in_doubt] == [SENDING, UNKNOWN]


def test_requests_are_the_same_whatever_the_order_of_their_fields() -> None:
    [request] = requests("a")
    turned = PlannedRequest("/flux/images", dict(reversed(body("a").items())))
    assert turned.key == request.key
    assert PlannedRequest("/flux/images", body("\ud800")).key != request.key


def test_what_a_record_could_be_mistaken_for_has_the_same_subject() -> None:
    def row(path: str = "/flux/images", **request: object) -> Submission:
        return Submission(1, 1, path, request, "key", {}, PLANNED)

    same = row(prompt="a")
    assert row(prompt=" a\n", count=2, size="16:9").subject == same.subject
    assert row(prompt="b").subject != same.subject
    assert row("/flux/videos", prompt="a").subject != same.subject
    assert row("/flux/videos", draft_task_id="d-1").subject != row("/flux/videos").subject
