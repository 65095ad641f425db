"""The contact sheet is built from what is in the folder: a later run adds to it."""

import html
import json
import multiprocessing
import os
import re
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.errors import OutputError, UsageError
from flux_cli.models.state import State
from flux_cli.models.task import File, Output, Task, TaskError
from flux_cli.output.cards import Card, read_card
from flux_cli.output.gallery import ContactSheet
from flux_cli.storage.atomic import open_partial, partial_path


def saved(folder: Path, task_id: str, *, outputs: int = 1, prompt: str = "a fox") -> Task:
    """Return a task whose outputs are files in `folder`."""
    files = []
    for number in range(1, outputs + 1):
        path = folder / f"{task_id}_{number}.png"
        path.write_bytes(b"x")
        files.append(File(str(path), 1, "0", is_new=True))
    return task(task_id, *files, prompt=prompt)


def task(task_id: str, *files: File, prompt: str = "a fox", state: State = State.SUCCEEDED) -> Task:
    outputs = tuple(Output("https://files.example/x", "image", file=file) for file in files)
    return Task(task_id, state, 0.0, prompt=prompt, outputs=outputs)


def unsaved(why: str) -> File:
    return File(None, None, None, is_new=False, error=TaskError("not_saved", why))


def write(folder: Path, *tasks: Task) -> None:
    """Write the sheet as one run does."""
    sheet = ContactSheet(folder)
    for each in tasks:
        sheet.add(each)
    sheet.write()
    sheet.close()


def shown(folder: Path) -> list[tuple[str, str]]:
    """Return the picture, or the reason for none, and the id of each card, as markup has them."""
    page = (folder / "index.html").read_text()
    return [
        (html.unescape(re.search(r'src="\./([^"]*)"|"shot none">([^<]*)', card)[0]), task_id)  # type: ignore[index]
        for card, task_id in re.findall(r"<article (.*) · ([^ ]*)</p></div></article>\n", page)
    ]


def pictures(folder: Path) -> list[str]:
    return [shot[7:-1] if shot.startswith("src=") else shot[12:] for shot, _ in shown(folder)]


def test_a_second_run_adds_to_the_page(tmp_path: Path) -> None:
    write(tmp_path, saved(tmp_path, "a", outputs=2), task("b", state=State.FAILED))
    write(tmp_path, saved(tmp_path, "c"))
    write(tmp_path)
    assert pictures(tmp_path) == ["a_1.png", "a_2.png", "failed", "c_1.png"]
    assert [task_id for _, task_id in shown(tmp_path)] == ["a", "a", "b", "c"]
    assert os.listdir(tmp_path).count("index.html") == 1  # noqa: PTH208
    assert len(list(tmp_path.iterdir())) == 4


def test_what_came_again_is_shown_once_as_it_is_now(tmp_path: Path) -> None:
    write(
        tmp_path,
        task("a", unsaved("interrupted")),
        saved(tmp_path, "b", outputs=2, prompt="old"),
        saved(tmp_path, "c"),
        task("d", state=State.PROCESSING),
        saved(tmp_path, "e"),
    )
    (tmp_path / "c_1.png").unlink()
    again = File(str(tmp_path / "b_1.png"), 1, "0", is_new=False)
    write(
        tmp_path,
        saved(tmp_path, "a"),
        task("b", again, unsaved("interrupted"), prompt="new"),
        saved(tmp_path, "d"),
    )
    assert pictures(tmp_path) == ["b_2.png", "e_1.png", "a_1.png", "b_1.png", "d_1.png"]
    text = (tmp_path / "index.html").read_text()
    assert text.count('"prompt">old<') == 1


def test_capitals_of_an_id_do_not_matter(tmp_path: Path) -> None:
    task_id = "2db0168c-2373-4367-8d9a-9dc778802e8a"
    write(tmp_path, saved(tmp_path, task_id))
    write(tmp_path, saved(tmp_path, task_id.upper()))
    assert len(shown(tmp_path)) == 1


FORGED = {
    "id": "x", "number": 1, "state": "succeeded", "prompt": "<script>p</script>", "model": "",
    "seed": "", "size": "", "created": "", "path": "good.png", "error": "",
}  # fmt: skip


CHANGES: list[tuple[str, list[object]]] = [
    ("path", ["../x.png", "/x.png", "a/../../x", "a:b", "a\\b", "", 1, [], "gone.png"]),
    ("number", [0, -1, True, 1.5, "1", None, 1 << 70]),
    ("state", ["<b>", "", None, []]),
    ("prompt", [None, 5, ["x"], "x" * 5001]),
    ("id", [{}]),
    ("labels", [None, [], {"a": 1}, {"a": "x" * 201}, {"a" * 201: ""}, {"a": {}}]),
    ("labels", [{str(number): "" for number in range(51)}]),
    ("more", [1]),
]


