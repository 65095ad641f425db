"""Commands whose help fits the window, and lists their options by what they are about."""

from typing import Any

import typer
from typer.core import TyperCommand


class GroupedCommand(TyperCommand):
    """Shows options under the panel that each names, and those that name none at the end."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one section for each panel, in the order in which the options come."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            panel = getattr(parameter, "rich_help_panel", None) or "Other options"
            if (record := parameter.get_help_record(ctx)) is not None:
                sections.setdefault(panel, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class _Context(typer.Context):
    def make_formatter(self) -> Any:
        from flux_cli.commands.help_text import HelpText

        stdout, stderr = self.obj.stdout, self.obj.stderr
        is_seen = stdout.is_terminal or not stderr.is_terminal  # else a pager, or an error, is
        return HelpText((stdout if is_seen else stderr).columns)


def fit_help(command: Any) -> None:
    """Have the help of a click command, and of all below it, fit the window that it is shown in."""
    command.context_class = _Context
    for child in getattr(command, "commands", {}).values():
        fit_help(child)
