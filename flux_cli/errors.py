"""Everything that can go wrong, each with its exit code, and what flux does about it.

    FluxError
    ├── UsageError                 2  wrong usage or setting
    │   ├── FieldError             2  a field of a submission that cannot be sent
    │   └── InputError             2  unreadable or empty input, bad task ids or prompts
    ├── NoToken                    4  no token, or one that cannot be a token
    ├── ServiceError               5  what the service, or the way to it, did
    │   ├── TokenRejected          4  stop
    │   ├── Refused                5  stop: no balance, moderation, disabled, no such API
    │   ├── BadRequest             5  ask again in halves
    │   │   └── NotFound           5  the same, down to the task that is not known
    │   ├── RateLimited            5  pause, then retry
    │   ├── ServerFault            5  retry
    │   │   └── InternalFault      5  retry once: a plain 500
    │   │       └── TaskDenied     5  ask once more; then the task is not known
    │   ├── ConnectionFault        5  retry: unreachable, timed out, cut off
    │   │   └── RangeRefused       5  retry from the first byte
    │   ├── UntrustedServer        5  stop: the certificate is not good
    │   ├── NotTheApi              5  stop: a web page or a redirect
    │   ├── GaveUp                 5  stop: too much trouble in this run
    │   ├── BrokenContract         5  these ids stay unanswered
    │   │   └── ResponseTooLarge   5  ask again in halves
    │   └── Unanswered             5  said at the end, of all ids without an answer
    └── OutputError                7  stdout or a file could not be written
        ├── DownloadError          7  one output cannot be saved; the others can
        └── JournalError           7  the journal of submissions cannot be used

`OutputClosed` and `Interrupted` are events, not errors: the reader of a pipe left,
and somebody sent a signal.
"""

from enum import Enum, IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of every command; a contract with scripts."""

    OK = 0
    BUG = 1
    USAGE = 2
    TASK_FAILED = 3
    TOKEN = 4
    NO_ANSWER = 5
    NOT_FOUND = 6
    OUTPUT = 7
    STILL_RUNNING = 8
    TIMED_OUT = 124
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class RetryRule(Enum):
    """What the engine does about a failed exchange."""

    STOP = "stop the whole run"
    RETRY = "retry"
    RETRY_ONCE = "retry once"
    CONFIRM = "ask once more; it is an answer when it comes again"
    SPLIT = "ask again in halves"
    SKIP = "leave these ids unanswered"


class FluxError(Exception):
    """An expected failure: one readable line and an exit code.

    `message` says what and where, `hint` what to do; both are whole clauses
    without a final full stop.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(FluxError):
    exit_code = ExitCode.USAGE


class FieldError(UsageError):
    """What `field` of a submission was given cannot be sent, or not together with the rest."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InputError(UsageError):
    """Task ids or prompts that cannot be read. `more` holds further lines of the same kind."""

    def __init__(self, message: str, *, hint: str = "", more: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.more = more


class NoToken(FluxError):
    exit_code = ExitCode.TOKEN


class ServiceError(FluxError):
    """A failed exchange with the service.

    `code` is the service's own word for it, or flux's where the service gave
    none; `retry_after` is the pause in seconds that the service asked for.
    `may_have_taken_effect` is False where the request was certainly not acted upon.
    """

    exit_code = ExitCode.NO_ANSWER
    retry_rule: ClassVar[RetryRule] = RetryRule.STOP

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str = "",
        trace_id: str | None = None,
        retry_after: float | None = None,
        may_have_taken_effect: bool = True,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.trace_id = trace_id
        self.retry_after = retry_after
        self.may_have_taken_effect = may_have_taken_effect


class TokenRejected(ServiceError):
    exit_code = ExitCode.TOKEN


class Refused(ServiceError):
    pass


class BadRequest(ServiceError):
    retry_rule = RetryRule.SPLIT


class NotFound(BadRequest):
    """An answer about what was asked for: (one of) it is not there."""


class RateLimited(ServiceError):
    retry_rule = RetryRule.RETRY


class ServerFault(ServiceError):
    retry_rule = RetryRule.RETRY


class InternalFault(ServerFault):
    """A plain 500: the contract asks for one retry, then for a report of the trace id."""

    retry_rule = RetryRule.RETRY_ONCE


class TaskDenied(InternalFault):
    """A 500 that says of the one task that was asked for that it is not there."""

    retry_rule = RetryRule.CONFIRM


class ConnectionFault(ServiceError):
    retry_rule = RetryRule.RETRY


class RangeRefused(ConnectionFault):
    """The rest of a file, which was asked for, is not what came."""


class UntrustedServer(ServiceError):
    pass


class NotTheApi(ServiceError):
    pass


class GaveUp(ServiceError):
    pass


class BrokenContract(ServiceError):
    retry_rule = RetryRule.SKIP


class ResponseTooLarge(BrokenContract):
    """More than flux reads of one reply; counted as a failure, as it costs much to receive."""


class Unanswered(ServiceError):
    pass


class OutputError(FluxError):
    exit_code = ExitCode.OUTPUT


class DownloadError(OutputError):
    """`code` says in one word why: expired, forbidden_address, too_large, not_media, ..."""

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class JournalError(OutputError):
    """What is submitted cannot be noted: so nothing is sent."""


class OutputClosed(Exception):
    """Whoever read stdout has closed it: nothing is left to do."""


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP: end, after what is known has been written."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = ExitCode(128 + number)