@pytest.mark.parametrize(
    "change", [{name: value} for name, values in CHANGES for value in values], ids=repr
)
def test_what_somebody_wrote_into_the_page_is_data_or_nothing(
    tmp_path: Path, change: dict[str, object]
) -> None:
    (tmp_path / "good.png").write_bytes(b"x")
    (tmp_path.parent / "x.png").write_bytes(b"x")
    write(tmp_path, saved(tmp_path, "a"))
    page = tmp_path / "index.html"
    lines = [json.dumps(FORGED), json.dumps(FORGED | {"id": "y"} | change)]
    lines += ["nonsense", "[" * 100_000, "{}", "null", '{"id":', "x" * (3 << 20), "\ufeff\xff"]
    data = '<script type="application/json" id="cards">\n'
    text = page.read_text().replace(data, data + "\n".join(lines) + "\n")
    page.write_text(text.replace("<main>", "<main><img src=x onerror=alert(1)>"))
    write(tmp_path, saved(tmp_path, "b"))
    assert pictures(tmp_path) == ["good.png", "a_1.png", "b_1.png"]
    text = page.read_text()
    assert "onerror" not in text
    assert "<script>p" not in text
    assert "&lt;script&gt;p" in text
    assert text.count("<script") == text.count("</script>") == 2


def test_labels_are_shown_below_the_prompt_and_kept(tmp_path: Path) -> None:
    labels = {"<b>": "<script>", "mood": "calm" * 100, **dict.fromkeys(map(str, range(60)), "x")}
    write(tmp_path, saved(tmp_path, "a")._replace(row=1, labels=labels))
    write(tmp_path, saved(tmp_path, "b"))
    text = (tmp_path / "index.html").read_text()
    shown = f'<p class="facts">&lt;b&gt;: &lt;script&gt; · mood: {"calm" * 50} · 0: x · '
    assert text.count(f'<p class="prompt">a fox</p>{shown}') == 1
    assert "47: x</p>" in text
    assert "48: x" not in text


def test_the_pictures_of_a_run_are_in_the_order_of_its_prompts(tmp_path: Path) -> None:
    write(tmp_path, *(saved(tmp_path, f"t-{row}")._replace(row=row) for row in (3, 1, 10, 2)))
    assert [task_id for _, task_id in shown(tmp_path)] == ["t-1", "t-2", "t-3", "t-10"]


def test_half_a_page_keeps_what_it_has(tmp_path: Path) -> None:
    write(tmp_path, *(saved(tmp_path, name) for name in "abc"))
    page = tmp_path / "index.html"
    text = page.read_bytes()
    page.write_bytes(text[: text.rindex(b'{"id": "c"') + 20])
    write(tmp_path, saved(tmp_path, "d"))
    assert pictures(tmp_path) == ["a_1.png", "b_1.png", "d_1.png"]


TEXTS = st.text(max_size=20) | st.sampled_from(["</script>", "<!--<script>", "\ud800", "\u2028\n"])


@given(
    st.builds(
        Card,
        *(TEXTS, st.integers(1, 99), st.just("failed"), *[TEXTS] * 5, st.none(), TEXTS),
        st.dictionaries(TEXTS, TEXTS, max_size=5),
    )
)
def test_a_card_is_read_as_it_was_written(card: Card) -> None:
    line = card.line()
    assert read_card(line) == card
    assert b"<" not in line
    assert line.count(b"\n") == 1


@given(st.binary(max_size=60))
def test_any_line_is_read_without_an_error(line: bytes) -> None:
    assert read_card(line) is None


def _add_some(folder: Path, worker: int) -> None:
    for number in range(8):
        write(folder, saved(folder, f"{worker}-{number}"))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add_some, args=(tmp_path, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sorted(pictures(tmp_path)) == sorted(
        f"{w}-{n}_1.png" for w in range(4) for n in range(8)
    )


def test_another_process_that_never_ends_is_not_waited_for(tmp_path: Path) -> None:
    sheet = ContactSheet(tmp_path, patience=0.05)
    with (
        open_partial(partial_path(tmp_path / "index.html"), wait=time.sleep),
        pytest.raises(OutputError, match="another flux is writing"),
    ):
        sheet.write()
    sheet.close()


def test_a_pipe_where_the_page_belongs_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "index.html")
    with pytest.raises(OutputError, match="it is not a regular file"):
        ContactSheet(tmp_path)


def test_a_page_of_somebody_else_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    sheet = ContactSheet(tmp_path)
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(UsageError, match="was not written by flux"):
        sheet.write()
    sheet.close()
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_disk_that_is_full_is_told_of_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, saved(tmp_path, "a"))
    before = (tmp_path / "index.html").read_bytes()
    with Path("/dev/full").open("w+b", buffering=0) as full:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "TemporaryFile", lambda **_: full)
            sheet = ContactSheet(tmp_path)
        sheet.add(saved(tmp_path, "b"))
        with pytest.raises(OutputError, match=r"index\.html: cannot be written: No space left"):
            sheet.write()
    assert (tmp_path / "index.html").read_bytes() == before


def test_memory_does_not_grow_with_what_is_on_the_page(tmp_path: Path) -> None:
    def some(start: int) -> Iterator[Task]:
        return (saved(tmp_path, f"{n}", prompt=f"{n}" * 900) for n in range(start, start + 300))

    write(tmp_path, *some(0))
    tracemalloc.start()
    try:
        sheet = ContactSheet(tmp_path)
        for each in some(300):
            sheet.add(each)
        sheet.write()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    sheet.close()
    assert len(shown(tmp_path)) == 600
    assert (tmp_path / "index.html").stat().st_size > 2_000_000
    assert peak < 1_500_000
