"""One account on one service: with its clients, its budget of requests and its clock.

Whoever wants to ask something asks a session: it alone assembles queries.
"""

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from flux_cli.api.certificates import Certificates
from flux_cli.api.connection import Connection, Proxy
from flux_cli.api.throttle import Stopped, Throttle
from flux_cli.engine.check import Check
from flux_cli.engine.event_loop import EventLoop
from flux_cli.engine.policies import DownloadPolicy, ServiceSettings, WatchPolicy
from flux_cli.engine.run_rows import RunRows
from flux_cli.engine.service_traits import PageSize, ServiceTraits
from flux_cli.models.ids import TaskIds
from flux_cli.token import Token


if TYPE_CHECKING:
    from flux_cli.api.client import Client
    from flux_cli.api.file_client import FileClient
    from flux_cli.api.responses import BatchResponse
    from flux_cli.engine.downloader import Downloader
    from flux_cli.engine.fetch import FileProgress
    from flux_cli.engine.hosts import Hosts
    from flux_cli.engine.listing import Bounds, PageQuery
    from flux_cli.engine.policies import SubmitPolicy
    from flux_cli.engine.submission import Submitter
    from flux_cli.engine.watch import Watch
    from flux_cli.errors import ServiceError
    from flux_cli.models.submission import RunInfo, Submission
    from flux_cli.models.task import Task
    from flux_cli.storage.journal import Journal


T = TypeVar("T")


