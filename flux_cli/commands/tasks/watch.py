"""`flux tasks watch`: polls until every task is finished."""

from functools import partial

import typer

from flux_cli.commands.file_options import DownloadFolder, FileOptions
from flux_cli.commands.inputs import read_ids
from flux_cli.commands.option_groups import check_use
from flux_cli.commands.options import InputOptions, ServiceOptions
from flux_cli.commands.watch_options import NotifyOptions, WatchOptions, WatchOutputOptions
from flux_cli.runtime import Runtime


def watch(
    ctx: typer.Context,
    *,
    inputs: InputOptions,
    output: WatchOutputOptions,
    policy: WatchOptions,
    notify: NotifyOptions,
    download_to: DownloadFolder = None,
    files: FileOptions,
    service: ServiceOptions,
) -> None:
    """Watch tasks until all of them have finished.

    \b
    Examples:
      flux tasks watch -f ids.txt
      flux tasks watch --run foxes --notify
      flux tasks watch -f ids.txt --timeout 10m -o csv > tasks.csv
      flux tasks watch -f ids.txt -o jsonl | jq -r 'select(.state == "failed").id'
      flux tasks watch -f ids.txt --download pictures --contact-sheet
      flux tasks watch ID ID --exec 'cat > "$FLUX_TASK_ID.json"'

    Shows a live view on a terminal; elsewhere prints one JSON line when a task
    is first seen and one for each change of state. Ids are read as for check.

    Exits with 0 if every task succeeded, otherwise with the first that applies:
    4 if the token was rejected; 5 if the service did not answer for
    --give-up-after; 7 if a file or a command failed; 124 if --timeout ran out;
    3 if a task failed; 6 if one was not found.
    """
    from flux_cli.commands.resume_hint import print_resume_hint
    from flux_cli.commands.watch_run import WatchRequest, run_watch

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    if download_to is None:
        check_use(ctx, [FileOptions], "when files are saved", hint="Add --download DIR")
    with runtime.session(service, patience=policy.patience) as session:
        ids = read_ids(ctx, inputs, session)
        hint = partial(print_resume_hint, ctx, read_at=runtime.now())
        request = WatchRequest(policy, output, notify, download_to, files, hint)
        raise typer.Exit(run_watch(runtime, session, ids, request))
