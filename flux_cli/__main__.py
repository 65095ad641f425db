"""Where `flux`, `flux-tasks` and `python -m flux_cli` begin, and where they end."""

import gc
import os
import sys

from flux_cli import interrupts


_NAMES = {"flux-tasks": "flux-tasks", "__main__": "python -m flux_cli"}


def main() -> None:
    """Run the command line and end the process with its exit code.

    A look at fifty tasks is over in a tenth of a second, most of which is spent
    on importing. So the collector, which finds no garbage in what is imported,
    runs seldom, and the interpreter's own way out, a fifth of the time, is not
    taken: everything is written and closed by then.
    """
    interrupts.install()
    gc.set_threshold(100_000, 10, 10)
    _open_standard_streams()
    os._exit(_flushed(_run()))


def _run() -> int:
    """Return the exit code; `--version` alone is answered without loading any of the program."""
    if sys.argv[1:] == ["--version"]:
        from flux_cli import __version__

        if sys.stdout is not None:
            sys.stdout.write(f"flux {__version__}\n")
        return 0
    from flux_cli.runtime import Runtime

    runtime = Runtime.of_process(called_as(sys.argv[0]))
    runtime.read_ahead(sys.argv[1:])  # while the rest is imported
    from flux_cli.app import make_app

    try:
        make_app(sys.argv[1:])(prog_name=runtime.program, obj=runtime)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _open_standard_streams() -> None:
    """Put `/dev/null` where a standard stream was closed, so that no other file takes its number.

    What a program prints would else land in a file or a connection of flux's own.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def called_as(path: str) -> str:
    """Return what a user typed to call this program, for usage lines and hints."""
    name, _ = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122 - pathlib is not loaded
    name = _NAMES.get(name, "flux")
    is_in_cache = os.path.exists(f"{sys.prefix}/../../CACHEDIR.TAG")  # noqa: PTH110 - likewise
    return _through_uvx(name) if is_in_cache else name


def _through_uvx(name: str) -> str:
    """Return the command that runs this program in a cache of uv, to which no user's PATH leads."""
    import json
    import shlex
    import urllib.parse
    from importlib.metadata import distribution

    origin = json.loads(distribution("flux-tasks").read_text("direct_url.json") or "{}")
    source = urllib.parse.unquote(origin.get("url", "").removeprefix("file://")) or "flux-tasks"
    if "vcs_info" in origin:
        source = f"{origin['vcs_info']['vcs']}+{source}"
    return f"uvx {name}" if source == name else f"uvx --from {shlex.quote(source)} {name}"


def _flushed(code: int) -> int:
    """Write out what is left of help texts; return the exit code, 7 if that fails."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            pass
        except OSError as error:
            if code == 0 and sys.stderr is not None:
                sys.stderr.write(f"flux: stdout: cannot be written: {error.strerror}.\n")
            code = code or 7
    return code


if __name__ == "__main__":
    main()
