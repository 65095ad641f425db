"""The command line that goes on with what is still open, as a shell reads it."""

import contextlib
import json
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from flux_cli.config.durations import format_duration
from flux_cli.engine.policies import Until
from flux_cli.input.task_ids import is_argument
from flux_cli.models.ids import flaw_in_text, match_key
from flux_cli.output.shell_words import quote
from flux_cli.runtime import Runtime


_MOST_IDS = 20  # on a command line; more are in a file
_LONGEST = 4900  # characters of the command; a longer line on stderr would be cut
_SOURCES = ("files", "find_ids", "since", "run", "journal")  # options that name ids
_PLAIN_ID = re.compile(r"(?=.*[0-9])[0-9A-Za-z_-]+")  # reads as an id in any text file


def print_resume_hint(ctx: typer.Context, open_ids: list[str], why: str, *, read_at: float) -> None:
    """Say on stderr `why` a watch has ended with tasks still open, and how to go on.

    For `read_at` see `resume_command`.
    """
    runtime: Runtime = ctx.obj
    if len(open_ids) == 1:
        they_go_on = "1 task is still open and keeps running"
    else:
        they_go_on = f"{len(open_ids):,} tasks are still open and keep running"
    command = resume_command(ctx, open_ids, read_at=read_at)
    runtime.stderr.line(f"flux: {why}; {they_go_on} (no need to resubmit). To keep watching, run:")
    runtime.stderr.line(f"  {command}")


def resume_command(ctx: typer.Context, open_ids: list[str], *, read_at: float) -> str:
    """Return a command, on one line, that watches `open_ids` with the options of this one.

    A run is named again, so that its tasks keep their labels. Many ids are read
    from the files that they came from, if they are as they were at `read_at`,
    in Unix seconds. Finished tasks are asked for once more then. Otherwise they
    are written to a new file in the current folder, or where that cannot be, in
    the home folder, and stderr says so.
    """
    runtime: Runtime = ctx.obj
    ascii_only = not runtime.stderr.speaks_unicode
    options = list(_options(ctx))

    def joined(options: list[str], ids: list[str]) -> str:
        marked = ["--", *ids] if any(task_id.startswith("-") for task_id in ids) else ids
        words = [*shlex.split(ctx.command_path), *options, *marked]
        return " ".join(quote(word, ascii_only=ascii_only) for word in words)

    if (run := ctx.params.get("run")) and not _minds_finished(ctx):
        line = joined([*options, *_option("--run", run), *_journal(ctx)], [])
        if len(line) <= _LONGEST:
            return line
    line = joined(options, open_ids)
    is_short = len(open_ids) <= _MOST_IDS and len(line) <= _LONGEST
    if is_short and all(map(is_argument, open_ids)):
        return line
    source, ids = _source(ctx, open_ids, read_at)
    line = joined([*options, *source], ids)
    if len(line) <= _LONGEST:
        return line
    return f"{joined(source, ids)} and the same options as before, too long to show here"


def _source(ctx: typer.Context, open_ids: list[str], read_at: float) -> tuple[list[str], list[str]]:
    """Return the options that name files with the open ids, and the ids that are in none."""
    runtime: Runtime = ctx.obj
    given = {match_key(task_id) for task_id in ctx.params.get("ids") or []}
    arguments = [task_id for task_id in open_ids if match_key(task_id) in given]
    files = ctx.params.get("files") or []
    if files and len(arguments) <= _MOST_IDS and _will_do(ctx, files, read_at):
        options = [word for file in files for word in _option("--file", file)]
        return ["--find-ids", *options] if ctx.params.get("find_ids") else options, arguments
    if (path := _written(open_ids, runtime.now())) is None:
        return [], open_ids
    count = len(open_ids)
    what = "id of the open task is" if count == 1 else f"ids of the {count:,} open tasks are"
    runtime.stderr.line(f"flux: the {what} in {path}")
    return _option("--file", str(path)), []


def _options(ctx: typer.Context) -> Iterator[str]:
    """Yield the options that were given, but for those that name ids."""
    for parameter in ctx.command.params:
        name = parameter.name or ""
        source = ctx.get_parameter_source(name)
        if parameter.param_type_name != "option" or source is None or source.name != "COMMANDLINE":
            continue
        if name in _SOURCES:
            continue
        if getattr(parameter, "is_flag", False):
            yield parameter.opts[0]
        else:
            value = ctx.params[name]
            for each in value if getattr(parameter, "multiple", False) else [value]:
                yield from _option(parameter.opts[0], _as_typed(each))


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _as_typed(value: Any) -> str:
    if isinstance(value, float):
        return format_duration(value)
    if isinstance(value, frozenset):
        return ",".join(sorted(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(getattr(value, "value", value))


def _journal(ctx: typer.Context) -> list[str]:
    file = ctx.params.get("journal")
    return _option("--journal", str(file)) if file is not None else []


def _minds_finished(ctx: typer.Context) -> bool:
    """Tell whether a watch would do something else with tasks that have ended before it."""
    options = ctx.params
    ends_early = options.get("fail_fast") or _as_typed(options.get("until")) == Until.ANY.value
    return bool(ends_early or options.get("command"))


def _will_do(ctx: typer.Context, files: list[str], read_at: float) -> bool:
    """Tell whether the files hold the open ids, and tasks that have ended do no harm in them."""
    if _minds_finished(ctx):
        return False
    try:
        return "-" not in files and all(
            path.is_file() and path.stat().st_mtime <= read_at for path in map(Path, files)
        )
    except (OSError, ValueError):
        return False


def _written(ids: list[str], now: float) -> Path | None:
    """Write `ids` to a new file and return its path; None where no file can be written."""
    is_plain = all(_PLAIN_ID.fullmatch(i) and not flaw_in_text(i) for i in ids)
    text = "".join(f"{task_id if is_plain else json.dumps(task_id)}\n" for task_id in ids)
    for path in _names(now):
        try:
            file = path.open("x", encoding="ascii")
        except OSError:
            continue
        try:
            with file:
                file.write(text)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            continue
        return path
    return None


def _names(now: float) -> Iterator[Path]:
    name = time.strftime("flux-open-%Y%m%d-%H%M%S", time.localtime(now))
    folders = [Path()]
    with contextlib.suppress(RuntimeError):  # there is no home
        folders.append(Path.home())
    for folder in folders:
        for number in ("", "-2", "-3"):
            yield folder / f"{name}{number}.txt"
