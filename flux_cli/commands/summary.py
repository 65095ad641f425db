"""The summary of a run, on stderr: how many tasks are in which state, and why some failed."""

from typing import NoReturn

from flux_cli.commands.options import OutputOptions
from flux_cli.engine.session import Session
from flux_cli.errors import FluxError, ServiceError
from flux_cli.models.reasons import Reasons
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.output.formats import Format
from flux_cli.output.reasons import summary_lines
from flux_cli.runtime import Runtime


def print_summary(
    runtime: Runtime,
    session: Session,
    output: OutputOptions,
    counts: TaskCounts,
    reasons: Reasons,
) -> None:
    """Print counts, and below them reasons, unless they are the output itself.

    Where no task was found, that is said too.
    """
    runtime.stderr.note(counts.summary())
    if output.format is not Format.REASONS:
        for line in summary_lines(reasons, runtime.stderr):
            runtime.stderr.note(line)
    print_absence(runtime, session, counts)


def print_absence(runtime: Runtime, session: Session, counts: TaskCounts) -> None:
    """Where no task was found, say that the token may be another account's."""
    absent = counts.by_state[State.NOT_FOUND]
    if absent and absent + counts.by_state[State.UNKNOWN] == counts.total:
        runtime.stderr.note(
            f"No task was found. The token, from {session.token_source},"
            " may belong to another account."
        )


def raise_weightier(runtime: Runtime, error: FluxError, service: ServiceError | None) -> NoReturn:
    """Raise what the service did, which counts before an output that failed; say both.

    Called where `error` is handled, which is raised where the service did nothing.
    """
    if service is None:
        raise error
    runtime.stderr.line(f"flux: {error.message}.")
    raise service from None
