"""The task of a submission whose reply was lost is found, and no other is taken for it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli import errors
from flux_cli.api.throttle import Stopped
from flux_cli.engine.history import History
from flux_cli.engine.listing import Bounds
from flux_cli.models.submission import Submission, SubmissionState
from flux_cli.models.task import Task, parse_task
from tests.support.submitting import NOW, body


VIDEO = {"action": "generate", "model": "flux-3", "mode": "t2v", "prompt": "a", "async": True}


def sent(
    number: int = 1,
    at: float = 0.0,
    request: Mapping[str, Any] | None = None,
    *,
    path: str = "/flux/images",
) -> Submission:
    """Return a submission in doubt that was sent `at` seconds after NOW."""
    return Submission(
        number,
        number,
        path,
        body("a") if request is None else request,
        "key",
        {},
        SubmissionState.UNKNOWN,
        NOW + at,
    )


def made(task_id: str, request: Any, at: float | None = 1.0, **record: Any) -> Task:
    """Return a task that the history lists, made `at` seconds after NOW by the service's clock."""
    created = {} if at is None else {"created_at": NOW + at}
    record = {"id": task_id, "request": request, **created, **record}
    return parse_task(task_id, record, NOW, keep_raw=True)


class Account:
    """An account's tasks; remembers what was asked for."""

    def __init__(self, *tasks: Task, skew: float = 0.0) -> None:
        self.tasks = tasks
        self.skew = skew
        self.known_skew: float | None = skew
        self.taken: set[str] = set()
        self.asked: list[float] = []
        self.error: Exception | None = None

    def __call__(self, bounds: Bounds) -> Iterator[Sequence[Task]]:
        self.asked.append(bounds.since - NOW)
        self.known_skew = self.skew
        for task in self.tasks:
            if bounds.hold(task):
                yield [task]
        if self.error is not None:
            raise self.error

    def history(self) -> History:
        return History(
            self, skew=lambda: self.known_skew, is_taken=lambda task_id: task_id in self.taken
        )

    def find(self, *submissions: Submission) -> dict[int, str]:
        """Return the ids of the tasks that are found, by the numbers of the submissions."""
        return {row.number: task.id for row, task in self.history().find(submissions)}


def test_the_task_of_the_same_body_made_since_then_is_found() -> None:
    account = Account(
        made("other-1", body("b")),
        made("early-1", body("a"), at=-60),
        made("right-1", body("a"), at=0.4),
    )
    assert account.find(sent()) == {1: "right-1"}
    assert account.asked == [-0.5]


@pytest.mark.parametrize(
    "request_",
    [
        body("a"),
        {k: v for k, v in body("a").items() if k != "async"},
        {"action": "generate", "prompt": "a"},  # without what is the default
        {**body("a"), "count": 1},
        {**body("a"), "count": 1.0},
        {**body("a"), "image_url": None},
        {**body("a"), "callback_url": "https://x.example/", "async": False},
        {**body("a"), "user_id": "u", "version": "latest"},  # of the service's own
        {**body(" a\n")},
        '{"action": "generate", "prompt": "a", "size": "1:1"}',  # as text
    ],
)
def test_a_record_may_leave_out_what_goes_without_saying(request_: Any) -> None:
    assert Account(made("right-1", request_)).find(sent()) == {1: "right-1"}


@pytest.mark.parametrize(
    "request_",
    [
        *(None, {}, [], "a", {"prompt": "a b"}, {"prompt": None}),
        {k: v for k, v in body("a").items() if k != "prompt"},
        *({**body("a"), "size": "16:9"}, {**body("a"), "model": "flux-pro"}),
        *({**body("a"), "count": 2}, {**body("a"), "image_url": "https://x.example/1.png"}),
        {**body("a"), "action": "edit", "image_url": "https://x.example/1.png"},
    ],
)
def test_what_says_something_else_is_another(request_: Any) -> None:
    assert Account(made("wrong-1", request_)).find(sent()) == {}


