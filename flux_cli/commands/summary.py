"""The summary of a run, on stderr: how many tasks are in which state, and why some failed."""

from flux_cli.commands.options import OutputOptions
from flux_cli.models.reasons import Reasons
from flux_cli.models.summary import TaskCounts
from flux_cli.output.formats import Format
from flux_cli.output.reasons import summary_lines
from flux_cli.runtime import Runtime


def print_summary(
    runtime: Runtime, output: OutputOptions, counts: TaskCounts, reasons: Reasons
) -> None:
    """Print counts, and below them reasons, unless they are the output itself."""
    runtime.stderr.note(counts.summary())
    if output.format is not Format.REASONS:
        for line in summary_lines(reasons, runtime.stderr):
            runtime.stderr.note(line)
