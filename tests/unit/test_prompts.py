"""Prompts out of every source and format, and what is there instead of them."""

import io
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.errors import InputError
from flux_cli.input.decoding import Text
from flux_cli.input.prompt_reader import read_prompts_in
from flux_cli.input.prompts import Prompt, read_prompts
from flux_cli.token import Token
from tests.support.program import CANARY
from tests.support.records import finished, make_ids


U, V = make_ids(2)
Read = Callable[..., list[Prompt]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(data: str | bytes, name: str = "in.txt", *, token: Token | None = None) -> list[Prompt]:
    """Return the prompts of a file."""
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_prompts([], [name], None, token=token))


def refusal(data: str | bytes, name: str = "in.txt") -> InputError:
    """Return what is said against a file."""
    with pytest.raises(InputError) as caught:
        read(data, name)
    assert caught.value.hint
    return caught.value


def in_arguments(*arguments: str, token: Token | None = None) -> list[Prompt]:
    return list(read_prompts(arguments, [], None, token=token))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("a red fox\na blue one", [("a red fox", 1), ("a blue one", 2)]),
        ("# mine\n\n  a fox  \n   # no\n", [("a fox", 3)]),
        ("\\# 1 fan\na #1 fan\n", [("# 1 fan", 1), ("a #1 fan", 2)]),
        ("a fox \\\n  in snow,\\\nat night\nb\n", [("a fox in snow, at night", 1), ("b", 4)]),
        ("a \\\n# b \\\n\nc", [("a # b", 1), ("c", 4)]),
        ("a fox\\", [("a fox", 1)]),
        ("a\\ \nb", [("a b", 1)]),
        ("a fox\r\nb fox\rc fox", [("a fox", 1), ("b fox", 2), ("c fox", 3)]),
        ("🦊\n雪山\n(fox:1.2), [snow]\n", [("🦊", 1), ("雪山", 2), ("(fox:1.2), [snow]", 3)]),
        (
            "a fox, in snow; at night\nid, name\n",
            [("a fox, in snow; at night", 1), ("id, name", 2)],
        ),
        ("<lora:fox:1> a fox\n- a\n", [("<lora:fox:1> a fox", 1), ("- a", 2)]),
        ("{red|blue} fox\n", None),
        ("a fox\n\ufeff# no\n\ufeffb\n", [("a fox", 1), ("b", 3)]),
        (f"a fox like {U}\n", [(f"a fox like {U}", 1)]),
        ("portrait, model, studio light", [("portrait, model, studio light", 1)]),
    ],
)
def test_text_has_a_prompt_in_each_line(data: str, expected: list[tuple[str, int]] | None) -> None:
    if expected is None:
        assert "invalid JSON" in refusal(data).message
        return
    assert [(p.fields, p.labels, p.place) for p in read(data)] == [
        ({"prompt": text}, {}, f"in.txt:{line}") for text, line in expected
    ]


