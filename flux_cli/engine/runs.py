"""Runs of the journal, as people and agents submit them: looked at ahead, then worked on alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from flux_cli.engine.policies import SubmitPolicy
from flux_cli.engine.session import Session
from flux_cli.engine.submission import Submitter
from flux_cli.models.submission import PlannedRequest, RunInfo, Submission
from flux_cli.storage.journal import Journal


class RunRequest(NamedTuple):
    """What is to be submitted, and in which run; see `Journal.open_run`."""

    requests: Sequence[PlannedRequest]
    suggestion: str  # a name, for a new run that was given none
    name: str | None = None
    is_new: bool = False


def look_ahead(
    session: Session, journal: Journal, wanted: RunRequest
) -> tuple[RunInfo, list[Submission]]:
    """Return the run that would be worked on, and a row for each request; nothing is changed.

    Raises NoToken, UsageError and JournalError.
    """
    return _opened(session, journal, wanted, is_trial=True)


@contextmanager
def submitting(
    session: Session,
    journal: Journal,
    wanted: RunRequest,
    policy: SubmitPolicy,
    *,
    most: int,
    wait: Callable[[RunInfo, float], None],
) -> Iterator[Submitter]:
    """Give what submits the rows of these requests, `most` at most; nobody else works on the run.

    While another process does, `wait` is called with seconds to sleep; it may raise.
    Raises NoToken, UsageError and JournalError.
    """
    run, rows = _opened(session, journal, wanted)
    with journal.locked(run, wait=partial(wait, run)):
        # Those rows, and not the first of the run: whoever had the lock may have put others there.
        yield session.submitter(journal, run, rows, policy, most=most)


def _opened(
    session: Session, journal: Journal, wanted: RunRequest, *, is_trial: bool = False
) -> tuple[RunInfo, list[Submission]]:
    return journal.open_run(
        wanted.requests,
        base_url=session.connection.base_url,
        name=wanted.name,
        suggestion=wanted.suggestion,
        is_new=wanted.is_new,
        is_trial=is_trial,
    )
