"""Requests out of prompts and options, or everything that is wrong with them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flux_cli.errors import InputError, UsageError
from flux_cli.input.plan import plan
from flux_cli.input.prompts import Prompt, read_prompts
from flux_cli.models.requests import RequestKind
from flux_cli.token import Token
from tests.support.program import CANARY


IMAGE, EDIT, VIDEO = RequestKind
URL = "https://x.example/1.png"


def prompts(*rows: Mapping[str, Any]) -> list[Prompt]:
    return [Prompt(row, {"n": str(n)}, f"in:{n}") for n, row in enumerate(rows, 1)]


def refusal(kind: RequestKind, rows: list[Prompt] | Iterator[Prompt], **defaults: Any) -> list[str]:
    """Return the lines of what is said against them."""
    with pytest.raises(InputError) as caught:
        plan(kind, rows, defaults)
    assert caught.value.hint.startswith("Nothing was sent")
    return [caught.value.message, *caught.value.more]


def test_a_field_of_its_own_wins_over_an_option() -> None:
    rows = prompts({"prompt": "a", "size": "16:9"}, {"prompt": "b", "size": " "})
    planned = plan(IMAGE, rows, {"size": "9:16", "model": "flux-pro", "count": None})
    assert [(each.body["size"], each.body["model"]) for each in planned] == [
        ("16:9", "flux-pro"),
        ("9:16", "flux-pro"),
    ]
    assert [(each.path, each.labels, each.place) for each in planned] == [
        ("/flux/images", {"n": "1"}, "in:1"),
        ("/flux/images", {"n": "2"}, "in:2"),
    ]


def test_one_picture_or_one_prompt_can_hold_for_all() -> None:
    one_picture = plan(EDIT, prompts({"prompt": "a"}, {"prompt": "b"}), {"image_url": URL})
    one_prompt = plan(EDIT, prompts({"image_url": URL}), {"prompt": "make it night"})
    assert [each.body["image_url"] for each in one_picture + one_prompt] == [URL] * 3


def test_five_prompts_that_are_wrong_are_named_and_the_others_counted() -> None:
    assert refusal(IMAGE, prompts({}, {"prompt": "a"}, *[{"prompt": "a", "count": 9}] * 1500)) == [
        "in:1: prompt is missing or empty",
        *(f"in:{n}: count 9 is not a whole number from 1 to 4" for n in range(3, 7)),
        "and 1,496 more",
    ]


@pytest.mark.parametrize(
    ("defaults", "message"),
    [
        ({"count": "9"}, '--count: count "9" is not a whole number from 1 to 4'),
        (
            {"image_url": URL},
            "--image-url: image_url goes with flux images edit, not with flux images generate",
        ),
    ],
)
def test_an_option_that_no_prompt_can_have_is_wrong_by_itself(
    defaults: dict[str, Any], message: str
) -> None:
    unread = iter(prompts({"prompt": "a"}))
    with pytest.raises(UsageError) as caught:
        plan(IMAGE, unread, defaults)
    assert caught.value.message == message
    assert len(list(unread)) == 1


def test_the_token_in_an_option_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        plan(EDIT, [], {"image_url": f"x{CANARY}"}, token=Token(CANARY))
    assert caught.value.message == "--image-url: this contains your API token"


def test_an_option_that_does_not_go_with_prompts_is_named_once() -> None:
    rows = prompts(
        {"prompt": "a", "model": "flux-2-pro"},
        {"prompt": "b"},
        {"prompt": "c", "model": "flux-2-pro"},
        {"prompt": "d", "model": "flux-2-max"},
    )
    first, second = refusal(IMAGE, rows, size="1024x1024")
    assert first.startswith('in:1: --size: size "1024x1024" is in pixels, which flux-2-pro does')
    assert second.startswith('in:4: --size: size "1024x1024" is in pixels, which flux-2-max does')


def test_prompts_are_read_and_planned_in_one_go(tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_text("prompt,size,who\na fox,16:09,me\n,,you\n")
    assert refusal(IMAGE, read_prompts(["a cat", ""], [str(file)], None)) == [
        "argument 2: prompt is missing or empty",
        f"{file}:3: prompt is missing or empty",
    ]
    with pytest.raises(InputError) as caught:
        plan(IMAGE, read_prompts(["-"], [], None), {})
    assert caught.value.hint == "Nothing was sent"


def test_what_ends_the_reading_comes_after_what_is_wrong_before_it() -> None:
    def cut() -> Iterator[Prompt]:
        yield from prompts({"prompt": "a"}, {"prompt": "b", "size": "big"})
        raise InputError("in:3: this is a task id, not a prompt", hint="Nothing was sent. See")

    first, second = refusal(IMAGE, cut())
    assert first.startswith('in:2: size "big" is not one of')
    assert second == "in:3: this is a task id, not a prompt"


def test_a_video_field_of_a_row_and_one_of_an_option_are_held_together() -> None:
    rows = prompts({"prompt": "a"}, {"draft_task_id": "a-1"})
    message = "duration does not go with mode draft_enhance, which takes it from the draft"
    assert refusal(VIDEO, rows, duration="10") == [f"in:2: --duration: {message}"]