@pytest.mark.parametrize(
    ("data", "fields", "labels"),
    [
        ("prompt\na fox\n", {"prompt": "a fox"}, {}),
        ("Prompt , SIZE\na fox, 1:1 \n", {"prompt": "a fox", "size": " 1:1 "}, {}),
        ("prompt;Image URL;imageUrl2\na;u;\n", {"prompt": "a", "image_url": "u"}, {}),
        ("prompt\timageUrl\na\tu\n", {"prompt": "a", "image_url": "u"}, {}),
        ("No,prompt,\n7,a,x\n", {"prompt": "a"}, {"No": "7", "column 3": "x"}),
        ("prompt,,\na,,\n", {"prompt": "a"}, {}),
        (" My Label ,prompt\nx y,a\n", {"prompt": "a"}, {"My Label": "x y"}),
        ("sep=;\nprompt;who\na;me\n", {"prompt": "a"}, {"who": "me"}),
        ('prompt\n"a\nfox"\n', {"prompt": "a\nfox"}, {}),
        ("prompt,size\n,1:1\n", {"size": "1:1"}, {}),
        ("draft_task_id,resolution\na-1,fhd\n", {"draft_task_id": "a-1", "resolution": "fhd"}, {}),
        ("prompt,response\na,b\n", {"prompt": "a"}, {"response": "b"}),
        ("image_url,who\nu,me\n", {"image_url": "u"}, {"who": "me"}),
        ('{"prompt": "a"}', {"prompt": "a"}, {}),
        ('["a"]', {"prompt": "a"}, {}),
        ('"a, b"\n', {"prompt": "a, b"}, {}),
        ('[{"Prompt": "a", "imageUrl": ["u"]}]', {"prompt": "a", "image_url": ["u"]}, {}),
        (
            '{"prompt": "a", "count": 2, "size": null, "seed": 7, "ok": true, "no": null}',
            {"prompt": "a", "count": 2},
            {"seed": "7", "ok": "true"},
        ),
        (
            '{"prompt": "a", "nested": {"ä": [1, "b"]}, " x ": "y"}',
            {"prompt": "a"},
            {"nested": '{"ä":[1,"b"]}', "x": "y"},
        ),
        ('{"keyframes": [[0, "u"]], "prompt": null}', {"keyframes": [[0, "u"]]}, {}),
    ],
)
def test_rows_and_objects_have_fields_and_labels(
    data: str, fields: dict[str, Any], labels: dict[str, str]
) -> None:
    (prompt,) = read(data)
    assert (prompt.fields, prompt.labels) == (fields, labels)


