"""Opens outputs in the user's browser, where there is one to be seen."""

import sys

from flux_cli import interrupts
from flux_cli.models.task import Task
from flux_cli.output.sanitize import web_url
from flux_cli.runtime import Runtime


_MOST = 20  # tabs


class Browser:
    """Opens what tasks made; elsewhere than at a screen it prints the links."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._opened = 0

    def open(self, task: Task) -> None:
        """Open the outputs of `task`. Nothing but http and https is ever opened."""
        for output in task.outputs:
            link = web_url(output.url)
            if link is None:
                self._runtime.stderr.line(
                    f"flux: not opened, as it is not a web address: {output.url}"
                )
            elif not self._open(link):
                self._runtime.stderr.line(f"flux: open in a browser: {link}")

    def _open(self, link: str) -> bool:
        if self._opened >= _MOST or not has_screen(self._runtime):
            return False
        import webbrowser

        self._opened += 1
        try:
            with interrupts.cuttable():  # some browsers are waited for
                return webbrowser.open(link)
        except (OSError, webbrowser.Error):
            return False


def has_screen(runtime: Runtime) -> bool:
    """Tell whether a browser that opens can be seen: not over ssh, nor without a display."""
    environment = runtime.environment
    if any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
