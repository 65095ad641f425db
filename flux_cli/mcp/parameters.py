"""What several tools take, as their schemas publish it.

The schemas tell what is wanted. What comes is looked at by the engine, so that what is no id is
reported beside the answers, or in a sentence, and never as a dump of a validator.
"""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from flux_cli.models.ids import MAX_LENGTH


IDS_HELP = (
    f"Task ids as returned on submission (task_id), usually UUIDs; 1 to {MAX_LENGTH}"
    " visible ASCII characters each. Any number, at least one. UUIDs are"
    " case-insensitive."
)
_EXAMPLES = ["2db0168c-2373-4367-8d9a-9dc778802e8a", "8f2c6a0e-55d1-4b6e-9f0d-3a7f3f2b9c11"]
_ID_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}
TaskIdList = Annotated[
    Any,
    WithJsonSchema({"type": "array", "items": _ID_SCHEMA, "minItems": 1}),
    Field(description=IDS_HELP, examples=[_EXAMPLES]),
]
TaskId = Annotated[
    Any,
    WithJsonSchema(_ID_SCHEMA),
    Field(
        description="A task id as returned on submission (task_id), usually a UUID.",
        examples=[_EXAMPLES[0]],
    ),
]
