"""What a user types to call this very program from where they are."""

import shutil
import sys
from pathlib import Path

from flux_cli.output.shell_words import quote
from flux_cli.runtime import Runtime


def program_name(runtime: Runtime, *, elsewhere: bool = False) -> str:
    """Return the name of this program where the PATH leads to it, else the path it was called by.

    What is printed for a user to type works in the shell that the program was called from, also
    where it is in an environment that nobody has activated, or where `flux` is another program.
    With `elsewhere` it works in a shell in another folder too. It is one line, whatever the
    names of the folders hold.
    """

    def path(text: str) -> str:
        is_relative = elsewhere and "/" in text  # a bare name is looked for in the PATH
        word = str(Path(text).absolute()) if is_relative else text
        return quote(word, ascii_only=not runtime.stderr.speaks_unicode)

    if runtime.program.startswith("uvx "):
        return runtime.program
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{path(sys.orig_argv[0])} -m flux_cli"
    named = shutil.which(called.name, path=runtime.environment.get("PATH"))
    this = shutil.which(called)
    if named is not None and (this is None or Path(named).samefile(this)):
        return called.name
    return path(sys.argv[0])
