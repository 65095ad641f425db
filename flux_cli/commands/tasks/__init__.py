"""`flux tasks`: how the tasks stand."""

from functools import partial
from pathlib import Path

import typer

from flux_cli.commands import file_options, options
from flux_cli.commands.help_panels import GroupedCommand
from flux_cli.commands.task_ids import prepare
from flux_cli.commands.tasks.check import look
from flux_cli.engine.policies import Until
from flux_cli.output.formats import Format, make_writer
from flux_cli.runtime import Runtime


group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="How your generation tasks stand."
)


@group.command(cls=GroupedCommand)
def check(
    ctx: typer.Context,
    ids: options.Ids = None,
    file: options.Files = None,
    output: options.Output = Format.AUTO,
    state: options.States = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
    exit_status: options.ExitStatus = False,
    concurrency: options.Concurrency = 8,
    batch_size: options.BatchSize = 50,
    request_timeout: options.RequestTimeout = 30.0,
    retries: options.Retries = 3,
    base_url: options.BaseUrl = None,
    debug: options.Debug = False,
) -> None:
    """Look once at every task and show its state.

    \b
    Examples:
      flux tasks check ID ID
      flux tasks check -f ids.txt -o csv > tasks.csv
      flux tasks check -f ids.txt --state failed -o ids
      some-script | flux tasks check --exit-status

    Ids come from the arguments, from files, and from stdin when there are
    neither; a file may be plain text, JSON, JSON lines or CSV.

    Exits with 0 when every task was answered for, whatever its state; 5 when
    one was not; 4 when the token is missing or rejected; 2 for wrong usage.
    """
    runtime: Runtime = ctx.obj
    runtime.stderr.is_quiet = quiet
    task_ids, connection = prepare(
        ctx,
        ids,
        file,
        base_url=base_url,
        request_timeout=request_timeout,
        concurrency=concurrency,
        debug=debug,
    )
    counts = look(
        runtime,
        task_ids,
        connection,
        make_writer(output, runtime.stdout, raw=raw, now=runtime.now(), note=runtime.stderr.note),
        states=state,
        batch_size=batch_size,
        retries=retries,
        keep_raw=raw,
    )
    if exit_status:
        raise typer.Exit(counts.exit_code())


@group.command(cls=GroupedCommand)
def watch(
    ctx: typer.Context,
    ids: options.Ids = None,
    file: options.Files = None,
    output: options.WatchOutput = Format.AUTO,
    state: options.States = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
    interval: options.Interval = 5.0,
    max_interval: options.MaxInterval = 30.0,
    timeout: options.Timeout = None,
    until: options.UntilOption = Until.ALL,
    fail_fast: options.FailFast = False,
    not_found_grace: options.NotFoundGrace = 60.0,
    give_up_after: options.GiveUpAfter = 300.0,
    command: options.Command = None,
    bell: options.Bell = False,
    download_to: file_options.DownloadFolder = None,
    name: file_options.Name = file_options.DEFAULT_NAME,
    overwrite: file_options.Overwrite = False,
    max_size: file_options.MaxSize = file_options.DEFAULT_MAX_SIZE,
    file_timeout: file_options.FileTimeout = file_options.DEFAULT_FILE_TIMEOUT,
    sidecar: file_options.Sidecar = False,
    contact_sheet: file_options.Sheet = False,
    concurrency: options.Concurrency = 8,
    batch_size: options.BatchSize = 50,
    request_timeout: options.RequestTimeout = 30.0,
    retries: options.Retries = 3,
    base_url: options.BaseUrl = None,
    debug: options.Debug = False,
) -> None:
    """Watch tasks until every one of them is finished.

    \b
    Examples:
      flux tasks watch -f ids.txt
      flux tasks watch -f ids.txt --timeout 10m -o csv > tasks.csv
      flux tasks watch -f ids.txt -o jsonl | jq -r 'select(.state == "failed").id'
      flux tasks watch -f ids.txt --download pictures --contact-sheet
      flux tasks watch ID ID --exec 'echo "$FLUX_TASK_ID is $FLUX_TASK_STATE"'

    A live view on a terminal; anywhere else one JSON line for each task that
    is seen first or changes its state. Ids come from where check takes them.

    Exits with 0 when every task succeeded; 3 when one failed; 6 when one was
    not found; 124 when --timeout ran out; 4 when the token was rejected; 5 when
    the service did not answer for --give-up-after; 7 when a command failed.
    """
    from flux_cli.commands.resume_hint import tell_how_to_go_on
    from flux_cli.commands.watch_run import Wishes, follow
    from flux_cli.engine.watch import WatchPolicy

    runtime: Runtime = ctx.obj
    runtime.stderr.is_quiet = quiet
    task_ids, connection = prepare(
        ctx,
        ids,
        file,
        base_url=base_url,
        request_timeout=request_timeout,
        concurrency=concurrency,
        debug=debug,
    )
    file_options.check_use(ctx, saves=download_to is not None)
    saving = None
    if download_to is not None:
        from flux_cli.commands.download_report import SavingOptions, read_template

        saving = SavingOptions(
            runtime.base_url(base_url),
            download_to,
            read_template(name),
            overwrites=overwrite,
            max_size=max_size,
            file_timeout=file_timeout,
            has_sidecars=sidecar,
            has_contact_sheet=contact_sheet,
            workers=concurrency,
            request_timeout=request_timeout,
            retries=retries,
            debug=debug,
        )
    policy = WatchPolicy(
        interval=interval,
        max_interval=max(interval, max_interval),
        timeout=timeout,
        until=until,
        fail_fast=fail_fast,
        not_found_grace=not_found_grace,
        give_up_after=give_up_after,
    )
    wishes = Wishes(
        policy,
        output=output,
        states=state,
        keep_raw=raw,
        batch_size=batch_size,
        retries=retries,
        command=command,
        bell=bell,
        saving=saving,
        resume=partial(tell_how_to_go_on, ctx, read_at=runtime.now()),
    )
    raise typer.Exit(follow(runtime, task_ids, connection, wishes))