class Session:
    """Asks for tasks and fetches their files; nothing is opened before it is needed.

    A context manager. `token` is None where there is none; then files can be
    fetched all the same, and anything else raises NoToken.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        connect: Callable[[], Connection],
        *,
        token: Token | None,
        token_source: str = "",
        route: Callable[[str, str], Proxy | None],
        allows_local_files: bool,
        certificates: Certificates,
        trace: Callable[[str], None] | None = None,
        patience: float = math.inf,
        pause: float = 0.0,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`connect` finds out where to ask, and may raise NoToken or UsageError.

        Every task that is asked for has what `rows` says of it.

        `token_source` says in words where the token is from.
        `route` names the proxy for the scheme and the host of a file's URL.
        `patience` is the longest silence, `pause` what is left of one that the
        service asked for before, both in seconds.
        """
        self.rows = RunRows()
        self.token = token
        self.token_source = token_source
        self._settings = settings
        self._connect = connect
        self._route = route
        self._allows_local_files = allows_local_files
        self._certificates = certificates
        self._trace = trace
        self._now = now
        self._clock = clock
        self._throttle = Throttle(
            concurrency=settings.concurrency,
            retries=settings.retries,
            patience=patience,
            clock=clock,
            pause=pause,
        )
        self._opened = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def concurrency(self) -> int:
        """How much is asked for, or fetched, at the same time."""
        return self._settings.concurrency

    @cached_property
    def connection(self) -> Connection:
        """The service and the way to it. Raises NoToken and UsageError."""
        return self._connect()

    def verify_token(self) -> None:
        """Find out whether the service takes the token. Raises ServiceError."""
        self._send(self._client.verify_token)

    def check(
        self,
        ids: Iterable[str],
        *,
        keep_raw: bool = False,
        loop: EventLoop | None = None,
        traits: ServiceTraits | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> Check:
        """Return a poll of `ids`; for the others see `Check`."""
        settings = self._settings
        return Check(
            ids,
            self._client.retrieve_batch,
            self._client.retrieve,
            throttle=self._throttle,
            batch_size=settings.batch_size,
            workers=settings.concurrency,
            keep_raw=keep_raw,
            now=self._now,
            traits=traits,
            is_over=is_over,
            loop=loop,
            annotate=self.rows.annotate,
        )

    def watch(
        self,
        ids: TaskIds,
        policy: WatchPolicy,
        *,
        wait: Callable[[float], None],
        keep_raw: bool = False,
        loop: EventLoop | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> "Watch":
        """Return a watch of `ids`, which lets time pass by `wait`."""
        from flux_cli.engine.watch import Watch

        traits = ServiceTraits(PageSize(self._settings.batch_size))

        def poll(open_ids: Iterator[str]) -> Check:
            return self.check(
                open_ids,
                keep_raw=keep_raw,
                loop=loop,
                traits=traits,
                is_over=lambda: watch.is_over() or is_cancelled(),
            )

        watch = Watch(
            ids,
            poll,
            policy=policy,
            clock=self._clock,
            wait=wait,
            uniform=random.uniform,
            pause_left=self.pause_left,
            annotate=self.rows.annotate,
        )
        return watch

    def list(self, bounds: "Bounds", *, keep_raw: bool = False) -> Iterator["Sequence[Task]"]:
        """Yield the account's own tasks within `bounds`, a page at a time. Raises ServiceError."""
        return self._list(bounds, self._throttle, keep_raw=keep_raw)

    def _list(
        self, bounds: "Bounds", throttle: Throttle, *, keep_raw: bool
    ) -> Iterator["Sequence[Task]"]:
        from flux_cli.engine.listing import Lister

        def ask(query: "PageQuery") -> "BatchResponse":
            return self._send(lambda: self._client.list_page(query), throttle)

        return Lister(ask, bounds, now=self._now, keep_raw=keep_raw).pages()

    def submitter(
        self,
        journal: "Journal",
        run: "RunInfo",
        submissions: "Sequence[Submission]",
        policy: "SubmitPolicy",
        *,
        most: int,
    ) -> "Submitter":
        """Return what submits the rows of `run`, `most` at most; the caller holds its lock."""
        from flux_cli.engine.history import History
        from flux_cli.engine.submission import Submitter

        settings, client = self._settings, self._client
        history = History(
            lambda bounds: self._list(
                bounds, Throttle(concurrency=1, retries=settings.retries), keep_raw=True
            ),
            skew=lambda: client.clock_skew,
            is_taken=journal.has_task,
        )
        return Submitter(
            journal,
            run,
            submissions,
            client.submit,
            history,
            throttle=self._throttle,
            policy=policy,
            most=most,
            workers=settings.concurrency,
            loop=EventLoop(),
            now=self._now,
            clock=self._clock,
        )

    def downloader(
        self, folder: Path, policy: DownloadPolicy, progress: "FileProgress"
    ) -> "Downloader":
        """Make ready to save files in `folder`; to be closed. Raises OutputError."""
        from flux_cli.engine.downloader import Downloader

        settings = self._settings
        return Downloader(
            folder,
            policy,
            self._file_client.open,
            throttle=lambda: Throttle(concurrency=settings.concurrency, retries=settings.retries),
            progress=progress,
            hide=self.token.hide if self.token is not None else str,
            clock=self._clock,
            sleep=time.sleep,
        )

    def read_file(self, url: str, *, max_size: int, seconds: float) -> bytes:
        """Return the bytes at `url`, fetched as downloads are; for the rest see `file_reader`."""
        from flux_cli.engine.file_reader import read_file

        return read_file(
            self._file_client.open, self._hosts, url, max_size=max_size, seconds=seconds
        )

    def stop(self, reason: "ServiceError | None" = None) -> None:
        """Ask for no more tasks; those without an answer are told `reason`."""
        self._throttle.stop(reason)

    def pause_left(self) -> float:
        """Return the seconds that are left of a pause that the service asked for."""
        return self._throttle.pause_left()

    def _send(self, exchange: Callable[[], T], throttle: Throttle | None = None) -> T:
        """Send one query, with its retries. Raises ServiceError, also for why there are no more."""
        throttle = throttle or self._throttle
        try:
            return throttle.send(exchange)
        except Stopped:
            raise throttle.reason or Stopped from None

    @cached_property
    def _hosts(self) -> "Hosts":
        from flux_cli.engine.hosts import Hosts

        settings = self._settings
        return Hosts(lambda: Throttle(concurrency=settings.concurrency, retries=settings.retries))

    @cached_property
    def _client(self) -> "Client":
        from flux_cli.api.client import Client

        return self._opened.enter_context(Client(self.connection, now=self._now))

    @cached_property
    def _file_client(self) -> "FileClient":
        from flux_cli.api.file_client import Access, FileClient

        access = Access(
            request_timeout=self._settings.request_timeout,
            connections=self._settings.concurrency,
            allows_local=self._allows_local_files,
            route=self._route,
            certificates=self._certificates,
            trace=self._trace,
        )
        return self._opened.enter_context(FileClient(access, now=self._now))
