"""flux with typer's own completion, which starts Python at each TAB: what ours is compared with."""

from typer.main import get_command

from flux_cli.app import make_app


app = make_app()
app._add_completion = True  # noqa: SLF001 - flux has it switched off
get_command(app)(prog_name="flux", complete_var="_FLUX_COMPLETE")
