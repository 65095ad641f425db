"""`flux_list_tasks`: the account's own recent tasks."""

from typing import Any

from flux_cli.config.moments import parse_moment
from flux_cli.errors import UsageError
from flux_cli.mcp.answers import Answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.history import Place, history_answer, list_tasks
from flux_cli.mcp.parameters import choice, text
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.tool import Tool
from flux_cli.mcp.tools.views import CURSOR, VIEW, view_of


SINCE = text("Created since then: 24h, 7d, 2026-11-20.", default="7d")
UNTIL = text("Created until then.", default=None)
TYPE = choice("Only these.", ("images", "videos"), default=None)


def flux_list_tasks(
    queries: Queries,
    call: Call,
    *,
    since: str,
    until: str | None,
    type: str | None,  # noqa: A002 - as the service has it
    cursor: str | None,
    **shown: Any,
) -> Answer:
    """List the account's own Flux generation tasks, newest first.

    When to use: to find tasks whose ids are lost, or that others submitted. When not to use:
    for ids that you have use flux_get_tasks_batch.

    Returns what flux_get_tasks_batch returns; counts has what was looked through. The service
    does not document its history: a task may be missing, and older ones are dropped.
    """
    now = queries.now()
    begin = _moment("since", since, now)
    end = None if until is None else _moment("until", until, now)
    place = Place.read(cursor)
    bounds = place.bounds(begin, end, type)
    return history_answer(list_tasks(queries, call, bounds, place, view_of(**shown)))


def _moment(name: str, given: str, now: float) -> float:
    try:
        return parse_moment(given).resolve(now)
    except UsageError:
        raise UsageError(f"{name} must be how long ago, as 24h or 7d, or a date") from None


TOOL = Tool(
    "List Flux tasks",
    flux_list_tasks,
    {"since": SINCE, "until": UNTIL, "type": TYPE, **VIEW, "cursor": CURSOR},
)
