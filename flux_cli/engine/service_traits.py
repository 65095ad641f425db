"""What the replies of a run have shown of the service: its page limit, and how it leaves ids out.

Shared by the workers of a run, and by the polls of a watch; an update that is
lost between two threads costs a few requests at most.
"""

from dataclasses import dataclass, field

from flux_cli.api.responses import BatchResponse


_PROBE_EVERY = 8  # batches, the page limit is put to the test
_CHECKS = 50  # absences that are confirmed one by one before replies are believed again


@dataclass(slots=True, eq=False, repr=False)
class PageSize:
    """How many ids to ask for at once: `most` of them, or what the service gives.

    A page limit is believed when two batches have met the same one, asked
    beyond now and then, and forgotten when a reply disproves it.
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


@dataclass(slots=True, eq=False, repr=False)
class Doubt:
    """Whether an id that a whole reply leaves out may be there all the same.

    Raised by a reply that is caught, and laid by ids that turn out to be
    absent indeed when each is asked for by itself.
    """

    _checks: int = 0

    def __bool__(self) -> bool:
        return self._checks > 0

    def add(self) -> None:
        """Note that a reply had left out a task that is there, or held another one instead."""
        self._checks = _CHECKS

    def confirm_absence(self) -> None:
        """Note that an id was asked for by itself, and is absent."""
        self._checks = max(0, self._checks - 1)


@dataclass(slots=True, eq=False, repr=False)
class ServiceTraits:
    """All of it; `pages` begins with the size of a batch."""

    pages: PageSize
    doubt: Doubt = field(default_factory=Doubt)
