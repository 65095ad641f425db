"""What a user types to call this very program from where they are."""

import shlex
import shutil
import sys
from pathlib import Path

from flux_cli.runtime import Runtime


def program_name(runtime: Runtime, *, elsewhere: bool = False) -> str:
    """Return the name of this program where the PATH leads to it, else the path it was called by.

    What is printed for a user to type works in the shell that the program was called from, also
    where it is in an environment that nobody has activated, or where `flux` is another program.
    With `elsewhere` it works in a shell in another folder too.
    """
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.orig_argv[0])} -m flux_cli"
    named = shutil.which(called.name, path=runtime.environment.get("PATH"))
    this = shutil.which(called)
    if named is not None and (this is None or Path(named).samefile(this)):
        return called.name
    return shlex.quote(str(called.absolute()) if elsewhere else sys.argv[0])
