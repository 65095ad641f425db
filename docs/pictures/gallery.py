"""Takes a picture of a contact sheet in a real browser: a part of `make pictures`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flux_cli.sandbox.server import TOKEN, Sandbox
from flux_cli.sandbox.store import TaskStore
from tests.support.browser import browse


PROMPTS = (
    "a lighthouse in a storm, oil on canvas",
    "isometric kitchen, soft shadows",
    "an astronaut reading in a library",
    "a prompt that is bound to fail",
    "street market in Lisbon, film grain, 35mm",
    "macro photo of a dandelion, soft light",
    "ink wash, a small boat in the mist",
    "poster for a jazz festival, two colours",
)


def main(picture: Path) -> None:
    """Save eight tasks from a sandbox, and photograph the page."""
    flux = Path(sys.executable).parent / "flux"
    store = TaskStore(seed=11, speed=1000.0, failure_rate=0.0)
    with Sandbox(store) as server, tempfile.TemporaryDirectory() as folder:
        ids = [
            store.submit({"prompt": prompt, "model": "flux-2-pro", "size": "1024x768"}).id
            for prompt in PROMPTS
        ]
        time.sleep(0.1)
        environment = {"FLUX_API_BASE_URL": server.base_url, "FLUX_API_TOKEN": TOKEN}
        command = [flux, "tasks", "download", "-q", "-d", folder, "--contact-sheet", *ids]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        with browse(Path(folder) / "index.html", width=1040, height=880) as view:
            view.page.screenshot(path=picture)


if __name__ == "__main__":
    main(Path(__file__).with_name("contact-sheet.png"))