@pytest.mark.parametrize(
    "changes", [{"size": "16:9"}, {"model": "flux-pro"}, {"count": 2}, {"model": "flux-2-pro"}]
)
def test_what_a_record_leaves_out_is_the_default_and_nothing_else(
    changes: dict[str, Any],
) -> None:
    short = {"action": "generate", "prompt": "a"}
    assert Account(made("wrong-1", short)).find(sent(request=body("a", **changes))) == {}
    assert Account(made("right-1", {**short, **changes})).find(
        sent(request=body("a", **changes))
    ) == {1: "right-1"}


@pytest.mark.parametrize(
    ("asked", "echoed", "is_it"),
    [
        ({}, {}, True),
        ({}, {"model": None, "mode": None}, True),
        ({}, {"duration": "auto", "resolution": "hd", "draft": False}, True),
        ({"duration": "auto"}, {}, True),
        ({"duration": 10}, {"duration": 10.0}, True),
        ({"duration": 10}, {}, False),
        ({}, {"duration": 10}, False),
        ({"duration": 5}, {"duration": 10}, False),
        ({}, {"resolution": "fhd"}, False),
        ({"generate_audio": False}, {}, False),
        ({"mode": "i2v", "keyframes": ["https://x.example/1"]}, {}, False),
        ({}, {"keyframes": ["https://x.example/1"]}, False),
        ({}, {"start_video": "https://x.example/1"}, False),
        ({"keyframes": [[0, "u"], [5, "v"]]}, {"keyframes": [[0, "u"], [5, "v"]]}, True),
        ({"keyframes": [[0, "u"], [5, "v"]]}, {"keyframes": [[0, "u"], [6, "v"]]}, False),
    ],
)
def test_videos_are_told_apart(asked: dict[str, Any], echoed: dict[str, Any], is_it: bool) -> None:
    row = sent(request=VIDEO | asked, path="/flux/videos")
    account = Account(made("video-1", {**VIDEO, **echoed}, type="videos"))
    assert account.find(row) == ({1: "video-1"} if is_it else {})


def test_a_draft_is_enhanced_in_full_hd_unless_it_says_otherwise() -> None:
    request = {"action": "generate", "mode": "draft_enhance", "draft_task_id": "d-1"}
    row = sent(request={"model": "flux-3", **request}, path="/flux/videos")
    account = Account(
        made("other-1", {**request, "draft_task_id": "d-2"}),
        made("small-1", {**request, "resolution": "hd"}),
        made("right-1", {**request, "resolution": "fhd"}),
    )
    assert account.find(row) == {1: "right-1"}
    assert Account(made("right-1", request)).find(row) == {1: "right-1"}


def test_a_video_is_not_taken_for_an_image() -> None:
    short = {"action": "generate", "prompt": "a"}
    image, video = sent(1), sent(2, request=VIDEO, path="/flux/videos")
    account = Account(
        made("video-1", short, at=0.1, type="videos"), made("image-1", short, type="images")
    )
    assert account.find(image) == {1: "image-1"}
    assert account.find(video) == {2: "video-1"}
    assert account.find(image, video) == {1: "image-1", 2: "video-1"}


def test_what_is_known_to_be_anothers_is_not_found() -> None:
    account = Account(made("taken-1", body("a")), made("right-1", body("a"), at=2))
    account.taken.add("taken-1")
    assert account.find(sent()) == {1: "right-1"}
    account.taken.add("right-1")
    assert account.find(sent()) == {}


def test_what_does_not_say_when_it_was_made_is_not_found() -> None:
    assert Account(made("undated-1", body("a"), at=None)).find(sent()) == {}
    assert Account(made("odd-1", body("a"), at=None, created_at="soon")).find(sent()) == {}


def test_what_was_never_sent_is_not_asked_for() -> None:
    account = Account(made("right-1", body("a")))
    assert account.find(sent()._replace(sent_at=None)) == {}
    assert account.find() == {}
    assert account.asked == []


@pytest.mark.parametrize("skew", [-86_400.0, -90.0, 0.0, 0.9, 90.0, 86_400.0])
def test_the_clocks_need_not_agree(skew: float) -> None:
    """How far the service's clock is ahead is known once it has answered, if not before."""
    account = Account(
        made("early-1", body("a"), at=skew - 30),
        made("right-1", body("a"), at=skew + 0.5),
        skew=skew,
    )
    account.known_skew = None
    assert account.find(sent()) == {1: "right-1"}
    is_behind = skew < -2  # where it is ahead, what was asked for holds all that is sought
    assert account.asked == pytest.approx([-2.0, skew - 0.5] if is_behind else [-2.0])


