"""What tools take that answer with a page of tasks."""

from flux_cli.errors import UsageError
from flux_cli.mcp import parameters
from flux_cli.mcp.pages import CONCISE, FULL, KINDS, MOST_TASKS, View


DETAIL = parameters.choice("full: whole records.", (CONCISE, FULL), default=CONCISE)
ONLY = parameters.choice("Show these alone; counts has all.", KINDS, default=None)
LIMIT = parameters.count("Tasks on a page.", least=1, most=MOST_TASKS, default=MOST_TASKS)
CURSOR = parameters.text("next_cursor of the answer before.", default=None)
VIEW = {"detail": DETAIL, "only": ONLY, "limit": LIMIT}
_LONGEST_CURSOR = 9  # digits


def view_of(detail: str, only: str | None, limit: int, cursor: str | None = None) -> View:
    """Return what is shown. Raises UsageError."""
    if cursor is None:
        return View(detail, only, limit)
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= _LONGEST_CURSOR):
        raise UsageError("cursor must be the next_cursor of an answer, as it was")
    return View(detail, only, limit, int(cursor))
