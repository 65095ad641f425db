"""The card of one task: golden at three widths, and what it says in each state."""

import io
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyte
import pytest

from flux_cli.models.state import State
from flux_cli.models.task import Task, no_answer, not_found, parse_task
from flux_cli.output.card import CardWriter
from flux_cli.output.next_steps import next_step
from flux_cli.output.terminal import Stdout
from tests.end_to_end.test_widths import compare
from tests.support.records import failed, finished, make_ids, running


ID = make_ids(1)[0]
NOW = 1736304669.779 + 3600
PROMPT = (
    "a lighthouse in a storm at dusk, oil painting, thick brush strokes, a ship in the distance"
    " that leaves the harbour, 85 mm, 山水画, muted greens and a single orange fish\nno people"
)
HOSTILE = "\x1b[2J\x1b]0;owned\x07\r✓ succeeded  forged\n\x9b5A\u202e\x1b]8;;http://evil/\x1b\\"


class Screen(io.TextIOWrapper):
    """A terminal that nobody looks at."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8")

    def isatty(self) -> bool:
        return True

    @property
    def written(self) -> str:
        return self._bytes.getvalue().decode()


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def draw(*tasks: Task, columns: int = 80) -> tuple[list[str], str]:
    """Return the lines that an emulated terminal shows, and what was sent to it."""
    screen = Screen()
    writer = CardWriter(Stdout(screen, {"COLUMNS": str(columns)}), now=lambda: NOW, program="flux")
    assert writer.write(tasks) == len(tasks)
    writer.close()
    emulated = pyte.Screen(columns, 200)
    pyte.Stream(emulated).feed(screen.written.replace("\n", "\r\n"))
    lines = [line.rstrip() for line in emulated.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines, screen.written


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_what_is_to_be_copied_is_never_broken(columns: int) -> None:
    long = f"https://x/{'very-' * 20}long.png?signature=%2B"
    data = [{"image_url": long}, {"image_url": f"ftp://x/{'a b ' * 40}"}]
    task = parsed(finished(ID, response={"success": True, "data": data}))
    lines, sent = draw(task, columns=columns)
    texts = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", sent).splitlines()
    assert long in [text.strip().rpartition(" ")[2] for text in texts]
    assert f"flux tasks download {ID}" in [text.strip() for text in texts]
    others = [text for text in texts if long not in text and "flux tasks" not in text]
    assert all(len(text) <= columns for text in others)  # also of what is no link
    assert lines


def parsed(record: dict[str, Any]) -> Task:
    return parse_task(ID, record, NOW)


def full() -> dict[str, Any]:
    """Return the record of a task of which everything is known."""
    request = {"action": "generate", "model": "flux-dev", "prompt": PROMPT, "size": "1024x1024"}
    url = f"https://platform2.cdn.acedata.cloud/flux/{ID}"
    data = [
        {"image_url": f"{url}-1.png", "seed": 281520112, "width": 1024, "height": 1024},
        {"video_url": f"{url}-2.mp4", "seconds": 8},
    ]
    cost = {"amount": 0.216, "currency": "credit"}
    return finished(ID, request=request, response={"success": True, "data": data, "cost": cost})


CARDS: dict[str, Callable[[], dict[str, Any]]] = {
    "of a success": full,
    "of a failure": lambda: failed(ID) | {"request": full()["request"]},
    "of a refusal": lambda: failed(ID, "forbidden", "the prompt was refused by moderation " * 3),
    "of a running task": lambda: running(ID) | {"request": full()["request"]},
}


@pytest.mark.parametrize("columns", [120, 80, 40])
@pytest.mark.parametrize("name", CARDS)
def test_the_card(name: str, columns: int) -> None:
    lines, _ = draw(parsed(CARDS[name]()), columns=columns)
    assert all(len(line) <= columns for line in lines)
    compare(f"card {name}, {columns} columns", lines)


def test_times_are_those_of_each_phase() -> None:
    def facts(task: Task) -> dict[str, str]:
        lines, _ = draw(task)
        return {line.split("  ")[0]: line.split("  ", 1)[1] for line in lines if "  " in line}

    waiting = facts(parsed({"id": ID, "created_at": NOW - 90}))
    assert waiting["waited"].strip() == "1m 30s so far"
    assert "ran" not in waiting
    processing = facts(parsed({"id": ID, "created_at": NOW - 90, "started_at": NOW - 60}))
    assert (processing["waited"].strip(), processing["runs"].strip()) == ("30s", "1m 00s so far")
    done = facts(parsed(finished(ID)))
    assert (done["waited"].strip(), done["ran"].strip()) == ("0.1s", "9.6s")


OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;(id=\d+;https://x/[!-~]*|;)\x1b\\")


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_hostile_text_moves_and_colours_nothing_and_forges_no_fact(columns: int) -> None:
    request = dict.fromkeys(("action", "model", "prompt", "size"), HOSTILE)
    data = [{"image_url": f"https://x/{HOSTILE}"}, {"image_url": HOSTILE}]
    cost = {"amount": 1, "currency": HOSTILE}
    good = finished(
        ID,
        request=request,
        trace_id=HOSTILE,
        response={"success": True, "data": data, "cost": cost},
    )
    bad = failed(ID, HOSTILE, HOSTILE) | {"request": request, "trace_id": HOSTILE}
    labels = {HOSTILE: HOSTILE}
    tasks = (parsed(record)._replace(labels=labels) for record in (good, bad))
    lines, sent = draw(*tasks, columns=columns)
    assert "\x1b" not in OURS.sub("", sent)
    assert not re.search("[\x07\x9b\u202e\r]", sent)
    assert sum(line.startswith("✓") for line in lines) == 1
    assert sum(line.startswith("✗") for line in lines) == 1


def test_only_links_of_the_web_are_links() -> None:
    data = [{"image_url": "javascript:alert(1)"}, {"image_url": "https://x/a b\u202e.png"}]
    _, sent = draw(parsed(finished(ID, response={"success": True, "data": data})))
    assert sent.count("\x1b]8;id=") == 1
    assert ";https://x/a%20b%E2%80%AE.png\x1b\\" in sent
    assert "javascript:alert(1)" in sent


@pytest.mark.parametrize(
    ("code", "helps", "is_sent_again"),
    [
        ("forbidden", "change the prompt", False),
        ("api_error", "Retry it", True),
        ("timeout", "Retry it", True),
        ("used_up", "Top up", True),
        ("bad_request", "Correct what the error names", False),
        ("never_seen_before", "give support the trace id", False),
    ],
)
def test_a_failed_task_ends_with_what_helps(code: str, helps: str, is_sent_again: bool) -> None:
    step = next_step(parsed(failed(ID, code)), "flux")
    assert helps in step.text
    assert bool(step.commands) == is_sent_again


@pytest.mark.parametrize("columns", [40, 80])
def test_a_prompt_of_a_run_that_brought_no_id_has_its_labels_and_a_next_step(columns: int) -> None:
    labels = {"animal": "fox", "mood": "calm"}
    task = Task("", State.UNKNOWN, NOW, prompt="a fox", row=3, labels=labels)
    lines, _ = draw(task, task._replace(state=State.FAILED), columns=columns)
    text = " ".join(" ".join(lines).split())
    assert lines[0].split()[1:] == ["unknown", "-"]
    assert "labels animal: fox mood: calm" in text
    assert text.count("Run the command that submitted it again") == 2
    assert "again with --retry-refused." in text


def test_every_state_has_a_next_step() -> None:
    tasks = [
        parsed(finished(ID)),
        parsed(running(ID)),
        parsed({"id": ID}),
        not_found(ID, NOW),
        no_answer(ID, code="no_answer", message="no", observed_at=NOW),
        parsed(failed(ID) | {"trace_id": None}),
    ]
    assert {task.state for task in tasks} == set(State)
    assert all(next_step(task, "flux").text for task in tasks)


def test_an_id_cannot_be_read_as_an_option_or_by_a_shell() -> None:
    for task_id, word in (("-rf1", " -- -rf1"), ("a1;reboot", " 'a1;reboot'")):
        task = not_found(task_id, NOW)
        step = next_step(parse_task(task_id, {"id": task_id}, NOW), "flux")
        assert task.id == task_id
        assert step.commands[0].endswith(word)
