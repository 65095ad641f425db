"""How wide the columns of the table are, and which of them a narrow window does without."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from flux_cli.models.state import State
from flux_cli.output.rows import Row


GAP = 2  # columns between two columns of the table
_STATE_WIDTH = max(len(state) for state in State) + 2
_LEAST = {"prompt": 12, "result": 10}  # a window without room for these has no columns
_SHORT_RESULT = len("result")
_FAIR = {"prompt": 28, "result": 24}  # what they get before there are any others
_MOST = 200
_LONGEST_ERROR = 40  # that a column is widened for
_OPTIONAL = ("model", "took", "created")  # the last gives way first
_ORDER = ("state", "id", "prompt", "model", "created", "took", "result")


class Layout(NamedTuple):
    """The width of each column in characters; a column without one is left out.

    `columns` is empty where not even state, id, prompt and result fit side by side.
    """

    columns: tuple[tuple[str, int], ...]

    @classmethod
    def fit(
        cls, rows: Sequence[Row], width: int, *, has_more: bool = False, shows_age: bool = False
    ) -> "Layout":
        """Share `width` out: state and id whole, a piece of prompt and result, then the others.

        What says the same in every row gives way first. `has_more` keeps room
        for the results of rows that are still to come; with `shows_age` the time of
        creation comes before what others get beyond their least.
        """
        natural = {name: _natural(rows, name) for name in _ORDER[1:]}
        natural["result"] = max(_SHORT_RESULT, *(_result_width(row) for row in rows), 0)
        if has_more:
            natural["result"] = max(natural["result"], _FAIR["result"])
        texts = [name for name in ("prompt", "result") if natural[name]]
        widths = {"state": _STATE_WIDTH, "id": max(natural["id"], len("id"))}
        widths |= {name: min(_LEAST[name], max(natural[name], len(name))) for name in texts}
        free = width - sum(widths.values()) - GAP * (len(widths) - 1)
        if free < 0:
            return cls(())
        age = max(natural["created"], len("created"))
        if shows_age and natural["created"] and GAP + age <= free:
            widths["created"] = age
            free -= GAP + age
        for name in texts:
            grown = max(0, min(free, _FAIR[name] - widths[name], natural[name] - widths[name]))
            widths[name] += grown
            free -= grown
        others = [name for name in _OPTIONAL if name not in widths]
        for name in sorted(others, key=lambda name: _is_constant(rows, name)):
            needed = GAP + max(natural[name], len(name))
            if natural[name] and needed > free:
                break  # so that no column comes back when the window narrows
            if natural[name]:
                widths[name] = needed - GAP
                free -= needed
        prompt, result = (
            max(0, min(natural[name], _MOST) - widths.get(name, 0)) for name in ("prompt", "result")
        )
        if texts[0] == "prompt":
            grown = min(prompt, max(free // 2, free - result))
            widths["prompt"] += grown
            free -= grown
        widths["result"] += min(result, free)
        return cls(tuple((name, widths[name]) for name in _ORDER if name in widths))


def _natural(rows: Sequence[Row], name: str) -> int:
    return max((cell_len(getattr(row, name)) for row in rows), default=0)


def _result_width(row: Row) -> int:
    """Return the room that a result asks for: a long error stands below its row."""
    width = cell_len(row.result)
    return width if row.link or width <= _LONGEST_ERROR else 0


def _is_constant(rows: Sequence[Row], name: str) -> bool:
    return len(rows) > 1 and len({getattr(row, name) for row in rows}) == 1