@group.command(cls=GroupedCommand)
def download(
    ctx: typer.Context,
    ids: options.Ids = None,
    file: options.Files = None,
    folder: file_options.Folder = Path(),
    name: file_options.Name = file_options.DEFAULT_NAME,
    overwrite: file_options.Overwrite = False,
    max_size: file_options.MaxSize = file_options.DEFAULT_MAX_SIZE,
    file_timeout: file_options.FileTimeout = file_options.DEFAULT_FILE_TIMEOUT,
    sidecar: file_options.Sidecar = False,
    contact_sheet: file_options.Sheet = False,
    output: options.Output = Format.AUTO,
    state: options.States = None,
    raw: options.Raw = False,
    quiet: options.Quiet = False,
    exit_status: options.ExitStatus = False,
    concurrency: options.Concurrency = 8,
    batch_size: options.BatchSize = 50,
    request_timeout: options.RequestTimeout = 30.0,
    retries: options.Retries = 3,
    base_url: options.BaseUrl = None,
    debug: options.Debug = False,
) -> None:
    """Save the images and videos of finished tasks.

    \b
    Examples:
      flux tasks download ID ID -d pictures
      flux tasks download -f ids.txt -d out --sidecar --contact-sheet
      flux tasks check -f ids.txt | flux tasks download -d out
      flux tasks download -f ids.txt --name '{created:%Y-%m-%d}/{prompt}.{ext}'

    A file is whole or absent; one that is there already is kept. Ids come from
    where check takes them; of tasks that its JSON lines tell the end of, the
    service is not asked again. Records have path, bytes and sha256 in outputs.

    Exits with 0 when everything that succeeded is saved; 7 when something is
    not; 5 when a task was not answered for; 4 when the token is rejected.
    """
    from flux_cli.commands.download_report import SavingOptions, read_template
    from flux_cli.commands.download_run import DownloadWishes
    from flux_cli.commands.download_run import download as run
    from flux_cli.commands.task_ids import read_all
    from flux_cli.engine.finished_tasks import FinishedTasks

    runtime: Runtime = ctx.obj
    runtime.stderr.is_quiet = quiet
    url = runtime.base_url(base_url)
    found = runtime.find_token(url)
    saving = SavingOptions(
        url,
        folder,
        read_template(name),
        overwrites=overwrite,
        max_size=max_size,
        file_timeout=file_timeout,
        has_sidecars=sidecar,
        has_contact_sheet=contact_sheet,
        workers=concurrency,
        request_timeout=request_timeout,
        retries=retries,
        debug=debug,
    )
    wishes = DownloadWishes(
        output=output,
        states=state,
        keep_raw=raw,
        batch_size=batch_size,
        retries=retries,
        has_verdict=exit_status,
    )
    with FinishedTasks() as known:
        task_ids = read_all(ctx, ids, file, token=found.token if found else None, known=known)
        connection = None
        if len(known) < len(task_ids):
            if found is None:
                raise runtime.no_token(url)
            connection = runtime.connection(
                found, url, request_timeout=request_timeout, concurrency=concurrency, debug=debug
            )
        raise typer.Exit(run(runtime, task_ids, known, connection, saving, wishes))
