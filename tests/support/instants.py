"""Runs flux with a signal at a chosen instant, in the middle of any call of its main thread.

As a program, `python -m tests.support.instants NUMBER SIGNAL ARGUMENT...`: the
signal comes with the NUMBERth call, of Python or of C, after the command has
begun; with 0 it never comes, and the last line of stderr is how many there were.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from tests.support.program import MEASURED_BY, Program, Run, decode


def run_until(
    flux: Program, instant: int, number: signal.Signals, *arguments: str, stdin: bytes = b""
) -> Run:
    """Run flux with `arguments` and send it `number` at `instant`."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.instants", str(instant), str(+number), *arguments],
        env=flux.variables(dict.fromkeys(MEASURED_BY)) | {"PYTHONPATH": os.getcwd()},  # noqa: PTH109
        cwd=flux.folder,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Run(arguments, run.returncode, run.stdout, decode(run.stderr))


def count_instants(flux: Program, *arguments: str, stdin: bytes = b"") -> int:
    """Return how many instants a run has."""
    run = run_until(flux, 0, signal.SIGINT, *arguments, stdin=stdin)
    return int(run.stderr.splitlines()[-1])


def _main(instant: int, number: int) -> None:
    from flux_cli import interrupts
    from flux_cli.__main__ import main

    calls = 0

    def watch(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        del frame, argument
        if event in ("call", "c_call"):
            calls += 1
            if calls == instant:
                sys.setprofile(None)
                signal.raise_signal(number)

    held = interrupts.held
    leave: Callable[[int], None] = os._exit

    def held_and_watched() -> object:
        sys.setprofile(watch)
        return held()

    def counted(code: int) -> None:
        sys.setprofile(None)
        if not instant:
            sys.stderr.write(f"{calls}\n")
            sys.stderr.flush()
        leave(code)

    interrupts.held = held_and_watched  # type: ignore[assignment]
    os._exit = counted  # type: ignore[assignment]
    sys.argv[0] = "flux"
    main()


if __name__ == "__main__":
    chosen, wanted = int(sys.argv[1]), int(sys.argv[2])
    del sys.argv[1:3]
    _main(chosen, wanted)
