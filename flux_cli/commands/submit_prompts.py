"""What the commands that submit have in common: from prompts and options to a run."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flux_cli.commands.file_options import FileOptions
from flux_cli.commands.option_groups import check_use
from flux_cli.commands.options import ServiceOptions
from flux_cli.commands.submit_options import GoingOnOptions, PromptOptions, PromptRunOptions
from flux_cli.commands.watch_options import NotifyOptions, WatchOptions, WatchOutputOptions
from flux_cli.errors import ExitCode, UsageError
from flux_cli.models.echo import shown
from flux_cli.models.requests import RequestKind, models_of, unknown_model
from flux_cli.models.submission import PlannedRequest
from flux_cli.runtime import Runtime


if TYPE_CHECKING:
    from flux_cli.commands.submit_request import GoOn
    from flux_cli.engine.session import Session
    from flux_cli.models.ids import TaskIds


_MOST_NAMED = 3  # models in a description, and labels


@dataclass(eq=False, repr=False)
class Afterwards:
    """What is done with what was accepted: it is watched, and saved in `folder`."""

    going_on: GoingOnOptions
    files: FileOptions
    policy: WatchOptions
    notify: NotifyOptions

    def check(self, ctx: typer.Context) -> None:
        """Raise UsageError for options that apply to nothing."""
        if self.folder is None:
            check_use(ctx, [FileOptions], "when files are saved", hint="Add --download DIR")
        if not self.is_wanted:
            check_use(
                ctx,
                [WatchOptions, NotifyOptions],
                "when tasks are watched",
                hint="Add --watch, or --download DIR",
            )

    @property
    def is_wanted(self) -> bool:
        return self.going_on.watch or self.folder is not None

    @property
    def folder(self) -> Path | None:
        return self.going_on.download_to

    def prepare(self, requests: Sequence[PlannedRequest], session: "Session") -> None:
        """See to it that files can be saved, before anything is paid for.

        Raises UsageError and OutputError.
        """
        if self.folder is None:
            return
        from flux_cli.models.file_names import NameTemplate
        from flux_cli.output.progress import Progress

        labels = {name for request in requests for name in request.labels}
        for label in NameTemplate(self.files.name).labels:
            if label not in labels:
                known = ", ".join(sorted(labels)) or "none"
                raise UsageError(
                    f"--name: no prompt has a label {shown(label)}; there are: {known}",
                    hint="Nothing was sent",
                )
        session.downloader(self.folder, self.files, Progress()).close()

    def start(self, runtime: Runtime, output: WatchOutputOptions) -> "GoOn | None":
        """Return what does it; None where nothing is to be done."""
        return partial(_watch, runtime, output, self) if self.is_wanted else None


def submit_prompts(
    ctx: typer.Context,
    kind: RequestKind,
    prompts: PromptOptions,
    defaults: Mapping[str, object],
    options: PromptRunOptions,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    service: ServiceOptions,
) -> None:
    """Submit prompts, whose fields are `defaults` where they set none, and exit."""
    from flux_cli.commands.submit_request import SubmitRequest, name_for
    from flux_cli.commands.submit_run import run_submit

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    afterwards.check(ctx)
    with runtime.session(service, patience=afterwards.policy.patience) as session:
        requests = _read(ctx, session, kind, prompts, defaults)
        request = SubmitRequest(
            requests,
            name_for(prompts.files or [], requests),
            options,
            options.journal,
            output,
            partial(describe, kind.noun),
            afterwards.start(runtime, output),
            partial(afterwards.prepare, requests),
        )
        raise typer.Exit(run_submit(runtime, session, request))


def _read(
    ctx: typer.Context,
    session: "Session",
    kind: RequestKind,
    prompts: PromptOptions,
    defaults: Mapping[str, object],
) -> list[PlannedRequest]:
    """Return a request for each prompt. Raises UsageError and InputError; exits without any."""
    from flux_cli.input.plan import plan
    from flux_cli.input.prompts import Prompt, read_prompts

    runtime: Runtime = ctx.obj
    arguments, files = prompts.prompts or [], prompts.files or []
    if defaults.get("draft_task_id") and not (arguments or files):
        alone = [Prompt({}, {}, "--draft-task-id")]  # it needs no prompt
        return plan(kind, alone, defaults, token=session.token)
    has_stdin = runtime.stdin is not None and not runtime.stdin_is_terminal
    if not (arguments or files or has_stdin):
        typer.echo(ctx.get_usage(), err=True)
        runtime.stderr.line("flux: no prompts. Give them as arguments, with --file, or on stdin.")
        raise typer.Exit(ExitCode.USAGE)
    requests = plan(
        kind,
        read_prompts(arguments, files, runtime.stdin, token=session.token),
        defaults,
        token=session.token,
    )
    models = {unknown_model(kind, request.body) for request in requests} - {None}
    for model in sorted(filter(None, models)):
        near = difflib.get_close_matches(model.lower(), models_of(kind), n=2, cutoff=0.4)
        guess = f" Did you mean {' or '.join(near)}?" if near else ""
        runtime.stderr.note(f"flux: unknown model {model}, passed on as it may be new.{guess}")
    if labels := list(dict.fromkeys(name for request in requests for name in request.labels)):
        named = ", ".join(map(shown, labels[:_MOST_NAMED]))
        more = f" and {len(labels) - _MOST_NAMED:,} more" if len(labels) > _MOST_NAMED else ""
        runtime.stderr.note(f"flux: kept as labels, not sent: {named}{more}.")
    return requests


def _watch(
    runtime: Runtime,
    output: WatchOutputOptions,
    afterwards: Afterwards,
    session: "Session",
    ids: "TaskIds",
    run_words: str,
) -> ExitCode:
    from flux_cli.commands.watch_run import WatchRequest, run_watch

    def print_hint(open_ids: list[str], why: str) -> None:
        noun = "task is" if len(open_ids) == 1 else "tasks are"
        runtime.stderr.line(
            f"flux: {why}; {len(open_ids):,} {noun} still open. Run the same command again to"
            f" continue (nothing is submitted twice), or: {runtime.program} tasks watch {run_words}"
        )

    request = WatchRequest(
        afterwards.policy,
        output,
        afterwards.notify,
        afterwards.folder,
        afterwards.files,
        print_hint,
    )
    return run_watch(runtime, session, ids, request)


def describe(noun: str, requests: Sequence[PlannedRequest]) -> str:
    """Return in words what `requests` make: "12 images with flux-dev at 1:1"."""
    bodies = [request.body for request in requests]
    count = sum(int(body.get("count", 1)) for body in bodies)
    text = f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
    for word, names in (("with", ("model",)), ("at", ("size", "resolution"))):
        found = Counter(str(body[name]) for body in bodies for name in names if name in body)
        if found:
            named = [value for value, _ in found.most_common(_MOST_NAMED)]
            more = len(found) - len(named)
            text += f" {word} {', '.join(named)}" + (f" and {more:,} more" if more else "")
    return text