def test_places_are_those_of_a_text_editor() -> None:
    rows = read('prompt,size\n"a\nfox",\n\nb,\n', "x.csv")
    assert [row.place for row in rows] == ["x.csv:2", "x.csv:5"]
    values = read('[\n "a",\n {"prompt":\n "b"}\n]', "x.json")
    assert [value.place for value in values] == ["x.json:2", "x.json:3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("data", ["é fox\n", '["é fox"]', "prompt\né fox\n"])
def test_every_encoding_is_read(data: str, encoding: str) -> None:
    assert [prompt.fields for prompt in read(data.encode(encoding))] == [{"prompt": "é fox"}]


RECORD = json.dumps(finished(U))
OWN = json.dumps({"id": U, "state": "failed", "prompt": "a", "outputs": [], "observed_at": "x"})
REFUSED: dict[str, tuple[str, str]] = {  # what the file has, and what is said
    "nothing": ("", "in: it contains no prompts"),
    "comments": ("# a\n\n  #b\n", "in: it contains no prompts"),
    "a header alone": ("prompt,size\n", "in: it contains no prompts"),
    "an empty array": ("[]", "in: it contains no prompts"),
    "a web page": ("\n<!DOCTYPE html>\n<p>a</p>", "in:2: this looks like HTML or XML, not a"),
    "XML": ("<?xml version='1.0'?>\n", "in:1: this looks like HTML or XML, not a prompt"),
    "ids": (f"{U}\n{V}\n", "in:1: this is a task id, not a prompt"),
    "ids after a prompt": (f"a fox\n{U}, {V}\n", "in:2: this is a task id, not a prompt"),
    "ids in JSON": (f'["{U}"]', "in:1: this is a task id, not a prompt"),
    "Markdown": ("| prompt |\n|---|\n| a |\n", "in:1: this looks like a Markdown table, not a"),
    "psql": (" prompt | n\n--------+---\n a | 1\n", "in:2: this looks like a table, not a prompt"),
    "MySQL": ("+---+\n| a |\n+---+\n", "in:1: this looks like a table, not a prompt"),
    "CSV": (
        "id,text\n1,a fox\n",
        'in:1: this looks like CSV and has no column "prompt": its columns are "id", "text"',
    ),
    "CSV in quotes": (
        '"x","y"\n"1","a fox"\n',
        'in:1: this looks like CSV and has no column "prompt": its columns are "x", "y"',
    ),
    "numbered lines": (
        "     1\ta red fox\n     2\ta blue fox\n",
        'in:1: this looks like CSV and has no column "prompt": its columns are "1", "a red fox"',
    ),
    "CSV with sep=": (
        "sep=;\nx;y\n1;2\n",
        'in: this CSV has no column "prompt": its columns are "x", "y"',
    ),
    "CSV after a comment": (
        "# my prompts\nprompt,size\na,1:1\n",
        "in:2: this looks like the header of CSV",
    ),
    "CSV with bars": ("prompt|size\na|1:1\n", "in:1: this looks like the header of CSV"),
    "JSON nested deep": (
        f'{{"prompt": "a", "x": {"[" * 900}{"]" * 900}}}',
        "in:1: this object is nested too deep",
    ),
    "JSON after a comment": (
        '# my prompts\n{"prompt": "a"}\n',
        "in:2: this looks like JSON, in a file whose first line is text, not a prompt",
    ),
    "two columns": ("prompt,Prompt\na,b\n", 'in: this CSV has prompt twice: "prompt", "Prompt"'),
    "a slip in a column": (
        "prompt,siz\na,16:9\n",
        'in: this CSV has a column "siz"; perhaps "size" is meant',
    ),
    "a slip in a key": (
        '{"prompt": "a", "conut": 2}',
        'in:1: this object has a key "conut"; perhaps "count" is meant',
    ),
    "two labels": ("prompt,x, x \na,b,c\n", 'in: this CSV has x twice: "x", "x"'),
    "two keys": (
        '{"prompt": "a", "imageUrl": "u", "image_url": "v"}',
        'in:1: this object has image_url twice: "imageUrl", "image_url"',
    ),
    "an object": (
        '{"prompt": "a"}\n{"text": "b", "n": 1}\n',
        'in:2: this object has no key "prompt": its keys are "text", "n"',
    ),
    "an empty object": ("{}", 'in:1: this object has no key "prompt"'),
    "numbers": ("[1, 2]", "in:1: this is neither a prompt nor an object with one"),
    "lists": ('[["a"]]', "in:1: this is neither a prompt nor an object with one"),
    "the service's record": (RECORD, "in:1: this object is the record of a task, not a request"),
    "flux's record": (OWN, "in:1: this object is the record of a task, not a request"),
    "flux's CSV": ("id,state,prompt,observed_at\n", "in: it contains no prompts"),
    "flux's CSV with rows": (
        "id,state,prompt,observed_at\na,b,c,d\n",
        "in: this CSV is the record of a task, not a request",
    ),
    "many columns": (
        ",".join(["id", *"abcdefghijkl"]) + "\n",
        'in:1: this looks like CSV and has no column "prompt": its columns are'
        + "".join(f' "{name}",' for name in ["id", *"abcdefghi"])
        + " 3 more",
    ),
    "a long key": (
        json.dumps({"x" * 41: 1}),
        'in:1: this object has no key "prompt": its keys are one of 41 characters',
    ),
    "half a character": ('{"prompt": "a", "x": "\\ud800"}', "in:1: a label has half a character"),
    "a row too long": ("prompt,size\na fox, in snow,1:1\n", "in:2: this row has more cells than"),
    "no end": ("a\\\n" * 70_000, "in:1: this prompt has more than 65,536 characters"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_list_of_prompts_is_named(what: str) -> None:
    data, message = REFUSED[what]
    assert refusal(data, "in").message.startswith(message)


@pytest.mark.parametrize("data", ["a red fox\na blue fox\n", "a fox, in snow\n", "x;y\n"])
def test_a_file_of_csv_needs_the_column(data: str) -> None:
    error = refusal(data, "x.CSV")
    assert error.message.startswith('x.CSV:1: this looks like CSV and has no column "prompt": its')


def test_bytes_that_are_not_text_are_named() -> None:
    assert refusal(b"\x89PNG\0").message == "in.txt: this is a binary file, not text"
    assert refusal(b"a\n\xff").message == "in.txt:2: this is not valid UTF-8"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], 'argument 1: "-" is not a prompt: to read stdin, use --file -'),
        (["a fox", "fox"], 'argument 2: "fox" is a file, not a prompt: to read it, use --file'),
        (["@fox"], 'argument 1: "@fox" is a file, not a prompt: to read it, use --file'),
        (["prompts.csv"], 'argument 1: "prompts.csv" is not a prompt, and there is no such file'),
        ([U], "argument 1: this is a task id, not a prompt"),
        (["a fox", "16:9"], 'argument 2: "16:9" is a prompt of one word beside others'),
        (["a", "red", "fox"], 'arguments 1 to 3: "a red fox" is 3 prompts of one word each'),
    ],
)
def test_an_argument_that_means_something_else_is_refused(
    arguments: Sequence[str], message: str
) -> None:
    Path("fox").touch()
    with pytest.raises(InputError) as caught:
        in_arguments(*arguments)
    assert caught.value.message == message
    assert caught.value.hint.startswith("Nothing was sent")


