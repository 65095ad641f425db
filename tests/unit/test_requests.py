"""The body of each kind of submission; held against what the sandbox accepts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.errors import FieldError
from flux_cli.models.requests import RequestKind, fields_of, make_body, parse, unknown_model
from flux_cli.sandbox.submissions import complaint_about_image, complaint_about_video


IMAGE, EDIT, VIDEO = RequestKind
URL = "https://x.example/1.png"
COMPLAINTS = {
    IMAGE: complaint_about_image,
    EDIT: complaint_about_image,
    VIDEO: complaint_about_video,
}


@pytest.mark.parametrize(
    ("kind", "fields", "body"),
    [
        (
            IMAGE,
            {"callback_url": URL, "count": "2", "prompt": " a fox ", "size": "", "model": None},
            {
                "action": "generate",
                "model": "flux-dev",
                "prompt": "a fox",
                "size": "1:1",
                "count": 2,
                "async": True,
                "callback_url": URL,
            },
        ),
        (
            EDIT,
            {"image_url": URL, "prompt": "make it night", "model": "flux-kontext-pro"},
            {
                "action": "edit",
                "model": "flux-kontext-pro",
                "prompt": "make it night",
                "size": "1:1",
                "image_url": URL,
                "async": True,
            },
        ),
        (
            VIDEO,
            {
                "generate_audio": "false",
                "safety_tolerance": "3",
                "keyframes": f"0={URL} 4={URL}",
                "prompt": "it runs",
                "duration": "10",
                "size": "",
            },
            {
                "action": "generate",
                "model": "flux-3",
                "mode": "i2v",
                "prompt": "it runs",
                "keyframes": [[0, URL], [4, URL]],
                "duration": 10,
                "generate_audio": False,
                "safety_tolerance": 3,
                "async": True,
            },
        ),
    ],
)
def test_a_body_has_its_types_its_defaults_and_one_order(
    kind: RequestKind, fields: dict[str, Any], body: dict[str, Any]
) -> None:
    assert json.dumps(make_body(kind, fields)) == json.dumps(body)
    assert make_body(kind, body) == body  # what a dry run prints can be given again


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (IMAGE, {}, "prompt is missing or empty"),
        (IMAGE, {"prompt": " \n"}, "prompt is missing or empty"),
        (IMAGE, {"action": "edit"}, 'action "edit" is not generate'),
        (IMAGE, {"async": False}, "async false is not possible: it is always true"),
        (IMAGE, {"seed": 7}, "seed is no field of flux images generate"),
        (
            IMAGE,
            {"image_url": URL},
            "image_url goes with flux images edit, not with flux images generate",
        ),
        (
            IMAGE,
            {"aspect_ratio": "1:1"},
            "aspect_ratio goes with flux videos generate, not with flux images generate: set size",
        ),
        (EDIT, {"count": 1}, "count goes with flux images generate, not with flux images edit"),
        (
            EDIT,
            {"prompt": "x"},
            "image_url is missing: it says which image to edit",
        ),
        (
            VIDEO,
            {"size": "1:1"},
            (
                "size goes with flux images generate and flux images edit, not with"
                " flux videos generate: set aspect_ratio and resolution"
            ),
        ),
        (
            VIDEO,
            {"model": "flux-dev"},
            'model "flux-dev" makes images: use flux images generate, or flux-3',
        ),
        (VIDEO, {"prompt": "x" * 4097}, "prompt is 4,097 characters long; the maximum is 4,096"),
        (
            IMAGE,
            {"prompt": "x" * 32_769},
            "prompt is 32,769 characters long; the maximum is 32,768",
        ),
    ],
)
def test_what_is_refused_is_named_with_what_is_allowed(
    kind: RequestKind, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(FieldError) as caught:
        make_body(kind, fields)
    assert caught.value.message == message


def test_a_model_that_is_in_no_table_is_passed_on() -> None:
    body = make_body(IMAGE, {"prompt": "a fox", "model": "flux-9"})
    assert body["model"] == unknown_model(IMAGE, body) == "flux-9"
    assert unknown_model(IMAGE, make_body(IMAGE, {"prompt": "a fox"})) is None
    assert unknown_model(VIDEO, make_body(VIDEO, {"prompt": "a fox"})) is None


def test_a_kind_says_where_it_goes_and_what_it_makes() -> None:
    assert [(kind.path, kind.noun) for kind in RequestKind] == [
        ("/flux/images", "image"),
        ("/flux/images", "image"),
        ("/flux/videos", "video"),
    ]
    assert fields_of(EDIT) - fields_of(IMAGE) == {"image_url"}
    assert fields_of(IMAGE) - fields_of(EDIT) == {"count"}


URLS = st.sampled_from([URL, "http://y.example/2.png", "https:/x", "x.png"])
MOMENTS = st.tuples(st.sampled_from([0, 1, 2.5, -1, "1"]), URLS).map(list)
VALUES: dict[str, st.SearchStrategy[Any]] = {  # as JSON has them: right, nearly right, and wrong
    "action": st.sampled_from(["generate", "edit", "make"]),
    "model": st.sampled_from(["flux-dev", "flux-pro", "flux-2-max", "flux-3"]),
    "prompt": st.sampled_from(["a fox", "x" * 4096, "x" * 4097, 7, ["a fox"]]),
    "size": st.sampled_from(["1:1", "9:21", "5:7", "1024x1024", "512x512", 7]),
    "count": st.sampled_from([1, 2.0, 4, 9, 0, 1.5, True, [1]]),
    "image_url": URLS | st.lists(URLS, min_size=1),
    "mode": st.sampled_from(["t2v", "i2v", "v2v", "draft_enhance", "x2v", ["t2v"]]),
    "keyframes": st.lists(URLS | MOMENTS, min_size=1, max_size=12) | URLS,
    "start_video": URLS,
    "draft_task_id": st.sampled_from(["task-1", 7]),
    "duration": st.sampled_from([4, 5, 15, 16, 20, 21, 5.5, "auto", "long", True]),
    "resolution": st.sampled_from(["hd", "fhd", "4k"]),
    "aspect_ratio": st.sampled_from(["auto", "2:1", "3:2", 1]),
    "generate_audio": st.sampled_from([True, False, "perhaps", 1]),
    "draft": st.sampled_from([True, False, "perhaps"]),
    "safety_tolerance": st.sampled_from([0, 4, 5, 1.5, True]),
    "async": st.sampled_from([True, "perhaps"]),
    "callback_url": URLS,
}


@st.composite
def submissions(draw: st.DrawFn) -> tuple[RequestKind, dict[str, Any]]:
    """Give a kind, and some fields of it, most often with what it cannot do without."""
    kind = draw(st.sampled_from(RequestKind))
    names = draw(st.sets(st.sampled_from(sorted(fields_of(kind)))))
    if draw(st.integers(0, 3)):
        names |= {"prompt"} | ({"image_url"} if kind is EDIT else set())
    return kind, {name: draw(VALUES[name]) for name in sorted(names)}


@given(submissions())
def test_the_sandbox_agrees_about_what_can_be_sent(
    submission: tuple[RequestKind, dict[str, Any]],
) -> None:
    kind, fields = submission
    try:
        body = make_body(kind, fields)
    except FieldError:
        return
    assert COMPLAINTS[kind](body) is None
    assert list(body) == [name for name in ORDER if name in body]
    implied = {"action", "model", "size", "mode", "async"}
    assert {name: body[name] for name in body.keys() - implied} == {
        name: [value] if name == "keyframes" and isinstance(value, str) else value
        for name, value in fields.items()
        if name not in implied
    }


ORDER = [
    *("action", "model", "mode", "prompt", "size", "count", "image_url"),
    *("keyframes", "start_video", "draft_task_id", "duration", "resolution", "aspect_ratio"),
    *("generate_audio", "draft", "safety_tolerance", "async", "callback_url"),
]


@given(submissions())
def test_what_the_sandbox_refuses_is_refused_before_it_is_sent(
    submission: tuple[RequestKind, dict[str, Any]],
) -> None:
    kind, fields = submission
    action = "edit" if kind is EDIT else "generate"
    implied = {"action": action} if kind is VIDEO else {"action": action, "size": "1:1"}
    material = {"keyframes": "i2v", "start_video": "v2v", "draft_task_id": "draft_enhance"}
    mode = next((mode for name, mode in material.items() if name in fields), "t2v")
    if kind is VIDEO:
        implied["mode"] = mode
    if COMPLAINTS[kind](implied | fields) is not None:
        with pytest.raises(FieldError):
            make_body(kind, fields)


@given(
    st.sampled_from(RequestKind),
    st.dictionaries(
        st.sampled_from(ORDER),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    ),
)
def test_whatever_is_given_is_made_a_body_of_or_refused(
    kind: RequestKind, fields: dict[str, Any]
) -> None:
    message, body = "", {}
    try:
        body = make_body(kind, fields)
    except FieldError as error:
        message = error.message
    assert message.isprintable()
    json.dumps(body, allow_nan=False).encode()


def test_one_field_can_be_parsed_alone() -> None:
    assert parse(VIDEO, "duration", "10s") == 10
    with pytest.raises(FieldError, match="no field"):
        parse(VIDEO, "seed", 7)
