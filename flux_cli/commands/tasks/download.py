"""`flux tasks download`: saves what finished tasks made."""

from pathlib import Path

import typer

from flux_cli.commands.file_options import FileOptions, Folder
from flux_cli.commands.inputs import read_ids
from flux_cli.commands.options import ExitStatus, InputOptions, OutputOptions, ServiceOptions
from flux_cli.runtime import Runtime


def download(
    ctx: typer.Context,
    *,
    inputs: InputOptions,
    folder: Folder = Path(),
    files: FileOptions,
    output: OutputOptions,
    exit_status: ExitStatus = False,
    service: ServiceOptions,
) -> None:
    """Save the images and videos of finished tasks.

    \b
    Examples:
      flux tasks download ID ID -d pictures
      flux tasks download -f ids.txt -d out --sidecar --contact-sheet
      flux tasks check -f ids.txt | flux tasks download -d out
      flux tasks download --run foxes --name '{row:03}_{label:mood}.{ext}'
      flux tasks download -f ids.txt --name '{created:%Y-%m}/{prompt}.{ext}'
      flux tasks download --since 7d -d out --archive saved.jsonl

    A file is saved whole or not at all; existing files are kept. Ids are read
    as for check; tasks already finished in check's JSON lines are not queried
    again. In the records, outputs have path, bytes and sha256.

    Exits with 0 if all outputs of succeeded tasks are saved; 7 if one is not;
    5 if a task was not answered for; 4 if the token is missing or rejected.
    """
    from flux_cli.commands.download_run import DownloadRequest, run_download
    from flux_cli.engine.finished_tasks import FinishedTasks

    runtime: Runtime = ctx.obj
    output.apply(runtime)
    with runtime.session(service) as session, FinishedTasks() as finished:
        ids = read_ids(ctx, inputs, session, keep=finished.add, keep_raw=output.keeps_raw)
        request = DownloadRequest(folder, files, output, exit_status=exit_status)
        raise typer.Exit(run_download(runtime, session, ids, finished, request))
