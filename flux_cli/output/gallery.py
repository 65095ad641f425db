"""The contact sheet: one static page that shows what was saved, and needs no network.

Every word of it that comes from the service is escaped text; the page's own
policy lets nothing run but its own script, which it names by its digest. The
page holds its cards as data, too, so that a later run adds to them: they are
read back as data and written anew, whatever somebody made of the markup.
"""

import base64
import contextlib
import hashlib
import html
import os
import shutil
import stat
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from flux_cli import interrupts
from flux_cli.errors import OutputError, UsageError
from flux_cli.models.ids import match_key
from flux_cli.models.state import State
from flux_cli.models.task import Task
from flux_cli.output.cards import LONGEST_TEXT, Card, cards_of, read_card
from flux_cli.output.sanitize import sanitize
from flux_cli.storage.atomic import whole_file


NAME = "index.html"
_MARK = '<meta name="generator" content="flux-tasks">'
_DATA = b'<script type="application/json" id="cards">\n'
_PATIENCE = 20.0  # seconds; whoever else has the page writes it once
_LONGEST_LINE = 1 << 20  # bytes of one that is read back
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
<input type="search" placeholder="Search prompts, labels, models, seeds" aria-label="Search">
<span id="count" role="status"></span>
</header>
<main>
"""
_TAIL = f"""</script>
<script>{_SCRIPT}</script>
</body>
</html>
"""


class ContactSheet:
    """Gathers tasks, and adds them to the page at the end.

    A page of somebody else's is never replaced. Cards wait in a file without a
    name, on the disk where the page will be: memory grows by a few bytes for
    each task alone.
    """

    def __init__(self, folder: Path, *, patience: float = _PATIENCE) -> None:
        """Raises UsageError where an `index.html` of another kind is in `folder`.

        While another process writes the page it is waited for, `patience` seconds at most.
        """
        self._patience = patience
        self._folder = folder
        self.path = folder / NAME
        self._check()
        with self._writing():
            self._cards = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as the sheet
        self._places: list[tuple[int, int]] = []  # of cards: the row of a run, and where they begin
        self._tasks: set[int] = set()  # hashes, as they are smaller than ids
        self._unsaved: set[int] = set()  # outputs of theirs
        self._failure: OSError | None = None

    def add(self, task: Task) -> None:
        """Add a card for each output of `task`, or one that says why there is none."""
        self._tasks.add(_task_key(task.id))
        try:
            for card in cards_of(task, self._folder):
                if card.path is None:
                    self._unsaved.add(_key(card))
                self._places.append((task.row or 0, self._cards.tell()))
                self._cards.write(card.line())
        except OSError as error:  # which `write` tells of
            self._failure = error

    def close(self) -> None:
        """Forget the cards."""
        with contextlib.suppress(OSError):
            self._cards.close()

    def write(self) -> None:
        """Write the page, with what it held before. Raises OutputError and UsageError.

        Of a task that came again the new cards are taken, but for an output that was
        saved before and is there. A card whose file has gone is dropped.
        """
        with (
            self._writing(),
            # nobody else changes the page from here on
            whole_file(
                self.path, patience=self._patience, waits_for_disk=interrupts.noted() is None
            ) as page,
            tempfile.TemporaryFile(dir=self._folder) as merged,
        ):
            if self._failure is not None:
                raise self._failure
            self._check()
            self._merge(merged)
            page.write(_HEAD.encode())
            for card in _cards_in(merged):
                page.write(_article(card).encode("utf-8"))
            page.write(b"</main>\n" + _DATA)
            merged.seek(0)
            shutil.copyfileobj(merged, page)
            page.write(_TAIL.encode())

    def _merge(self, merged: BinaryIO) -> None:
        kept: set[int] = set()
        for card in self._old_cards():
            if card.path is not None and not os.path.isfile(self._folder / card.path):  # noqa: PTH113 - false for any trouble
                continue
            if _task_key(card.id) in self._tasks:
                if card.path is None or _key(card) not in self._unsaved:
                    continue
                kept.add(_key(card))
            merged.write(card.line())
        for _, place in sorted(self._places):  # in the order of the prompts
            self._cards.seek(place)
            new = read_card(self._cards.readline())
            if new is not None and _key(new) not in kept:
                merged.write(new.line())

    def _old_cards(self) -> Iterator[Card]:
        """Yield the cards that the page holds; what is no card is passed over."""
        try:
            page = _open(self.path)
        except FileNotFoundError:
            return
        with page:
            lines = iter(lambda: page.readline(_LONGEST_LINE), b"")
            for line in lines:
                if line == _DATA:
                    yield from filter(None, map(read_card, lines))

    def _check(self) -> None:
        """Refuse to touch a page of another kind. Raises UsageError, OutputError."""
        try:
            with _open(self.path) as page:
                is_ours = _MARK.encode() in page.read(len(_HEAD.encode()))
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be read: {error.strerror}") from None
        if not is_ours:
            raise UsageError(
                f"{self.path}: was not written by flux, and was not replaced",
                hint="Move it away, or choose another folder",
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror}") from None


def _task_key(task_id: str) -> int:
    return hash(match_key(task_id))


def _key(card: Card) -> int:
    return hash((match_key(card.id), card.number))


def _cards_in(file: BinaryIO) -> Iterator[Card]:
    file.seek(0)
    return filter(None, map(read_card, file))


def _article(card: Card) -> str:
    facts = [
        f"<b>{_text(card.state.replace('_', ' '))}</b>",
        _text(card.model),
        f"seed {_text(card.seed)}" if card.seed else "",
        _text(card.size),
        _text(card.created),
        _text(card.id),
    ]
    labels = " · ".join(f"{_text(name)}: {_text(text)}" for name, text in card.labels.items())
    is_good = card.state == State.SUCCEEDED.value and card.path is not None and not card.error
    return (
        f'<article class="{"saved" if is_good else "failed"}">{_shot(card)}'
        f'<div class="text"><p class="prompt">{_text(card.prompt)}</p>'
        f'{f"""<p class="facts">{labels}</p>""" if labels else ""}'
        f'<p class="facts">{" · ".join(filter(None, facts))}</p></div></article>\n'
    )


def _shot(card: Card) -> str:
    """Return the picture or video, or why there is none."""
    if card.path is None:
        return f'<div class="shot none">{_text(card.error or card.state)}</div>'
    link = _link(card.path)
    if link.endswith((".mp4", ".webm")):
        film = f'<video src="{link}" controls preload="metadata"></video>'
        return f'<div class="shot">{film}</div>'
    return (
        f'<a class="shot" href="{link}"><img src="{link}" loading="lazy"'
        f' alt="{_text(card.prompt)}"></a>'
    )


def _link(path: str) -> str:
    """Return a relative link; it begins with a dot, so that no name can pass for a scheme."""
    return html.escape(f"./{urllib.parse.quote(path, errors='replace')}", quote=True)


def _text(text: str) -> str:
    return html.escape(sanitize(text[:LONGEST_TEXT]), quote=True)


def _open(path: Path) -> BinaryIO:
    """Open a regular file; a pipe of that name would keep who opens it waiting. Raises OSError."""
    stream = os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(0, "it is not a regular file")
    return stream
