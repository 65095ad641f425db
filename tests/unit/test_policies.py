"""What a user can decide, and what follows from it."""

import math
import subprocess
import sys

from flux_cli.engine.policies import WatchPolicy


def test_a_watch_with_patience_ends_a_silence_and_one_without_does_not() -> None:
    assert WatchPolicy(give_up_after=20.0).patience == 20.0
    assert WatchPolicy(give_up_after=0.0).patience == math.inf


def test_defaults_are_known_without_loading_anything() -> None:
    """Every help text shows them."""
    code = "import sys, flux_cli.engine.policies; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name for name in run.stdout.split() if name.startswith("flux_cli.")} == {
        "flux_cli.engine",
        "flux_cli.engine.policies",
    }
