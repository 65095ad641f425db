"""A real browser without a window, which says what it loaded and what it complained about."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support import needs


@dataclass
class View:
    """A page that is open, the URLs it asked for, and what went wrong in it."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextlib.contextmanager
def browse(path: Path, *, width: int = 1280, height: int = 800) -> Iterator[View]:
    """Open the file at `path`."""
    needs.need("chromium")
    executable = needs.browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            channel=None if executable else "chrome",  # where systems keep it off the PATH
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        view = View(page)
        page.on("request", lambda request: view.asked.append(request.url))
        page.on("console", lambda message: view.complaints.append(message.text))
        page.on("pageerror", lambda error: view.complaints.append(str(error)))
        page.on("dialog", lambda dialog: view.complaints.append(dialog.message))
        page.goto(path.absolute().as_uri())
        page.wait_for_load_state("networkidle")
        yield view
        browser.close()
