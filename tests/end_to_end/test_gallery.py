"""The contact sheet, in a real browser: it shows, it searches, and nothing in it acts."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Sandbox
from tests.support.browser import View, browse
from tests.support.fault_server import FaultServer, Request, Script, Step, reply
from tests.support.media import FILES
from tests.support.pictures import whole
from tests.support.program import Program
from tests.support.records import batch, failed, finished, make_ids


Start = Callable[[Script], FaultServer]
IDS = make_ids(7)
PROMPTS = [
    "a red fox",
    "a blue <b id='injected'>whale</b><script>document.title = 'injected'</script>",
    '"><img src=https://example.com/tracker.png onerror="document.title = \'injected\'">',
    "</main></body><iframe src='https://example.com/'></iframe><style>*{display:none}</style>",
    "{{constructor}} &lt;i&gt; \u202e\x1b[31m ]]> <!--",
]
ERROR = "<img src=x onerror=document.title='injected'> filtered"


def script(request: Request) -> list[Step]:
    """Serve five pictures with prompts of all sorts, one failed task, one expired link."""
    if request.path == "/gone":
        return [reply(404, b"")]
    if request.path == "/film":
        return [reply(200, FILES["mp4"])]  # type: ignore[index]
    if request.path != "/flux/tasks":
        return whole(request)
    base = f"http://{request.headers['host']}"

    def good(task_id: str, prompt: str, path: str) -> dict[str, object]:
        outputs = [{"image_url": f"{base}/{path}", "seed": 4711}]
        return finished(
            task_id,
            request={"model": "flux-dev", "prompt": prompt},
            response={"success": True, "data": outputs},
        )

    items = [good(i, prompt, "x") for i, prompt in zip(IDS, PROMPTS, strict=False)]
    items[4] = good(IDS[4], PROMPTS[4], "film")
    items += [failed(IDS[5], "bad_request", ERROR), good(IDS[6], "an old one", "gone")]
    return [reply(200, batch(items))]


@pytest.fixture
def view(flux: Program, service: Start) -> Iterator[View]:
    """A contact sheet in folders, and with names that need care, open in a browser."""
    service(script)
    records = [
        {
            "id": i,
            "observed_at": "2026-11-20T10:00:00Z",
            "row": n,
            "label": {PROMPTS[1]: f"mood-{n}"},
        }
        for n, i in enumerate(IDS, 1)
    ]
    flux(
        *("tasks", "download", "-d", "out #1 100%?", "--contact-sheet"),
        *("--name", "{model} & 'co'/{prompt} #{n}%20"),
        stdin="\n".join(map(json.dumps, records)),
    ).expect(ExitCode.OUTPUT, stderr="1 expired")
    with browse(flux.folder / "out #1 100%?" / "index.html") as shown:
        yield shown


def test_pictures_load(view: View) -> None:
    assert view.page.locator("img").count() == 4
    widths = view.page.evaluate(
        "Promise.all([...document.images].map(async i => {i.loading = 'eager';"
        " await i.decode(); return i.naturalWidth}))"
    )
    assert widths == [64] * 4
    assert view.page.locator("video").count() == 1


def test_nothing_acts_and_nothing_leaves_the_machine(view: View, flux: Program) -> None:
    page = view.page
    page.wait_for_timeout(300)
    folder = flux.folder.absolute().as_uri()
    assert [url for url in view.asked if not url.startswith(folder)] == []
    assert page.title() == "Contact sheet"
    assert page.locator("#injected, iframe, main style, main script, main b[id]").count() == 0
    assert [line for line in view.complaints if "Content Security" in line] == []
    prompts = page.locator(".prompt").all_inner_texts()
    assert prompts[:4] == PROMPTS[:4]
    assert "\u202e" not in prompts[4]


def test_the_policy_stops_what_should_ever_slip_through(view: View) -> None:
    """Not even markup that somebody puts into the page runs or loads."""
    view.page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend',"
        " `<img src='https://example.com/t.png' onerror='document.title=1'>"
        "<iframe src='https://example.com/'></iframe>`)"
    )
    view.page.wait_for_timeout(300)
    assert view.page.title() == "Contact sheet"
    assert sum("Content Security Policy" in line for line in view.complaints) >= 2


def test_the_search_filters(view: View) -> None:
    page = view.page
    assert page.locator("#count").inner_text() == "7 of 7"
    hits = {
        "fox": 1,
        "FOX red": 1,
        "4711": 6,
        "failed": 1,
        "mood": 7,
        "mood-3": 1,
        "no such": 0,
        "": 7,
    }
    for text, count in hits.items():
        page.locator("input").fill(text)
        assert page.locator("article:visible").count() == count, text
        assert page.locator("#count").inner_text() == f"{count} of 7"


def test_what_failed_says_why(view: View) -> None:
    boxes = view.page.locator(".none").all_inner_texts()
    assert boxes == [f"bad_request: {ERROR}", "expired: the link has expired (HTTP 404)"]
    assert view.page.locator("article.failed").count() == 2


def test_links_lead_to_the_files(view: View) -> None:
    with view.page.expect_navigation(url=re.compile("a-red-fox")):
        view.page.locator("a.shot").first.click()
    assert Path(view.page.url).suffix == ".png"


def test_a_second_run_adds_to_the_page(view: View, flux: Program) -> None:
    """What was shown is shown still, the expired one anew, and all of it is as sanitized."""
    page = view.page
    before = page.locator(".prompt").all_inner_texts()
    flux(
        *("tasks", "download", "-d", "out #1 100%?", "--contact-sheet"),
        *("--name", "{model} & 'co'/{prompt} #{n}%20", IDS[6]),
    ).expect(ExitCode.OUTPUT, stderr="1 expired")
    page.reload()
    assert page.locator("#count").inner_text() == "7 of 7"
    assert page.locator(".prompt").all_inner_texts() == before
    assert page.locator("img").count() == 4
    assert page.title() == "Contact sheet"
    assert page.locator("#injected, iframe, main style, main script, main b[id]").count() == 0
    assert [line for line in view.complaints if "Content Security" in line] == []
    assert '"number"' not in page.inner_text("body")


def test_from_prompts_to_a_gallery_in_one_command(
    flux: Program, sandbox: Callable[..., Sandbox]
) -> None:
    server = sandbox()
    words = ["dawn", "noon", "dusk"]
    rows = "".join(f"a fox at {word},{word}\n" for word in words)
    (flux.folder / "prompts.csv").write_text(f"prompt,scene\n{rows}")
    options = ("--download", "pictures", "--contact-sheet", "--rate", "500", "--interval", "1")
    flux("images", "generate", "-f", "prompts.csv", *options).expect(ExitCode.OK)
    assert server.accepted == 3
    with browse(flux.folder / "pictures" / "index.html") as view:
        shown = view.page.locator("article:visible").all_inner_texts()
        assert [word for text in shown for word in words if f"a fox at {word}" in text] == words
        pictures = view.page.locator("article img")
        widths = pictures.evaluate_all("all => all.map(picture => picture.naturalWidth)")
        assert len(widths) == 3
        assert all(width > 0 for width in widths)
        view.page.locator("input").fill("noon")
        assert view.page.locator("article:visible").count() == 1
