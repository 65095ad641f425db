"""Reasons of failures, grouped: a table on a terminal, lines below a summary, JSON lines."""

import io
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from flux_cli.models.reasons import Reason, Reasons
from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.jsonl import encode_record
from flux_cli.output.sanitize import sanitize
from flux_cli.output.terminal import Screen, Stderr, Stdout


_MOST = 5  # reasons below a summary
_MOST_LINES = 3  # of one reason
_INDENT = 4  # columns before ids; a UUID fits beside it into 40
_NARROWEST = 24  # columns that lines are made for
_FILLER = "\0"  # counts for the second column of a wide letter; safe text has none
_LEAST_BESIDE_IDS = 32  # columns of a table


class ReasonWriter:
    """Writes at the end why the tasks failed, or had no answer."""

    def __init__(self, stdout: Stdout) -> None:
        self._stdout = stdout
        self._reasons = Reasons()

    def write(self, tasks: Iterable[Task]) -> int:
        tasks = list(tasks)
        self._reasons.add(tasks)
        return len(tasks)

    def close(self) -> None:
        reasons, self._reasons = self._reasons.ranked(), Reasons()
        if not self._stdout.is_terminal:
            self._stdout.write_pieces([_json_line(reason) for reason in reasons])
        elif reasons:
            self._stdout.write_text(_table(reasons, self._stdout))


def _json_line(reason: Reason) -> bytes:
    record = {
        "code": reason.code,
        "message": reason.message,
        "count": reason.count,
        "ids": reason.ids,
        "state": reason.state.value,
    }
    return f"{encode_record(record)}\n".encode()


def _table(reasons: Sequence[Reason], stdout: Stdout) -> str:
    """Return a table, or lines where the window has no room for one."""
    from rich.table import Table
    from rich.text import Text

    from flux_cli.output.table import Drawing

    longest = max((len(task_id) for reason in reasons for task_id in reason.ids), default=0)
    if stdout.columns - longest < _LEAST_BESIDE_IDS:
        return "".join(f"{line}\n" for line in reason_lines(reasons, stdout))
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column("COUNT", justify="right", no_wrap=True, header_style="bold")
    grid.add_column("REASON", overflow="fold", header_style="bold")
    grid.add_column("EXAMPLES", no_wrap=True, header_style="bold")
    for reason in reasons:
        grid.add_row(
            f"{reason.count:,}", Text(sanitize(_words(reason))), Text("\n".join(reason.ids))
        )
    text = io.StringIO()
    Drawing(stdout).console(text).print(grid)
    return "\n".join(line.rstrip() for line in text.getvalue().split("\n"))


def summary_lines(reasons: Reasons, stderr: Stderr) -> Iterator[str]:
    """Yield what is said below a summary: why tasks failed, most frequent first, with examples.

    Why others have no answer is told by the error that ends such a run.
    """
    ranked = reasons.ranked(State.FAILED)
    yield from reason_lines(
        ranked[:_MOST], stderr, sanitized=stderr.sanitized, most_lines=_MOST_LINES
    )
    if rest := sum(reason.count for reason in ranked[_MOST:]):
        yield f"  {rest:,} {_times(stderr)} other reasons: see -o reasons"


def reason_lines(
    reasons: Iterable[Reason],
    screen: Screen,
    *,
    sanitized: Callable[[str], str] = sanitize,
    most_lines: int | None = None,
) -> Iterator[str]:
    """Yield the lines of each of `reasons`, at most `most_lines`, and its ids, ready to be pasted.

    Only a count stands near the left edge: wrapped text cannot pass for another line.
    """
    width = max(_NARROWEST, screen.columns)
    for reason in reasons:
        head = f"  {reason.count:,} {_times(screen)} "
        yield from _wrapped(sanitized(_words(reason)), width, head, most_lines)
        yield from textwrap.wrap(
            " ".join(reason.ids),
            width,
            initial_indent=" " * _INDENT,
            subsequent_indent=" " * _INDENT,
            break_on_hyphens=False,
            break_long_words=False,
        )


def _wrapped(text: str, width: int, head: str, most_lines: int | None) -> Iterator[str]:
    """Yield `text` behind `head` in lines of `width` columns, of which some letters take two."""
    filled = "".join(
        f"{letter}{_FILLER}" if unicodedata.east_asian_width(letter) in "WF" else letter
        for letter in text
    )
    for line in textwrap.wrap(
        filled,
        width if filled == text else width - 1,  # a letter may have lost its filler to the next
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
        max_lines=most_lines,
        placeholder=" ...",
    ):
        yield line.replace(_FILLER, "")


def _words(reason: Reason) -> str:
    words = ": ".join(filter(None, (reason.code, reason.message))) or "no reason given"
    return f"no answer: {words}" if reason.state is State.UNKNOWN else words


def _times(screen: Screen) -> str:
    return "×" if screen.speaks_unicode else "x"  # noqa: RUF001
