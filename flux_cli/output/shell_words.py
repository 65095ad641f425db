"""Words as a POSIX shell reads them, for command lines that are shown to be typed."""

import os
import shlex

from flux_cli.output.sanitize import sanitize


def quote(word: str, *, ascii_only: bool = False) -> str:
    """Return `word` as a POSIX shell reads it back, on one line and safe to show.

    Line breaks and what a terminal may act on are spelled for printf; line
    breaks at the very end are lost, which a command does not miss.
    """
    if sanitize(word) == word and (word.isascii() or not ascii_only):
        quoted = shlex.quote(word)
        return f"'{word}'" if quoted.startswith("=") else quoted  # zsh looks for a program there
    text = "".join(_for_printf(character, ascii_only=ascii_only) for character in word)
    return f'"$(printf %b {shlex.quote(text)})"'


def _for_printf(character: str, *, ascii_only: bool) -> str:
    if character == "\n":
        return r"\n"
    is_plain = sanitize(character) == character and (character.isascii() or not ascii_only)
    if is_plain and character not in "\\!":  # an interactive shell takes ! for history
        return character
    return "".join(rf"\0{byte:03o}" for byte in os.fsencode(character))
