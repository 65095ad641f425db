"""What is said at the end of the commands of `--exec`."""

from collections.abc import Callable

from flux_cli.engine.hooks import Hooks


_MOST_FAILURES = 5  # of commands, named one by one


def print_hook_failures(hooks: Hooks, say: Callable[[str], None]) -> bool:
    """Say which commands failed, and return whether any did."""
    failures = hooks.failures
    for failure in failures[:_MOST_FAILURES]:
        say(f"flux: --exec: {failure}")
    if len(failures) > _MOST_FAILURES:
        say(f"flux: --exec: {len(failures):,} failures in all")
    if count := hooks.unfinished:
        noun = "command was" if count == 1 else "commands were"
        say(f"flux: --exec: {count:,} {noun} cut short or not run")
    return bool(failures)
