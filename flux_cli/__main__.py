"""Where `flux` and `python -m flux_cli` begin."""

import sys


def main() -> None:
    """Run the command line; `--version` alone is answered without loading any of it."""
    if sys.argv[1:] == ["--version"]:
        from flux_cli import __version__

        print(f"flux {__version__}")  # noqa: T201
        return
    import signal

    from flux_cli.app import app

    try:
        app(prog_name="flux")
    finally:  # all is said; a second Ctrl-C must not disturb the interpreter's own end
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
