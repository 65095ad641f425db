"""File names: plain, below the folder, unique, the same on every run."""

import re
import sys
import unicodedata
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flux_cli.models.file_names import NameTemplate
from flux_cli.models.media import Media
from flux_cli.models.state import State
from flux_cli.models.task import Output, Task


ID = "2db0168c-2373-4367-8d9a-9dc778802e8a"
DIGEST = r"[a-z2-7]{12}"


def make_task(task_id: str = ID, *, seed: float | None = 7, outputs: int = 2, **facts: Any) -> Task:
    task = Task(
        task_id,
        State.SUCCEEDED,
        0.0,
        created_at=1736304669.779,
        model="flux-dev",
        prompt="A red fox, 4K",
        outputs=tuple(Output("https://cdn.example/x", "image", seed=seed) for _ in range(outputs)),
        row=7,
        labels={"mood": "very calm", "My column": "x"},
    )
    return task._replace(**facts)


def name(template: str, task: Task | None = None, number: int = 1) -> str:
    return str(NameTemplate(template).path(task or make_task(), number, Media.PNG))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{id}_{n}.{ext}", f"{ID}_1.png"),
        ("{id}", f"{ID}.png"),
        ("{created:%Y-%m-%d}/{id}_{n:03}.{ext}", f"2025-01-08/{ID}_001.png"),
        ("{created}_{id}", f"2025-01-08_{ID}.png"),
        ("{model}/{prompt}_{seed}_{state}_{id}", f"flux-dev/A-red-fox-4K_7_succeeded_{ID}.png"),
        ("{ext}_{id}.{ext}", f"png_{ID}.png"),
        ("{{x}}_{id}", f"{{x}}_{ID}.png"),
        ("{row:03}_{label:mood}_{id}.{ext}", f"007_very-calm_{ID}.png"),
        ("{label:My column}/{row}_{id}", f"x/7_{ID}.png"),
    ],
)
def test_templates(template: str, expected: str) -> None:
    assert name(template) == expected


def test_a_name_without_id_gets_a_digest_of_it() -> None:
    first, second = name("{prompt}"), name("{prompt}", make_task("another-id"))
    assert re.fullmatch(rf"A-red-fox-4K_{DIGEST}\.png", first)
    assert first != second
    assert name("{prompt}", number=2) == first.removesuffix(".png") + "_2.png"


def test_unknown_values_have_a_word_for_it() -> None:
    task = make_task(seed=None, created_at=None, model=None, prompt=None)
    for foreign in (task._replace(row=None, labels=None), task._replace(row=None, labels={})):
        assert name("{row:03}_{label:mood}_{id}", foreign) == f"unknown_unknown_{ID}.png"
    assert name("{label:Mood}_{id}") == f"unknown_{ID}.png"
    assert name("{created}_{model}_{prompt}_{seed}_{id}", task) == (
        f"unknown_unknown_unknown_unknown_{ID}.png"
    )


def test_capitals_of_an_id_do_not_matter() -> None:
    assert name("{id}", make_task(ID.upper())) == f"{ID}.png"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("..\\..\\windows", "windows"),
        ("/absolute", "absolute"),
        ("~/.ssh/id_rsa", "ssh-id-rsa"),
        ("C:\\x:y", "C-x-y"),
        ("a\0b\nc\x1b[31m", "a-b-c-31m"),
        ("\u202egnp.exe", "gnp-exe"),
        ("...", "unknown"),
        ("-rf --", "rf"),
        ("山水画, ink wash", "山水画-ink-wash"),
        ("नमस्ते", "नमस्ते"),
        ("word " * 60, "-".join(["word"] * 12)),
        ("x" * 300, "x" * 60),
    ],
)
def test_prompts_become_something_a_file_system_likes(prompt: str, expected: str) -> None:
    assert name("{prompt}_{id}", make_task(prompt=prompt)) == f"{expected}_{ID}.png"


