"""Asks the user of a client, in whichever of two ways the client speaks.

Clients of 2025 are asked while the call waits. Later ones get the question as
the result of the call, and make the same call again with the answer.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import anyio.from_thread
from mcp.shared.exceptions import MCPError
from mcp_types import (
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
)

from flux_cli.mcp.calls import Context


_NOTHING: dict[str, Any] = {"type": "object", "properties": {}}  # to fill in
_ASKS = ClientCapabilities(elicitation=ElicitationCapability())


class InputNeeded(Exception):
    """The answer to a question has to come with another call."""

    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question

    def as_result(self) -> InputRequiredResult:
        """Return what asks the client for it."""
        asked = ElicitRequest(
            params=ElicitRequestFormParams(message=self.question, requested_schema=_NOTHING)
        )
        return InputRequiredResult(input_requests={_key(self.question): asked})


def asker(context: Context, responses: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return what asks a question in the thread of a call, and whether the user agrees.

    A client that cannot ask agrees. `responses` are the answers that came with the
    call. The function raises InputNeeded.
    """

    def ask(question: str) -> bool:
        if (response := responses.get(_key(question))) is not None:
            return getattr(response, "action", None) == "accept"
        if not context.session.check_client_capability(_ASKS):
            return True
        if not context.session.can_send_request:
            raise InputNeeded(question)
        try:
            result = anyio.from_thread.run(
                context.session.elicit_form, question, _NOTHING, context.request_id
            )
        except MCPError:  # whoever says that they can ask, and do not, have not agreed
            return False
        return bool(result.action == "accept")

    return ask


def _key(question: str) -> str:
    """Return what an answer is told by: another question needs another answer."""
    return hashlib.sha256(question.encode()).hexdigest()[:16]
