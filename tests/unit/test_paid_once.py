"""Whatever happens, no prompt is paid for twice, and none is lost: in virtual time."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flux_cli.engine.policies import SubmitPolicy
from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from tests.support.simulation import Clock, Listed, Process, Service, after_the_crash
from tests.support.submitting import body, requests


PLANNED, SENDING, ACCEPTED, REFUSED, UNKNOWN = SubmissionState
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - where syncing is quick
RESEND = SubmitPolicy(rate=100.0, resend_unconfirmed=True)


class Story:
    """A list of prompts that is submitted again and again, by processes that may crash."""

    def __init__(self, folder: Path, planned: Sequence[PlannedRequest], service: Service) -> None:
        self.planned = planned
        self.service = service
        self.clock = service.clock
        self.journal = folder / "0" / "journal"
        self._folder = folder
        self._crashes = 0

    def submit(
        self, policy: SubmitPolicy | None = None, *, crash_at: int | None = None, workers: int = 1
    ) -> list[Submission] | None:
        """Run the command once; after a crash go on with what is on the disk."""
        process = Process(self.journal, self.service, self.clock, crash_at=crash_at)
        rows = process.run(self.planned, policy, workers=workers)
        if rows is None:
            self._crashes += 1
            self.journal = after_the_crash(self.journal, self._folder / str(self._crashes))
        self.check_nothing_is_paid_twice()
        self.clock.advance(60)
        return rows

    def until_nothing_is_planned(self, workers: int = 1) -> list[Submission]:
        """Repeat the command until it has nothing to send."""
        while True:
            rows = self.submit(workers=workers)
            assert rows is not None
            assert [row.key for row in rows] == [request.key for request in self.planned]
            if not any(row.state is PLANNED for row in rows):
                return rows

    def check_nothing_is_paid_twice(self) -> None:
        asked = Counter(request.key for request in self.planned)
        assert self.service.bodies() <= asked

    def check_ids(self, rows: Sequence[Submission]) -> None:
        """Check that each task is that of one row, and was made from its body."""
        made = {task.id: task for task in self.service.made}
        ids = [row.task_id for row in rows if row.state is ACCEPTED]
        assert len(set(ids)) == len(ids)
        for row in rows:
            assert (row.state is ACCEPTED) == (row.task_id is not None)
            if row.task_id is not None:
                assert made[row.task_id].body == row.body

    def check_what_is_in_doubt(self, rows: Sequence[Submission]) -> None:
        """Check that what was taken and is nobody's is no more than what is told to be in doubt."""
        self.check_ids(rows)
        told = Counter(row.key for row in rows if row.state is UNKNOWN)
        known = Counter(row.key for row in rows if row.state is ACCEPTED)
        assert self.service.bodies() - known <= told
        assert not any(row.state is SENDING for row in rows)


@contextmanager
def story(
    planned: Sequence[PlannedRequest],
    *,
    seed: int = 0,
    faults: float = 0.0,
    listed: Listed = Listed.AT_ONCE,
    skew: float = 0.0,
) -> Iterator[Story]:
    with TemporaryDirectory(dir=IN_MEMORY) as folder:
        service = Service(Clock(), seed, faults=faults, listed=listed, skew=skew)
        yield Story(Path(folder), planned, service)


def count_instants(planned: Sequence[PlannedRequest]) -> int:
    """Return at how many instants a run that goes well could crash."""
    with story(planned) as told:
        process = Process(told.journal, told.service, told.clock)
        assert process.run(planned, workers=1) is not None
        return process.instants


SOME = requests("a", "b", "a", "refuse")


@pytest.mark.parametrize("listed", Listed)
def test_a_crash_at_any_instant_loses_nothing_and_pays_once(listed: Listed) -> None:
    """Every instant of a run, and a run that is resumed until all is settled."""
    for instant in range(1, count_instants(SOME) + 1):
        with story(SOME, listed=listed) as told:
            assert told.submit(crash_at=instant) is None
            rows = told.until_nothing_is_planned()
            told.check_what_is_in_doubt(rows)
            told.service.listed = Listed.AT_ONCE
            rows = told.submit(RESEND) or []
            told.check_ids(rows)
            assert [row.state for row in rows] == [ACCEPTED, ACCEPTED, ACCEPTED, REFUSED]
            assert len(told.service.made) == 3


def test_a_crash_while_it_recovers_from_a_crash() -> None:
    """Pairs of instants of a short run."""
    planned = requests("a", "a")
    last = count_instants(planned)
    for first, second in itertools.product(range(3, last + 1), range(3, 12, 2)):
        with story(planned, listed=Listed.LATE) as told:
            told.submit(crash_at=first)
            told.submit(crash_at=second)
            told.until_nothing_is_planned()
            rows = told.submit(RESEND) or []
            told.check_ids(rows)
            assert [row.state for row in rows] == [ACCEPTED, ACCEPTED]
            assert len(told.service.made) == 2


