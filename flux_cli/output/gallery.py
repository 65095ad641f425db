"""The contact sheet: one static page that shows what was saved, and needs no network.

Every word of it that comes from the service is escaped text; the page's own
policy lets nothing run but its own script, which it names by its digest.
"""

import base64
import hashlib
import html
import shutil
import tempfile
import urllib.parse
from pathlib import Path

from flux_cli.disk import whole_file
from flux_cli.errors import OutputError, UsageError
from flux_cli.output.records import rfc3339
from flux_cli.output.safe import safe_text
from flux_cli.tasks.state import State
from flux_cli.tasks.task import File, Output, Task


NAME = "index.html"
_MARK = '<meta name="generator" content="flux-tasks">'
_LONGEST_TEXT = 5000  # characters of one prompt or error
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --dim: #777; --bad: #c33; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 100rem; padding: 1rem; font: 15px/1.4 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; }
header { position: sticky; top: 0; padding: .5rem 0 1rem; background: Canvas; z-index: 1; }
h1 { margin: 0; font-size: 1.2rem; }
input { flex: 1 1 14rem; max-width: 30rem; padding: .4rem .7rem; font: inherit; }
input { border: 1px solid var(--line); border-radius: .5rem; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
article { border: 1px solid var(--line); border-radius: .7rem; overflow: hidden; }
article[hidden] { display: none; }
.shot { display: block; aspect-ratio: 1; background: #8882; }
.shot img, .shot video { display: block; width: 100%; height: 100%; object-fit: cover; }
.none { display: grid; place-items: center; padding: 1rem; color: var(--bad); }
.none { overflow: auto; overflow-wrap: anywhere; text-align: center; }
.text { padding: .6rem .8rem; overflow-wrap: anywhere; }
.prompt { margin: 0; max-height: 4.2em; overflow: auto; }
.facts { margin: .3rem 0 0; color: var(--dim); font-size: .85rem; }
.failed .facts b { color: var(--bad); }
"""
_SCRIPT = """
const box = document.querySelector("input"), count = document.querySelector("#count");
const cards = [...document.querySelectorAll("article")];
const texts = cards.map(card => card.textContent.toLowerCase());
function filter() {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  cards.forEach((card, i) => {
    card.hidden = !words.every(word => texts[i].includes(word));
    shown += !card.hidden;
  });
  count.textContent = `${shown} of ${cards.length}`;
}
box.addEventListener("input", filter);
filter();
"""


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_POLICY = (
    "default-src 'none'; img-src 'self' file:; media-src 'self' file:; base-uri 'none';"
    f" form-action 'none'; style-src 'sha256-{_digest(_STYLE)}';"
    f" script-src 'sha256-{_digest(_SCRIPT)}'"
)
_HEAD = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
{_MARK}
<title>Contact sheet</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Contact sheet</h1>
<input type="search" placeholder="Search prompts, models, seeds, states" aria-label="Search">
<span id="count" role="status"></span>
</header>
<main>
"""
_TAIL = f"""</main>
<script>{_SCRIPT}</script>
</body>
</html>
"""


class ContactSheet:
    """Gathers tasks, and writes the page at the end; a page of somebody else's is never replaced.

    Cards wait in a file without a name: memory does not grow with them.
    """

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where an `index.html` of another kind is in `folder`."""
        self._folder = folder
        self.path = folder / NAME
        if self.path.exists() and not self._is_ours():
            raise UsageError(
                f"{self.path}: this is not a contact sheet of flux, and is not replaced",
                hint="Move it away, or name another folder with --dir",
            )
        self._cards = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the sheet

    def add(self, task: Task) -> None:
        """Add a card for each output of `task`, or one that says why there is none."""
        for output in task.outputs or (None,):
            self._cards.write(self._card(task, output).encode("utf-8"))

    def close(self) -> None:
        """Forget the cards."""
        self._cards.close()

    def write(self) -> None:
        """Write the page. Raises OutputError."""
        self._cards.seek(0)
        try:
            with whole_file(self.path) as page:
                page.write(_HEAD.encode())
                shutil.copyfileobj(self._cards, page)
                page.write(_TAIL.encode())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _is_ours(self) -> bool:
        try:
            with self.path.open("rb") as page:
                return _MARK.encode() in page.read(len(_HEAD.encode()))
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be read: {error.strerror}") from None

    def _card(self, task: Task, output: Output | None) -> str:
        file = output.file if output is not None else None
        facts = [
            f"<b>{_text(task.state.value.replace('_', ' '))}</b>",
            _text(task.model),
            f"seed {_text(str(output.seed))}" if output and output.seed is not None else "",
            _text(task.size),
            _text((rfc3339(task.created_at) or "")[:10]),
            _text(task.id),
        ]
        is_good = task.state is State.SUCCEEDED and file is not None and file.error is None
        return (
            f'<article class="{"saved" if is_good else "failed"}">{self._shot(task, file)}'
            f'<div class="text"><p class="prompt">{_text(task.prompt)}</p>'
            f'<p class="facts">{" · ".join(filter(None, facts))}</p></div></article>\n'
        )

    def _shot(self, task: Task, file: File | None) -> str:
        """Return the picture or video, or why there is none."""
        if file is None or file.path is None:
            error = file.error if file is not None else task.error
            words = [error.code, error.message] if error else [task.state.value]
            return f'<div class="shot none">{_text(": ".join(filter(None, words)))}</div>'
        link = _link(Path(file.path).relative_to(self._folder))
        if file.path.endswith((".mp4", ".webm")):
            film = f'<video src="{link}" controls preload="metadata"></video>'
            return f'<div class="shot">{film}</div>'
        return (
            f'<a class="shot" href="{link}"><img src="{link}" loading="lazy"'
            f' alt="{_text(task.prompt)}"></a>'
        )


def _link(path: Path) -> str:
    """Return a relative link; it begins with a dot, so that no name can pass for a scheme."""
    return html.escape(f"./{urllib.parse.quote(path.as_posix())}", quote=True)


def _text(text: str | None) -> str:
    return html.escape(safe_text((text or "")[:_LONGEST_TEXT]), quote=True)
