"""`flux_show_task`: everything about one task, with its picture."""

from functools import partial

from flux_cli.api.throttle import Stopped
from flux_cli.engine.beside import beside
from flux_cli.engine.session import Session
from flux_cli.errors import DownloadError, ServiceError
from flux_cli.mcp.answers import Answer, Picture, shown_answer
from flux_cli.mcp.calls import Call
from flux_cli.mcp.parameters import TASK_ID, count
from flux_cli.mcp.queries import Queries
from flux_cli.mcp.schemas import SHOW
from flux_cli.mcp.tool import Tool
from flux_cli.models.task import Task
from flux_cli.output.preview.draw import LARGEST_FILE
from flux_cli.output.preview.errors import NeedsPillow, NoPicture
from flux_cli.output.preview.thumbnail import Thumbnail, thumbnail


_MOST_OUTPUTS = 1000
_KEPT = 2.0  # seconds of the call, for the answer without the picture
OUTPUT = count("Which output to show.", least=1, most=_MOST_OUTPUTS, default=1)


def flux_show_task(queries: Queries, call: Call, *, task_id: str, output: int) -> Answer:
    """Show one Flux generation task in full: its whole record, and its picture.

    When to use: to look at a result, or to learn why a task failed. When not to use: for the
    states of tasks use flux_get_tasks_batch, which is shorter.

    Returns the record and, scaled down, the picture of one output.
    """
    with queries.session(call) as session:
        task, results = queries.one(session, task_id, call)
        picture, about = None, _nothing(task, output)
        if not about:
            picture, about = _picture(session, task, output, call)
    return shown_answer(task, results, picture, about)


def _nothing(task: Task, output: int) -> str:
    """Say why there is no picture; nothing where there may be one."""
    if not task.outputs:
        return "There is no picture: the task has no output."
    if output > len(task.outputs):
        return f"There is no output {output}: the task has {len(task.outputs)}."
    if task.outputs[output - 1].kind != "image":
        return f"Output {output} of {len(task.outputs)} is a video: use its link."
    return ""


def _picture(session: Session, task: Task, output: int, call: Call) -> tuple[Picture | None, str]:
    """Return the picture, and what there is to say of it."""
    which = f"Output {output} of {len(task.outputs)}"
    url = task.outputs[output - 1].url
    read = partial(session.read_file, url, max_size=LARGEST_FILE, seconds=call.left)

    def is_over() -> bool:
        return call.is_cancelled() or call.left < _KEPT

    try:
        data = next(beside((step() for step in [read]), is_over), None)
        if data is None:
            return None, f"{which} is not shown: there was no time to fetch it."
        made = thumbnail(data)
    except NeedsPillow:
        reason = "it is too large, and scaling it needs Pillow (the extra flux-tasks[preview])"
    except NoPicture as error:
        reason = error.reason
    except (DownloadError, ServiceError) as error:
        reason = error.message
    except Stopped:
        reason = "its host stopped answering"
    else:
        return Picture(made.data, made.media.mime_type), f"{which}: {_size(made)}."
    return None, f"{which} is not shown: {reason}. Its link is in the record."


def _size(made: Thumbnail) -> str:
    width, height = made.original
    return f"{width}x{height} pixels{', scaled down here' if made.is_scaled else ''}"


TOOL = Tool(
    "Show a Flux task", flux_show_task, {"task_id": TASK_ID, "output": OUTPUT}, returns=SHOW
)