def test_arguments_files_and_stdin_come_in_their_order() -> None:
    Path("a.txt").write_text("b\n")
    stdin = io.TextIOWrapper(io.BytesIO(b"c\nd\n"))
    prompts = list(read_prompts(["a cat", "a fox"], ["a.txt", "-"], stdin))
    assert [prompt.place for prompt in prompts] == [
        "argument 1",
        "argument 2",
        "a.txt:1",
        "stdin:1",
        "stdin:2",
    ]
    assert [prompt.fields["prompt"] for prompt in prompts] == ["a cat", "a fox", "b", "c", "d"]


def test_stdin_is_read_when_nothing_else_is_given() -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"a fox\n"))
    assert [prompt.place for prompt in read_prompts([], [], stdin)] == ["stdin:1"]
    assert [prompt.place for prompt in read_prompts(["a fox"], [], stdin)] == ["argument 1"]


def test_single_words_of_other_scripts_are_prompts() -> None:
    assert len(in_arguments("一只狐狸", "雪山")) == 2


def test_the_token_is_found_wherever_it_stands() -> None:
    token = Token(CANARY)
    for data in (
        f"a fox {CANARY}\n",
        f"prompt,x\na,{CANARY}\n",
        f'{{"prompt": "a", "x": ["{CANARY}"]}}',
        f'{{"prompt": "a", "keyframes": ["{CANARY.upper()}"]}}',
        f'{{"prompt": "a", "{CANARY}": 1}}',
    ):
        with pytest.raises(InputError, match="this contains your API token"):
            read(data, token=token)
    with pytest.raises(InputError) as caught:
        read(f"id,{CANARY}\n", token=token)
    assert CANARY not in caught.value.message
    with pytest.raises(InputError, match="argument 2: this contains your API token"):
        in_arguments("fox", CANARY, token=token)


def test_a_pipe_that_somebody_writes_to_is_read_to_its_end() -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(b"a fox\nb\n",))
    writer.start()
    assert len(list(read_prompts([], ["pipe"], None))) == 2
    writer.join()


def test_a_long_list_is_not_kept() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"a red fox in the snow\n" * 1000

    class Stream(io.RawIOBase):
        pieces = endless()

        def read(self, _: int = -1) -> bytes:
            return next(self.pieces)

    prompts = read_prompts_in(Text(Stream(), "in"))
    assert [next(prompts).line for _ in range(5000)][-1] == 5000


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_are_prompts_or_one_error(data: bytes) -> None:
    try:
        prompts = list(read_prompts_in(Text(io.BytesIO(data), "in")))
    except InputError:
        return
    for prompt in prompts:
        assert prompt.line >= 1
        assert all(isinstance(label, str) for label in prompt.labels.values())


@pytest.mark.parametrize(
    "name", ["code", "side", "country", "sync", "scene", "id", "n", "seed", "modes and more", ""]
)
def test_other_words_are_labels(name: str) -> None:
    (prompt,) = read(f"prompt,size,{name}\na,1:1,c\n")
    assert list(prompt.labels.values()) == ["c"]


@pytest.mark.parametrize("name", ["models", "Modle", "mdoel", "modl", "callbckurl"])
def test_what_is_nearly_a_field_is_refused_unless_that_is_there(name: str) -> None:
    with pytest.raises(InputError, match="is meant"):
        read(f"prompt,{name}\na,c\n")
    (prompt,) = read(f"prompt,{name},model,callback_url\na,c,d,e\n")
    assert list(prompt.labels.values()) == ["c"]
