"""Says that the token may be another account's, where the service knows none of the tasks."""

from flux_cli.engine.session import Session
from flux_cli.models.state import State
from flux_cli.models.summary import TaskCounts
from flux_cli.runtime import Runtime


def note_other_account(runtime: Runtime, session: Session, counts: TaskCounts) -> None:
    """Say so when ids were not found and none was: a wrong token may look like that."""
    absent = counts.by_state[State.NOT_FOUND]
    if absent and absent + counts.by_state[State.UNKNOWN] == counts.total:
        runtime.stderr.note(
            f"No task was found. The token, from {session.token_source},"
            " may belong to another account."
        )
