"""Sentences in lines as wide as the terminal, with words, ids, URLs and commands whole."""

import re


_INDENT = "  "
# A command is what a sentence tells to run, after a colon: up to its end, or to an alternative.
_WITH_COMMAND = re.compile(
    r"(.*\b(?:[Rr]un|[Tt]ry|mean|by|line to it):) (.*?\S)([.?]?|, (?:or|and) .*)"
)


def wrap(text: str, columns: int) -> list[str]:
    """Return `text`, which moves nothing, in lines of `columns`, all but the first indented.

    What is longer than a line has one of its own, and so has a command that does not
    fit beside its sentence: copied, it is what is to be typed. What begins with a space
    is laid out already.
    """
    if text.startswith(" ") or _width(text) <= columns:
        return [text]
    match = _WITH_COMMAND.fullmatch(text)
    if match is None:
        return _fill(text.split(" "), columns)
    sentence, command, rest = match.groups()
    lines = _fill(sentence.split(" "), columns)
    mark, *words = rest.split(" ")
    beside = f"{lines[-1]} {command}{mark}"
    if _width(beside) <= columns:
        return [*lines[:-1], *_fill([beside, *words], columns)]
    lines.append(_INDENT + command)
    return [*lines, *_fill([_INDENT + words[0], *words[1:]], columns)] if words else lines


def _fill(words: list[str], columns: int) -> list[str]:
    lines = words[:1]
    for word in words[1:]:
        longer = f"{lines[-1]} {word}"
        if _width(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(_INDENT + word)
    return lines


def _width(text: str) -> int:
    """Return how many columns a terminal needs for `text`."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