def test_the_clock_is_that_of_the_moment_of_sending() -> None:
    """It may have been set since, this one or that of the service."""
    account = Account(
        made("early-1", body("a"), at=-3600.0), made("right-1", body("a"), at=0.5), skew=-3600.0
    )
    assert account.find(sent()._replace(clock_skew=0.0)) == {1: "right-1"}
    assert account.asked == [-0.5]


@pytest.mark.parametrize("known", [-1.0, -0.5, 0.0])
def test_a_clock_in_whole_seconds_is_good_enough(known: float) -> None:
    """The header Date has no fractions, so that the service seems to be behind."""
    account = Account(made("right-1", body("a"), at=0.0))
    account.skew = account.known_skew = known
    assert account.find(sent()) == {1: "right-1"}


@pytest.mark.parametrize(
    ("error", "is_trouble"),
    [
        (errors.ConnectionFault("lost", code="reply_cut"), True),
        (errors.ServerFault("busy", code="http_502"), True),
        (errors.TokenRejected("no", code="x"), True),
        (errors.BrokenContract("odd", code="x"), True),
        (Stopped(), True),
        (errors.Refused("no such thing", code="api_not_implemented"), False),
        (errors.BadRequest("ids is required", code="bad_request"), False),
    ],
)
def test_a_search_that_is_cut_off_finds_nothing_and_says_so(
    error: Exception, is_trouble: bool
) -> None:
    """A service that refuses to list has no history: there is nothing to wait for."""
    account = Account()
    history = account.history()
    account.error = error
    assert history.find([sent()]) == []
    assert (history.trouble is not None) is is_trouble
    account.tasks = (made("right-1", body("a")),)  # and then it breaks off
    account.taken.add("right-1")
    assert history.find([sent()]) == []
    assert history.trouble is not None
    account.taken.clear()
    assert history.find([sent()]) == []
    account.error = None
    assert [task.id for _, task in history.find([sent()])] == ["right-1"]
    assert history.trouble is None


def test_nobody_waits_for_a_history_that_never_tells_anything() -> None:
    account = Account()
    history = account.history()
    promises = []
    for _ in range(4):
        promises.append(history.is_promising)
        assert history.find([sent()]) == []
    assert promises == [True, True, True, False]
    account.tasks = (made("right-1", body("a")),)
    assert len(history.find([sent()])) == 1
    assert history.is_promising


def test_those_that_ask_for_the_same_get_one_each() -> None:
    account = Account(*(made(f"task-{n}", body("a"), at=n) for n in range(3)))
    rows = [sent(1, 0.0), sent(2, 1.0), sent(3, 2.0), sent(4, 60.0)]
    for order in itertools.permutations(rows):
        found = account.find(*order)
        assert len(found) == len(set(found.values())) == 3
        assert 4 not in found


def test_what_was_made_right_after_one_was_sent_is_that_ones() -> None:
    """The one before it was perhaps never taken."""
    account = Account(made("task-1", body("a"), at=60.5))
    assert account.find(sent(1, 0.0), sent(2, 60.0)) == {2: "task-1"}


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 20), st.booleans(), st.sampled_from("ab")),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_every_task_is_found_and_none_for_two(
    submitted: list[tuple[float, float, bool, str]], chance: Any
) -> None:
    """However late each was made, as long as it was made after it was sent."""
    rows = [sent(n, at, body(prompt)) for n, (at, _, _, prompt) in enumerate(submitted)]
    tasks = [
        made(f"task-{n}", body(prompt), at + late)
        for n, (at, late, was_taken, prompt) in enumerate(submitted)
        if was_taken
    ]
    account = Account(*chance.sample(tasks, len(tasks)))
    found = account.find(*chance.sample(rows, len(rows)))
    assert sorted(found.values()) == sorted(task.id for task in tasks)
    bodies: Mapping[int, Any] = {row.number: row.body for row in rows}
    assert all(
        bodies[number]["prompt"] == submitted[int(task_id.removeprefix("task-"))][3]
        for number, task_id in found.items()
    )
