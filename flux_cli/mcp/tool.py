"""What a tool is: a function with a docstring for agents, what it takes, and what it answers."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flux_cli.mcp.answers import Answer
from flux_cli.mcp.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `run` is given the queries, the call, and the arguments by name.

    `timeout` names the argument that says how long a call may take, in seconds;
    without it a call is a look. `is_read_only` is whether it leaves everything,
    also on this machine, as it is; `is_idempotent`, whether a second call changes nothing.
    """

    title: str
    run: Callable[..., Answer]
    takes: Mapping[str, Parameter]
    returns: Mapping[str, Any] | None = None  # a JSON Schema, where no other tool has the same
    timeout: str | None = None
    is_read_only: bool = True
    is_idempotent: bool = True

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def description(self) -> str:
        return inspect.getdoc(self.run) or ""
