"""`flux tasks`: how the tasks stand."""

import typer

from flux_cli.commands.help_panels import GroupedCommand
from flux_cli.commands.option_groups import option_groups
from flux_cli.commands.tasks import check, download, show, watch


group = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="How your generation tasks stand."
)
for command in (check.check, watch.watch, download.download, show.show):  # in the order of the help
    group.command(cls=GroupedCommand)(option_groups(command))
