"""What would be submitted, and whether the user agrees."""

from collections.abc import Sequence
from typing import NamedTuple

import typer

from flux_cli.commands.run_lookup import existing_journal
from flux_cli.commands.submit_options import SubmitOptions
from flux_cli.commands.submit_request import SubmitRequest
from flux_cli.engine.runs import look_ahead
from flux_cli.engine.session import Session
from flux_cli.errors import ExitCode, Interrupted, NoToken, UsageError
from flux_cli.models.submission import PlannedRequest, Submission, SubmissionState
from flux_cli.output.jsonl import encode_record
from flux_cli.runtime import Runtime
from flux_cli.storage.journal import Journal


_UNASKED = 10  # images or videos that are submitted without a question


class Outlook(NamedTuple):
    """What a run would do: what it would send, and how many rows it has in doubt.

    `run` is its name, None for a new one.
    """

    to_send: Sequence[PlannedRequest | Submission]
    doubtful: int = 0
    run: str | None = None


def outlook_on(session: Session, journal: Journal | None, request: SubmitRequest) -> Outlook:
    """Return what would be sent, without changing the journal, which need not be there.

    Raises NoToken, unless there is none, UsageError and JournalError.
    """
    if journal is None:
        return Outlook(request.requests)
    run, rows = look_ahead(session, journal, request.run)
    is_sent = {row.number: _is_to_be_sent(row, request.options) for row in rows}
    doubtful = sum(row.state.is_in_doubt and not is_sent[row.number] for row in rows)
    return Outlook([row for row in rows if is_sent[row.number]], doubtful, run.name)


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


def try_out(runtime: Runtime, session: Session, request: SubmitRequest) -> None:
    """Print what would be sent, and send nothing; that needs neither a journal nor a token."""
    with existing_journal(runtime, request.journal) as journal:
        try:
            outlook = outlook_on(session, journal, request)
        except NoToken:
            outlook = outlook_on(session, None, request)
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
