"""Asks the tasks endpoint: one request, one reply, or one ServiceError."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from flux_cli import __version__, errors
from flux_cli.api.acceptance import Acceptance, parse_acceptance
from flux_cli.api.backoff import parse_date, parse_retry_after
from flux_cli.api.connection import Connection
from flux_cli.api.connection_errors import service_error
from flux_cli.api.decoding import MAX_BYTES, BodyCut, BodyTooLarge, UnknownEncoding, read_body
from flux_cli.api.http import httpx
from flux_cli.api.responses import (
    BatchResponse,
    ResponseHead,
    parse_batch,
    parse_known_api,
    parse_record,
)
from flux_cli.api.transport import chunks, make_transport
from flux_cli.models.ids import match_key, record_key
from flux_cli.token import Token


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_TASKS = "/flux/tasks"
_LONGEST_TRACE = 2000  # characters of a reply


class Parse(Protocol[T_co]):
    """Reads a reply, in which the token is hidden. Raises the ServiceError that it amounts to."""

    def __call__(self, head: ResponseHead, body: bytes, *, token: Token) -> T_co:
        """Return what the reply means."""


class Client:
    """Speaks the wire contract over pooled connections; safe to use from several threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Build the client; no connection is made yet. `transport` is for tests.

        Raises UsageError, naming the setting, for a proxy or certificate
        setting that cannot be used.
        """
        self._connection = connection
        self._now = now
        self._dated: tuple[str | None, float] = None, 0.0  # the latest reply's Date, and ours
        self._transport = transport or make_transport(
            is_encrypted=connection.base_url.startswith("https:"),
            seconds=connection.request_timeout,
            connections=connection.concurrency,
            proxy=connection.proxy,
            certificates=connection.certificates,
        )
        # No httpx.Client, which would follow redirects, keep cookies and read the
        # environment: the token goes to one origin only.
        self._headers = {
            "authorization": f"Bearer {connection.token.reveal()}",
            "accept": "application/json",
            "accept-encoding": "gzip",
            "content-type": "application/json",
            "user-agent": f"flux-tasks/{__version__}",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @property
    def clock_skew(self) -> float | None:
        """The seconds by which the service's clock is ahead, or up to one less; None if unknown."""
        text, now = self._dated
        date = parse_date(text)
        return None if date is None else date - now

    def retrieve_batch(self, ids: Sequence[str]) -> BatchResponse:
        """Ask for up to 50 tasks. The reply may be short, or hold other tasks: see the engine.

        Raises a ServiceError, also one beside items of which none was asked for.
        `ids` must not be empty: the service would list other tasks of the account.
        """
        if not ids:
            raise ValueError("a batch query needs ids")
        wanted = {match_key(task_id) for task_id in ids}
        request = {"action": "retrieve_batch", "ids": list(ids), "limit": len(ids)}
        return self.exchange(_TASKS, request, _useful(lambda key: key in wanted))

    def list_page(self, bounds: Mapping[str, Any]) -> BatchResponse:
        """Ask for a page of the account's own tasks; `bounds` are fields of the wire contract.

        Raises a ServiceError, also one beside no items.
        """
        request = {"action": "retrieve_batch", **bounds}
        return self.exchange(_TASKS, request, _useful(lambda key: key is not None))

    def retrieve(self, task_id: str) -> Mapping[str, Any] | None:
        """Ask a service that answers batches for one task; None when it does not know it.

        Raises a ServiceError, also where the reply is about another task.
        """
        request = {"action": "retrieve", "id": task_id}
        try:
            record = self.exchange(_TASKS, request, parse_known_api)
        except errors.ResponseTooLarge as error:
            raise errors.ResponseTooLarge(
                f"{error.message} for this task alone: look it up in the service's console, or"
                " report its id to the service",
                code=error.code,
            ) from error
        if record is not None and record_key(record) != match_key(task_id):
            raise errors.BrokenContract(
                "the service answered with a different task than the one requested",
                code="bad_reply",
            )
        return record

    def submit(self, path: str, request: Mapping[str, Any]) -> Acceptance:
        """Submit a task, which costs money: it is sent once, whatever happens.

        Raises a ServiceError; see `parse_acceptance`.
        """
        return self.exchange(path, request, parse_acceptance, is_repeatable=False)

    def verify_token(self) -> None:
        """Ask for a task that does not exist: free, and refused when the token is bad.

        Raises a ServiceError.
        """
        import uuid

        request = {"action": "retrieve", "id": str(uuid.uuid4())}
        with contextlib.suppress(errors.TaskDenied):
            self.exchange(_TASKS, request, parse_record)

    def exchange(
        self, path: str, request: Mapping[str, Any], parse: Parse[T], *, is_repeatable: bool = True
    ) -> T:
        """Post `request` to `path`, and return what `parse` makes of the reply.

        A request that is repeatable is sent once more when a connection turns
        out to have been closed while it was idle. Raises a ServiceError, which
        says whether the request may have taken effect.
        """
        try:
            head, body = self._post(path, request, is_repeatable=is_repeatable)
            return parse(head, body, token=self._connection.token)
        except errors.TokenRejected as error:
            error.hint = self._connection.token_remedy
            raise

    def _post(
        self, path: str, request: Mapping[str, Any], *, is_repeatable: bool
    ) -> tuple[ResponseHead, bytes]:
        url = httpx.URL(self._connection.base_url + path)
        content = json.dumps(request, separators=(",", ":"))
        self._say(f"> POST {self._connection.base_url}{path} {content}")
        started = time.monotonic()
        try:
            sent = httpx.Request(
                "POST",
                url,
                headers=self._headers,
                content=content,
                extensions={"is_repeatable": is_repeatable},
            )
            with contextlib.closing(self._transport.handle_request(sent)) as response:
                head = self._head(response)
                self._dated = response.headers.get("date"), self._now()
                body = self._body(response, head)
        except httpx.HTTPError as error:
            fault = service_error(
                error,
                url,
                seconds=self._connection.request_timeout,
                proxy=self._connection.proxy,
            )
            self._say(f"< {fault.message} ({time.monotonic() - started:.3f} s)")
            raise fault from error
        if self._connection.trace is not None:
            taken = time.monotonic() - started
            self._say(f"< {head.status} ({taken:.3f} s, {len(body):,} bytes) {self._start(body)}")
        return head, body

    def _start(self, body: bytes) -> str:
        """Return the first characters of `body`, without the token or a part of it.

        It is cut after the token was hidden: a cut through it would leave a part.
        """
        token = self._connection.token
        start = body if token.may_be_in(body) else body[: 4 * _LONGEST_TRACE]
        text = start.decode(json.detect_encoding(start), "replace")
        return token.hide(text)[:_LONGEST_TRACE]

    def _head(self, response: httpx.Response) -> ResponseHead:
        return ResponseHead(
            status=response.status_code,
            content_type=response.headers.get("content-type", ""),
            retry_after=parse_retry_after(response.headers.get("retry-after"), self._now()),
        )

    def _body(self, response: httpx.Response, head: ResponseHead) -> bytes:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        try:
            body = read_body(chunks(response), encoding)
        except BodyTooLarge:
            if head.status != httpx.codes.OK:
                return b""  # the status says enough
            raise errors.ResponseTooLarge(
                f"the reply is larger than {MAX_BYTES // 1024**2} MiB", code="reply_too_large"
            ) from None
        except BodyCut:
            raise errors.ConnectionFault("the reply was cut short", code="reply_cut") from None
        except UnknownEncoding:
            raise errors.BrokenContract(
                "the reply uses a compression that flux did not ask for", code="bad_reply"
            ) from None
        return self._connection.token.hide_bytes(body)

    def _say(self, line: str) -> None:
        if self._connection.trace is not None:
            self._connection.trace(self._connection.token.hide(line))


def _useful(is_wanted: Callable[[str | None], bool]) -> Parse[BatchResponse]:
    """Return what reads a batch reply, and raises an error beside items none of which is wanted."""

    def parse(head: ResponseHead, body: bytes, *, token: Token) -> BatchResponse:
        reply = parse_batch(head, body, token=token)
        if reply.error is not None and not any(is_wanted(record_key(i)) for i in reply.items):
            raise reply.error
        return reply

    return parse
