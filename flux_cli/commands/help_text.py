"""Help as text for a window of any width: no word is broken, and no sentence is cut."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager


_WIDEST = 80  # columns
_DEEPEST = 34  # columns for terms beside their texts; a longer one has a line of its own
_NARROWEST = 30  # columns for texts beside their terms; where there are fewer they stand below
_STEP = 2  # columns
_SHELL_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|\S)+""")


class HelpText:
    """Lays out what typer tells of a command: it takes the place of typer's own formatter."""

    width = 1_000_000  # typer would cut the sentences about commands to it

    def __init__(self, columns: int) -> None:
        self._columns = min(columns, _WIDEST)
        self._lines: list[str] = []
        self._indent = 0

    def write_usage(self, program: str, arguments: str = "") -> None:
        """Write how a command is called."""
        self._wrap(f"Usage: {program} {arguments}".rstrip(), further=7)

    def write_paragraph(self) -> None:
        """Write an empty line, but none at the beginning."""
        if self._lines:
            self._lines.append("")

    def write_text(self, text: str) -> None:
        """Write paragraphs; one that begins with a line of \\b keeps its lines."""
        for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip("\n"))):
            if number:
                self.write_paragraph()
            if paragraph.lstrip().startswith("\b\n"):
                for line in paragraph.lstrip()[2:].split("\n"):
                    self._lines += self._command(" " * self._indent + line)
            else:
                self._wrap(paragraph)

    def write_dl(self, rows: Iterable[Sequence[str]]) -> None:
        """Write terms and what they mean, beside them or, in a narrow window, below."""
        rows = list(rows)
        widths = [len(term) + 2 * _STEP for term, _ in rows]
        column = max((width for width in widths if width <= _DEEPEST), default=_DEEPEST)
        if self._columns - column < _NARROWEST:
            column = 3 * _STEP
        for term, meaning in rows:
            head = self._wrapped(term.replace("|", "| "), self._indent, 2 * _STEP)
            head = [line.replace("| ", "|") for line in head]
            texts = self._wrapped(meaning, column)
            if len(head) == 1 and len(head[0]) + _STEP <= column:
                texts[:1] = [head.pop().ljust(column) + texts[0].lstrip()]
            self._lines += [*head, *texts]

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Write a title; what follows is indented."""
        self.write_paragraph()
        self._wrap(f"{title}:")
        with self.indentation():
            yield

    @contextmanager
    def indentation(self) -> Iterator[None]:
        """Indent what follows."""
        self._indent += _STEP
        try:
            yield
        finally:
            self._indent -= _STEP

    def getvalue(self) -> str:
        """Return what was written."""
        return "".join(f"{line}\n" for line in self._lines)

    def _wrap(self, text: str, *, further: int = 0) -> None:
        self._lines += self._wrapped(text, self._indent, further)

    def _wrapped(self, text: str, indent: int, further: int = 0) -> list[str]:
        """Return lines of `text`, those after the first indented by `further` columns more."""
        return textwrap.wrap(
            " ".join(text.split()),
            self._columns,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + further),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]

    def _command(self, line: str) -> Iterator[str]:
        """Yield a line that is to be typed, in several with a \\ between them if it is too long."""
        indent = " " * (len(line) - len(line.lstrip()))
        text = ""
        for word in _SHELL_WORD.findall(line):
            longer = f"{text} {word}" if text else indent + word
            if text.strip() and len(longer) + 2 > self._columns < len(line):
                yield f"{text} \\"
                longer = f"{indent}{' ' * _STEP}{word}"
            text = longer
        yield text
