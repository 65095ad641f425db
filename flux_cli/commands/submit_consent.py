"""What would be submitted, and whether the user agrees."""

from collections.abc import Sequence

import typer

from flux_cli.commands.submit_options import SubmitOptions
from flux_cli.commands.submit_request import SubmitRequest, open_run
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode, UsageError
from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from flux_cli.runtime import Runtime


_UNASKED = 10  # tasks that are submitted without a question


def not_yet_submitted(
    runtime: Runtime, session: Session, request: SubmitRequest
) -> list[PlannedRequest | Submission]:
    """Return what would be sent, without changing the journal. Raises NoToken."""
    options = request.options
    path = runtime.journal_path(request.journal)
    if not path.exists():
        session.connection  # noqa: B018 - which needs a token
        return list(request.requests)
    with runtime.open_journal(request.journal) as journal:
        _, rows = open_run(journal, session, request, is_trial=True)
    return [row for row in rows if _is_to_be_sent(row, options)]


def _is_to_be_sent(row: Submission, options: SubmitOptions) -> bool:
    match row.state:
        case SubmissionState.PLANNED:
            return True
        case SubmissionState.REFUSED:
            return options.retry_refused
        case SubmissionState.UNKNOWN | SubmissionState.SENDING:
            return options.resend_unconfirmed
        case _:
            return False


def in_words(planned: Sequence[PlannedRequest | Submission], request: SubmitRequest) -> str:
    return request.describe([PlannedRequest(row.path, row.body) for row in planned])


def ask_for_consent(
    runtime: Runtime, planned: Sequence[PlannedRequest | Submission], request: SubmitRequest
) -> None:
    """Raise UsageError for more than `--max`; on a terminal, ask about more than a few."""
    options = request.options
    if options.max is not None and len(planned) > options.max:
        raise UsageError(
            f"this would submit {in_words(planned, request)}, and --max allows {options.max:,}",
            hint="Nothing was sent",
        )
    if len(planned) <= _UNASKED or options.yes or not runtime.stderr.is_terminal:
        return
    from flux_cli.output.prompt import confirm

    question = f"Submit {in_words(planned, request)}? They cost credits."
    try:
        agrees = confirm("\n".join(runtime.stderr.wrapped(question)))
    except OSError:
        raise UsageError(
            f"this would submit {in_words(planned, request)}, and there is no terminal to ask on",
            hint="Nothing was sent. Add --yes",
        ) from None
    if not agrees:
        runtime.stderr.line("flux: nothing was sent.")
        raise typer.Exit(ExitCode.USAGE)
