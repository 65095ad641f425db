"""How badly the sandbox behaves: one table of what the contract does not exclude."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Misbehaviour(StrEnum):
    """A way to misbehave, by the name that it has on the command line, and what it means."""

    meaning: str

    def __new__(cls, name: str, meaning: str) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.meaning = meaning
        return member

    # Batch replies
    IGNORE_IDS = (
        "ignore-ids",
        "A batch reply holds the account's newest tasks, whatever was asked for.",
    )
    NO_ITEMS = "no-items", "A batch reply has a count, but no items."
    MIXED_PAGES = "mixed-pages", "The items of a reply are shuffled."
    ANY_ORDER = "any-order", "Tasks are shuffled before they are split into pages."
    OLDEST_FIRST = "oldest-first", "The oldest tasks come first."
    REPEAT = "repeat", "A reply holds its items twice, plus the account's newest task."

    # The account's history
    IGNORE_BOUNDS = "ignore-bounds", "The bounds created_at_min and created_at_max are ignored."
    EXCLUSIVE_BOUNDS = "exclusive-bounds", "Tasks created exactly at a bound are left out."
    IGNORE_TYPE = "ignore-type", "The type filter is ignored."
    IGNORE_PAGING = "ignore-paging", "limit and offset are ignored: always the first 12."
    NO_HISTORY = "no-history", "Queries without ids find nothing."
    LATE_HISTORY = "late-history", "A task appears in the history 5 seconds after it was submitted."

    # Records
    PLACEHOLDER = "placeholder", "The response of a running task holds a placeholder."
    RECORDS_2025 = "records-2025", "Records have no started_at, finished_at, elapsed, type or cost."
    ODD_RECORDS = "odd-records", "Records take other shapes: JSON text, result, ISO times, nulls."
    UNDATED = "undated", "Records have no created_at."
    TRIMMED_REQUESTS = (
        "trimmed-requests",
        "The request lacks async, callback_url and default values.",
    )

    # Submissions, errors
    ODD_REPLIES = "odd-replies", "Submissions are answered with success: true, or with just the id."
    ODD_ERRORS = "odd-errors", "Errors and answers about unknown ids take other shapes."
    OPEN_QUERIES = "open-queries", "A wrong token finds nothing, instead of getting 401."
    DISABLED = "disabled", "Submissions are refused: the application is disabled."


HISTORY_DELAY = 5.0  # seconds, of LATE_HISTORY


@dataclass(frozen=True, slots=True)
class Faults:
    """How badly the sandbox behaves. `latency` in seconds; rates and shares from 0 to 1.

    `error_rate` is the share of requests that go wrong before they have an effect,
    `lose_replies` the share of submissions that are taken, but whose reply is lost.
    `rate_limit` is in requests a second. `page_limit` caps a page of a batch
    reply whatever `limit` the request sends. `balance` is the number of submissions
    that can be paid for.
    """

    latency: float = 0.0
    error_rate: float = 0.0
    rate_limit: float | None = None
    page_limit: int | None = None
    lose_replies: float = 0.0
    balance: int | None = None
    misbehaviours: AbstractSet[Misbehaviour] = frozenset()
    seed: int = 0

    def __contains__(self, misbehaviour: Misbehaviour) -> bool:
        return misbehaviour in self.misbehaviours
