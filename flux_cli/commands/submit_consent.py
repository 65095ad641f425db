"""What would be submitted, and whether the user agrees."""

from collections.abc import Sequence
from typing import NamedTuple

import typer

from flux_cli.commands.run_lookup import is_there
from flux_cli.commands.submit_options import SubmitOptions
from flux_cli.commands.submit_request import SubmitRequest, open_run
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode, Interrupted, NoToken, UsageError
from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from flux_cli.output.jsonl import encode_record
from flux_cli.runtime import Runtime


_UNASKED = 10  # images or videos that are submitted without a question


class Outlook(NamedTuple):
    """What a run would do: what it would send, and how many rows it has in doubt.

    `run` is its name, None for a new one.
    """

    to_send: Sequence[PlannedRequest | Submission]
    doubtful: int = 0
    run: str | None = None


def look_ahead(runtime: Runtime, session: Session, request: SubmitRequest) -> Outlook:
    """Return what would be sent, without changing the journal.

    Raises NoToken, unless nothing is to be sent in any case.
    """
    path = runtime.journal_path(request.journal)
    try:
        session.connection  # noqa: B018 - which needs a token
        if not is_there(path):
            return Outlook(request.requests)
    except NoToken:
        if not request.options.dry_run:
            raise
        return Outlook(request.requests)
    with runtime.open_journal(request.journal) as journal:
        run, rows = open_run(journal, session, request, is_trial=True)
    to_send = [row for row in rows if _is_to_be_sent(row, request.options)]
    doubtful = sum(row.state.is_in_doubt for row in rows if row not in to_send)
    return Outlook(to_send, doubtful, run.name)


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
    """Return what is to be sent, as "12 images with flux-dev at 1:1"."""
    return request.describe([PlannedRequest(row.path, row.body) for row in planned])


def tell_outlook(runtime: Runtime, outlook: Outlook, request: SubmitRequest) -> None:
    """Print what would be sent, and send nothing."""
    for row in outlook.to_send:
        runtime.stdout.write(f"{encode_record(row.body)}\n".encode())
    parts = [in_words(outlook.to_send, request) if outlook.to_send else "nothing"]
    if former := len(request.requests) - len(outlook.to_send) - outlook.doubtful:
        parts.append(f"{former:,} of {len(request.requests):,} prompts were submitted before")
    if outlook.doubtful:
        parts.append(f"{outlook.doubtful:,} may have been accepted, and would be looked for")
    if outlook.run is not None and (former or outlook.doubtful):
        parts[-1] += f" (run {outlook.run})"
    runtime.stderr.note(f"flux: would submit {'; '.join(parts)}. Nothing was sent.")


def ask_for_consent(
    runtime: Runtime, planned: Sequence[PlannedRequest | Submission], request: SubmitRequest
) -> None:
    """Raise UsageError for more than `--max`; on a terminal, ask about more than a few."""
    options = request.options
    outputs = sum(int(row.body.get("count", 1)) for row in planned)
    if options.max is not None and outputs > options.max:
        raise UsageError(
            f"this would submit {in_words(planned, request)}, and --max allows {options.max:,}",
            hint="Nothing was sent",
        )
    screens = (runtime.stderr.is_terminal, runtime.stdout.is_terminal, runtime.stdin_is_terminal)
    if outputs <= _UNASKED or options.yes or not any(screens):
        return
    from flux_cli.output.prompt import confirm

    question = f"Submit {in_words(planned, request)}? This costs credits."
    try:
        agrees = confirm("\n".join(runtime.stderr.wrapped(question)))
    except Interrupted:
        runtime.stderr.line("flux: nothing was sent.")
        raise
    except OSError:
        raise UsageError(
            f"this would submit {in_words(planned, request)}, and there is no terminal to ask on",
            hint="Nothing was sent. Add --yes",
        ) from None
    if not agrees:
        runtime.stderr.line("flux: nothing was sent.")
        raise typer.Exit(ExitCode.USAGE)
