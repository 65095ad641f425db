"""Where `flux` and `python -m flux_cli` begin."""

import sys


def main() -> None:
    """Run the command line; `--version` alone is answered without loading any of it."""
    if sys.argv[1:] == ["--version"]:
        from flux_cli import __version__

        print(f"flux {__version__}")  # noqa: T201
        return
    from flux_cli.app import app

    app(prog_name="flux")


if __name__ == "__main__":
    main()
