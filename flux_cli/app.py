"""The command line, and the one place where an error becomes a message and an exit code."""

import errno
import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from flux_cli import __version__, interrupts
from flux_cli.commands.help_panels import fit_help
from flux_cli.commands.option_groups import option_groups
from flux_cli.errors import (
    ExitCode,
    FluxError,
    InputError,
    Interrupted,
    OutputClosed,
    ServiceError,
)
from flux_cli.runtime import Runtime


# Where each command is defined, in the order in which a newcomer needs them.
_COMMANDS = {
    "images": ("images", "make_group"),
    "videos": ("videos", "make_group"),
    "tasks": ("tasks", "make_group"),
    "runs": ("runs", "make_group"),
    "auth": ("auth", "group"),
    "demo": ("demo", "demo"),
    "sandbox": ("sandbox", "sandbox"),
    "mcp": ("mcp", "group"),
    "schema": ("help", "show_schema"),
    "help": ("help", "show_help"),
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class _Boundary(TyperGroup):
    """The root command: whatever happens below ends here as an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order in which they are registered; typer puts groups last."""
        others = (name for name in super().list_commands(ctx) if name not in _COMMANDS)
        return [*_COMMANDS, *others]

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A signal has an exit code of its own, which counts before any other."""
        try:
            with interrupts.held():
                result = super().invoke(ctx)
                interrupts.check()  # one that came while the last was written
                return result
        except Interrupted as signal:
            raise typer.Exit(signal.exit_code) from None
        except Exception as error:
            if (number := interrupts.noted()) is None:
                raise
            if isinstance(error, FluxError):
                _report_failure(error, ctx.obj)
            raise typer.Exit(128 + number) from None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002 - this is what it replaces
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line in `args` and exit. `obj` may hold a Runtime."""
        runtime = extra.pop("obj", None) or Runtime.of_process(prog_name or "flux")
        if runtime.program != self.name:
            from flux_cli.commands.help import show_name_in_examples

            show_name_in_examples(self, runtime.program)
        fit_help(self)
        words = sys.argv[1:] if args is None else [*args]
        try:
            if words and words[-1].endswith("-completion"):
                from flux_cli.commands.completion import with_shell

                words = with_shell(words, runtime.environment)
            code = super().main(
                args=words,
                prog_name=prog_name,
                complete_var=complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                obj=runtime,
                **extra,
            )
        except BaseException as error:  # noqa: BLE001 - the boundary
            code = _report(error, runtime, words)
        if runtime.stdout.is_given_up:
            runtime.stderr.line(
                "flux: output is incomplete: the program reading stdout has stalled."
            )
        sys.exit(code or ExitCode.OK)


def _report(error: BaseException, runtime: Runtime, words: Sequence[str]) -> int:
    """Say on stderr what happened and return the exit code."""
    code: int
    match error:
        case SystemExit() if isinstance(error.__context__, BrokenPipeError):
            code = ExitCode.OK  # typer's own answer to a reader of its help that left is 1
        case SystemExit():
            code = error.code if isinstance(error.code, int) else ExitCode.BUG
        case OutputClosed():
            code = ExitCode.OK
        case OSError() if _is_from_echo(error):
            code = ExitCode.OUTPUT
            runtime.stderr.line(f"flux: stdout: cannot be written: {error.strerror}.")
        case OSError() if error.errno in _FULL or "temporary directory" in str(error.strerror):
            code = ExitCode.OUTPUT
            runtime.stderr.line(
                f"flux: a temporary file cannot be written: {error.strerror}. Free some disk space,"
                " or set TMPDIR to another folder."
            )
        case KeyboardInterrupt() | typer.Abort():
            code = ExitCode.INTERRUPTED
        case FluxError():
            code = error.exit_code
            _report_failure(error, runtime)
        case typer.TyperException():
            code = error.exit_code
            _report_usage(error, runtime, words)
        case _:
            code = ExitCode.BUG
            _report_bug(error, runtime)
    return code


def _is_from_echo(error: OSError) -> bool:
    """Tell whether typer could not write a help text; every other OSError is handled below."""
    return traceback.extract_tb(error.__traceback__)[-1].name == "echo"


def _report_bug(error: BaseException, runtime: Runtime) -> None:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    runtime.stderr.line(
        f"flux: a bug in flux {__version__}: {type(error).__name__}: {error}"
        f" ({frame.filename}:{frame.lineno}). Please report this line"
    )
    if runtime.environment.get("FLUX_DEBUG", "").strip() not in ("", "0"):
        for line in "".join(traceback.format_exception(error)).splitlines():
            runtime.stderr.line(line)


def _report_usage(error: typer.TyperException, runtime: Runtime, words: Sequence[str]) -> None:
    message = error.format_message()
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else runtime.program
    if message.startswith("Usage:"):  # a group without a command shows its help
        typer.echo(message, err=True)
    elif ctx is not None and message.startswith("No such command"):
        from flux_cli.commands.guesses import no_command

        runtime.stderr.line(f"flux: {no_command(ctx, words)}")
    else:
        runtime.stderr.line(f"flux: {_sentence(message)} Try: {path} --help")


def _report_failure(error: FluxError, runtime: Runtime) -> None:
    message = error.message
    if isinstance(error, ServiceError) and error.trace_id:
        message += f" (trace id {error.trace_id})"
    runtime.stderr.line(f"flux: {_sentence(message)} {_sentence(error.hint)}".rstrip())
    if isinstance(error, InputError):
        for line in error.more:
            runtime.stderr.line(f"flux: {line}")


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."


def make_app(words: Sequence[str] = ()) -> typer.Typer:
    """Return the application for the command line in `words`.

    Where they begin with a command, it has that one alone: whoever looks once at a
    task does not wait for what describes the others. For a list of the commands, it
    has no more of each than that shows. Otherwise, as for what is no command, it has
    them all.
    """
    app = typer.Typer(
        cls=_Boundary,
        name="flux",
        no_args_is_help=True,
        add_completion=False,  # flux has scripts of its own, which start no Python
        rich_markup_mode=None,  # plain help: half the time to show, and stable
        pretty_exceptions_enable=False,  # it can show locals, and a local can be the token
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    is_named = bool(words) and words[0] in _COMMANDS and words[0] != "help"
    is_list = words in (["-h"], ["--help"])
    app.callback()(_named_root if is_named else _make_root())
    for name in words[:1] if is_named else _COMMANDS:
        module, attribute = _COMMANDS[name]
        command = getattr(importlib.import_module(f"flux_cli.commands.{module}"), attribute)
        if attribute == "make_group":
            command = command(is_outline=True) if is_list else command(*words[1:2])
        if is_list:
            command = _outline(command)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(option_groups(command))
    return app


def _outline(command: typer.Typer | Callable[..., None]) -> typer.Typer | Callable[..., None]:
    """Return a command with its help alone."""
    if isinstance(command, typer.Typer):
        return typer.Typer(help=command.info.help)

    def outline() -> None:
        """Nothing: it is never called."""

    outline.__doc__ = command.__doc__
    return outline


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flux {__version__}")
        raise typer.Exit


def _named_root() -> None:
    """Nothing: the options of flux itself come before a command."""


def _make_root() -> Callable[..., None]:
    from flux_cli.commands import completion

    def root(
        ctx: typer.Context,
        _version: Annotated[
            bool,
            typer.Option(
                "--version",
                callback=_show_version,
                is_eager=True,
                help="Show the version and exit.",
            ),
        ] = False,
        _install: completion.Install = None,
        _show: completion.Show = None,
    ) -> None:
        """Make Flux images and videos from prompts, and see where the tasks stand.

        \b
        Examples:
          flux demo
          flux images generate 'a red fox in the snow' --watch
          flux tasks check ID ID
          flux tasks check < ids.txt
        """
        del ctx

    return root