PROMPTS = st.lists(st.sampled_from(["a", "b", "c", "refuse", "a fox"]), min_size=1, max_size=12)


@st.composite
def plans(draw: st.DrawFn) -> list[PlannedRequest]:
    """Return requests, some of which are the same, or differ in a field that may be left out."""
    return [
        PlannedRequest("/flux/images", body(prompt, **draw(st.sampled_from([{}, {"count": 2}]))))
        for prompt in draw(PROMPTS)
    ]


@settings(max_examples=150)
@given(
    plans(),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.2, 0.5, 0.9]),
    st.sampled_from([Listed.AT_ONCE, Listed.LATE]),
    st.sampled_from([-7200.0, -0.4, 0.0, 3.0, 90.0]),
    st.lists(st.integers(1, 60), max_size=4),
    st.integers(1, 4),
    st.booleans(),
)
def test_with_a_history_every_prompt_has_its_task_at_last(
    planned: list[PlannedRequest],
    seed: int,
    faults: float,
    listed: Listed,
    skew: float,
    crashes: list[int],
    workers: int,
    is_resent: bool,
) -> None:
    with story(planned, seed=seed, faults=faults, listed=listed, skew=skew) as told:
        for crash in crashes:
            rows = told.submit(crash_at=crash, workers=workers)
            if rows is not None:
                told.check_what_is_in_doubt(rows)
            if is_resent:
                told.submit(RESEND, workers=workers)
        told.service.faults = 0.0
        rows = told.until_nothing_is_planned(workers)
        told.check_what_is_in_doubt(rows)
        for row in rows:  # found, all of them
            key_made = told.service.bodies()[row.key]
            known = [r for r in rows if r.key == row.key and r.state is ACCEPTED]
            assert len(known) == key_made
        rows = told.submit(RESEND, workers=workers) or []
        told.check_ids(rows)
        refused = [row for row in rows if "refuse" in str(row.body["prompt"])]
        assert all(row.state is REFUSED for row in refused)
        assert all(row.state is ACCEPTED for row in rows if row not in refused)
        assert len(told.service.made) == len(planned) - len(refused)


@settings(max_examples=100)
@given(
    plans(),
    st.integers(0, 2**32),
    st.sampled_from([0.2, 0.5, 0.9]),
    st.sampled_from([Listed.NEVER, Listed.IN_PART]),
    st.lists(st.integers(1, 60), max_size=4),
    st.integers(1, 4),
)
def test_without_a_history_what_is_in_doubt_is_told_and_left_alone(
    planned: list[PlannedRequest],
    seed: int,
    faults: float,
    listed: Listed,
    crashes: list[int],
    workers: int,
) -> None:
    with story(planned, seed=seed, faults=faults, listed=listed) as told:
        for crash in crashes:
            rows = told.submit(crash_at=crash, workers=workers)
            if rows is not None:
                told.check_what_is_in_doubt(rows)
        told.service.faults = 0.0
        rows = told.until_nothing_is_planned(workers)
        told.check_what_is_in_doubt(rows)
        sent = told.service.requests
        assert told.until_nothing_is_planned(workers) == rows or listed is Listed.IN_PART
        assert told.service.requests == sent  # however often it is repeated


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from("ab"), min_size=1, max_size=6),
    st.integers(0, 2**32),
    st.sampled_from([0.0, 0.5]),
    st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=2, max_size=2),
)
def test_two_runs_that_ask_for_the_same_at_once_pay_for_each(
    prompts: list[str], seed: int, faults: float, crashes: list[int | None]
) -> None:
    """Two names for one input are two runs; each ends with tasks of its own."""
    planned = requests(*prompts)
    chance = random.Random(seed)
    with story(planned, seed=seed, faults=faults, listed=Listed.AT_ONCE) as told:

        def run(name: str, crash_at: int | None, policy: SubmitPolicy | None = None) -> None:
            process = Process(told.journal, told.service, told.clock, crash_at=crash_at)
            process.run(planned, policy, name=name, workers=chance.choice((1, 3)))

        def both(*arguments: tuple[int | None, SubmitPolicy | None]) -> None:
            threads = [
                threading.Thread(target=run, args=(name, *options))
                for name, options in zip(("one", "two"), arguments, strict=True)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        both((crashes[0], None), (crashes[1], None))
        asked = Counter(request.key for request in planned * 2)
        assert told.service.bodies() <= asked
        told.service.faults = 0.0
        for _ in range(3):
            told.clock.advance(60)
            both((None, None), (None, None))
        told.clock.advance(60)
        run("one", None, RESEND)
        run("two", None, RESEND)
        with Process(told.journal, told.service, told.clock).journal() as journal:
            rows = [row for info in journal.runs() for row in journal.submissions(info)]
        told.check_ids(rows)
        assert {row.state for row in rows} == {ACCEPTED}
        assert told.service.bodies() == asked
