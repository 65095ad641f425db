"""The command line that goes on with what is still open."""

import shlex
import time
from pathlib import Path

import typer


_MOST_IDS = 20  # on a command line; more go into a file


def resume_command(ctx: typer.Context, open_ids: list[str], *, now: float) -> str:
    """Return a command that watches `open_ids` with the options of this one.

    Many ids are written to a new file in the current folder, or where that
    cannot be, in the home folder.
    """
    words = ctx.command_path.split()
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        if parameter.param_type_name != "option" or source is None or source.name != "COMMANDLINE":
            continue
        value = ctx.params[parameter.name or ""]
        if parameter.name == "file":
            continue
        words.append(parameter.opts[0])
        if not getattr(parameter, "is_flag", False):
            words.append(_as_typed(value))
    if len(open_ids) > _MOST_IDS and (path := _written(open_ids, now)) is not None:
        words += ["--file", str(path)]
    else:
        words += open_ids
    return shlex.join(words)


def _as_typed(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}s"
    if isinstance(value, frozenset):
        return ",".join(value)
    return str(getattr(value, "value", value))


def _written(ids: list[str], now: float) -> Path | None:
    name = time.strftime("flux-open-%Y%m%d-%H%M%S.txt", time.localtime(now))
    for path in (Path(name), Path.home() / name):
        try:
            with path.open("x") as file:
                file.write("\n".join(ids) + "\n")
        except OSError:
            continue
        return path
    return None