@pytest.mark.parametrize("device", ["CON", "nul", "Com1", "LPT9", "aux", "prn"])
def test_devices_are_no_names(device: str) -> None:
    path = name("{model}/{id}", make_task(model=device))
    assert path == f"_{device}/{ID}.png"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("", 'has an empty name, "." or ".." between its slashes'),
        ("../{id}", 'has an empty name, "." or ".."'),
        ("/x/{id}", "has an empty name"),
        ("{id}/..", "has an empty name"),
        ("a//{id}", "has an empty name"),
        ("{id}/./x", "has an empty name"),
        ("C:{id}", "contains ':', which is not allowed in file names"),
        ("a\\{id}", "contains '\\\\', which"),
        ("{id}\n", "contains '\\n', which"),
        ("{nope}", "has the unknown field {nope}; the fields are {id}, {n}, "),
        ("{id.__class__}", "has the unknown field {id.__class__}; the fields are"),
        ("{0}", "has the unknown field {0}; the fields are"),
        ("{}", "has the unknown field {}; the fields are"),
        ("{id!r}", "has a conversion: write {id}"),
        ("{row:x}", "has a format for {row} that is not a width"),
        ("{label}", "has a label without a name: write {label:NAME}"),
        ("{label:{id}}", "has a label without a name"),
        ("{label.mood}", "has the unknown field {label.mood}; the fields are {id}, {n}, "),
        ("{n:x}", "has a format for {n} that is not a width"),
        ("{model:>9}", "has a format for {model}, which takes none"),
        ("{id", "cannot be read"),
        ("{ext}/{id}", "has {ext} in a folder name"),
        ("x" * 400, "is longer than 300 characters"),
        ("{id}\udcff", "contains '\\udcff', which is not allowed in file names"),
    ],
)
def test_templates_that_cannot_be(template: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        NameTemplate(template)


TEXTS = st.text(max_size=400) | st.sampled_from(
    ["..", ".", "/", "\\", "con", "a/../../b", "\0", "{id}", "%2e%2e/", "\ud800", "é", "e\u0301"]
)
TEMPLATES = st.lists(
    st.sampled_from(
        [
            *("{id}", "{n}", "{created}", "{created:%D %T/%n}"),
            *("{model}", "{prompt}", "{seed}", "{state}", "{row}", "{row:03}", "{label:mood}"),
        ]
    ),
    min_size=1,
    max_size=6,
).flatmap(
    lambda fields: st.lists(
        st.sampled_from(["", "_", " ", ".", "/", "x"]), min_size=len(fields), max_size=len(fields)
    ).map(lambda gaps: "x".join(a + b for a, b in zip(fields, gaps, strict=True)) + "y")
)
SEEDS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128)


@given(TEMPLATES, TEXTS, TEXTS, TEXTS, SEEDS, IDS, st.integers(1, 20), st.sampled_from(Media))
def test_any_name_is_plain_and_below_the_folder(
    template: str,
    label: str,
    model: str,
    prompt: str,
    seed: float | None,
    task_id: str,
    number: int,
    media: Media,
) -> None:
    labels = {"mood": label}
    task = make_task(task_id, seed=seed, outputs=20, model=model, prompt=prompt, labels=labels)
    path = NameTemplate(template).path(task, number, media)
    assert path == NameTemplate(template).path(task, number, media)
    assert not path.is_absolute()
    assert len(path.parts) == template.count("/") - template.count("%T/") + 1
    assert path.suffix == f".{media}"
    for part in path.parts:
        assert part not in (".", "..")
        assert len(part.encode()) <= 220
        assert not re.search(r'[\x00-\x1f\x7f\\/<>:"|?*]', part)
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in part)
        assert part == part.strip(" ") and not part.endswith(".")  # noqa: PT018
        assert PurePosixPath(part).stem.casefold() not in ("con", "prn", "aux", "nul", "com1")


def folded(path: str) -> str:
    """Return what is one file where capitals and the spelling of accents make no difference."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


@given(TEMPLATES, st.lists(IDS, min_size=2, max_size=6, unique_by=str.lower))
def test_no_two_outputs_share_a_name(template: str, ids: list[str]) -> None:
    paths = [
        folded(name(template, make_task(task_id), number))
        for task_id in ids
        for number in (1, 2, 12)
    ]
    assert len(set(paths)) == len(paths)


def is_template(text: str) -> bool:
    try:
        NameTemplate(text)
    except ValueError:
        return False
    return True


DIGEST_OF_A = name("{id}", make_task("A")).removeprefix("A+").removesuffix(".png")
FIELDS = [
    *("{id}", "{id}", "{n}", "{n}", "{n:03}", "{n:3}", "{prompt}", "{model}", "{seed}", "{ext}"),
    *("{row}", "{row:9}", "{label:mood}"),
]
GAPS = ["", "", "_", "-", "+", "x", "1", " ", "~", "é", "e\u0301", "/", "=\u0338", "K", "A_", ". "]
TIGHT_TEMPLATES = (
    st.lists(st.sampled_from(FIELDS) | st.sampled_from(GAPS), min_size=1, max_size=7)
    .map("".join)
    .filter(is_template)
)
TIGHT_TEXTS = st.text("aA1-_+e\u0301", max_size=4) | st.sampled_from(
    ["2", DIGEST_OF_A, "con", "a-1", "x" * 70, "\U0001f600\U00020000" * 30]
)
TIGHT_TASKS = st.builds(
    make_task,
    st.text("aA1-_+", min_size=1, max_size=4)
    | st.sampled_from(["a", "A", "con", "task-1", "task-11", ID, DIGEST_OF_A, f"a-{DIGEST_OF_A}"]),
    seed=st.none() | st.integers(0, 12),
    prompt=TIGHT_TEXTS,
    model=TIGHT_TEXTS,
    row=st.none() | st.sampled_from([1, 11, 1111111111]),
    labels=st.none() | TIGHT_TEXTS.map(lambda text: {"mood": text}),
    outputs=st.just(30),
)


@settings(max_examples=300, deadline=None)
@given(TIGHT_TEMPLATES, TIGHT_TASKS, TIGHT_TASKS, st.integers(1, 30), st.integers(1, 30))
@example("{id}{n}", make_task("task-1"), make_task("task-11"), 11, 1)
@example("{n}{id}", make_task("1a"), make_task("a"), 1, 11)
@example("{id}1{n}", make_task("a"), make_task("a1"), 11, 1)
@example("{prompt}{id}", make_task("1", prompt="a1"), make_task("11", prompt="a"), 1, 1)
@example("{prompt}-{id}", make_task("c", prompt="a b"), make_task("b-c", prompt="a"), 1, 1)
@example("{id}_{prompt}", make_task("a", prompt=DIGEST_OF_A), make_task("A", prompt="2"), 2, 1)
@example("{id}_{seed}", make_task("a", seed=1), make_task("a", seed=2), 2, 1)
@example("{id}{id}", make_task("a"), make_task("aa"), 1, 1)
@example("{row}{n}", make_task("a", row=1), make_task("a", row=11), 11, 1)
@example("{label:mood}_{id}", make_task("a", labels={"mood": "a_a"}), make_task("a_a"), 1, 1)
@example("{seed}{n}", make_task("a", seed=1), make_task("a", seed=11), 11, 1)
def test_no_two_outputs_share_a_name_whatever_their_values(
    template: str, one: Task, other: Task, number: int, other_number: int
) -> None:
    """Task and number can be told from a name, in ids and templates made to run together."""
    is_same = (one.id, number) == (other.id, other_number)
    names = {folded(name(template, one, number)), folded(name(template, other, other_number))}
    assert is_same or len(names) == 2


def test_no_letter_becomes_a_separator() -> None:
    """The names are told apart by them, whatever a file system makes of letters."""
    template = NameTemplate("{prompt}/{id}")
    kept: set[str] = set()
    for start in range(0, sys.maxunicode, 16):
        prompt = "".join(f"a{chr(c)}" for c in range(start, start + 16))  # which fits into a name
        kept |= {*template.path(make_task(prompt=prompt), 1, Media.PNG).parts[0]}
    assert len(kept) > 100_000
    assert all(c.isalnum() or not c.isascii() or c == "-" for c in folded("".join(kept)))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{id}{n}", f"{ID}12_{DIGEST}_12"),
        ("{prompt}{id}_{n}", f"A-red-fox-4K{ID}_12_{DIGEST}"),
        ("{id}-{n}", f"{ID}-12"),
        ("{n:02}-{id}", f"12-{ID}"),
        ("{id}/{n:3}", f"{ID}/012"),
        ("{prompt}/{id}x", f"A-red-fox-4K/{ID}x_12"),
    ],
)
def test_what_a_template_does_not_tell_is_added(template: str, expected: str) -> None:
    assert re.fullmatch(rf"{expected}\.png", name(template, make_task(outputs=12), 12))


def test_what_is_too_long_gets_shorter_values_and_keeps_its_id() -> None:
    task = make_task(prompt="山" * 60, model="水" * 60)
    for template in ("{prompt}_{model}_{id}_{n}", "{id}_{n}_{model}_{prompt}"):
        path = name(template, task)
        assert f"{ID}_1" in path
        assert 150 < len(path.encode()) <= 204
