"""`flux mcp`: what else there is to a batch's life: to list, to see, and to save."""

import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from mcp.client.client import Client
from PIL import Image

from flux_cli.errors import ExitCode
from flux_cli.sandbox.server import Sandbox
from tests.support.fault_server import FaultServer, Request, Script, Step, Wait, reply
from tests.support.mcp import LIST, SAVE, SHOW, call, sentence, session, sizes, tasks_of
from tests.support.patience import AT_ONCE
from tests.support.program import CANARY, Program
from tests.support.records import batch, finished, make_ids


Start = Callable[[Script], FaultServer]
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


def submit(server: Sandbox, count: int, **fields: Any) -> list[str]:
    """Submit so many tasks, which end at once; every seventh fails."""
    ids = []
    for number in range(count):
        prompt = "will fail" if number % 7 == 6 else f"a red fox, number {number}"
        ids.append(server.store.submit({"prompt": prompt, "model": "flux-dev", **fields}).id)
        time.sleep(0.002)
    time.sleep(0.05)
    return ids


def text_of(result: Any) -> str:
    text: str = result.content[0].text
    return text


# To list


@TRANSPORTS
def test_the_account_s_tasks_are_listed_newest_first_page_by_page(
    flux: Program, sandbox: Callable[..., Sandbox], transport: str
) -> None:
    ids = submit(sandbox(), 120)

    async def pages(client: Client, **given: Any) -> list[str]:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            result = await client.call_tool(LIST, {**given, **cursor})
            assert max(sizes(result)) <= 10_000
            answer = result.structured_content
            seen += [item["id"] for group in answer["tasks"].values() for item in group]
            if "next_cursor" not in answer:
                return seen
            assert f'cursor "{answer["next_cursor"]}"' in text_of(result)
            cursor = {"cursor": answer["next_cursor"]}

    async def work(client: Client) -> None:
        first = await client.call_tool(LIST, {"limit": 5})
        rows = text_of(first).splitlines()[2:]
        assert [row.split("\t")[0] for row in rows] == ids[:-6:-1]
        assert set(tasks_of(first.structured_content)) == set(ids[-5:])
        seen = await pages(client)
        assert len(seen) == len(set(seen))
        assert set(seen) == set(ids)
        assert await pages(client, only="failed", limit=5) == ids[6::7][::-1]
        none = await client.call_tool(LIST, {"until": "2020-01-01", "since": "2019-01-01"})
        assert "The service lists no more tasks since" in text_of(none)
        assert await pages(client, type="videos") == []

    session(flux, work, transport)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"since": "yesterday"}, "since must be how long ago, as 24h or 7d, or a date"),
        ({"until": CANARY}, "until must be how long ago"),
        ({"since": "1h", "until": "2h"}, "until must not be before since"),
        ({"cursor": "50;"}, "cursor must be the next_cursor of an answer"),
        ({"cursor": f"1.0,{CANARY} x"}, "cursor must be the next_cursor of an answer"),
        ({"cursor": "nan"}, "cursor must be the next_cursor of an answer"),
        ({"type": "music"}, "type must be one of images, videos"),
        ({"task_ids": []}, 'there is no parameter "task_ids"'),
    ],
)
def test_a_list_says_what_it_cannot_read(
    flux: Program, sandbox: Callable[..., Sandbox], arguments: dict[str, Any], says: str
) -> None:
    sandbox()
    assert says in sentence(call(flux, LIST, **arguments))


def test_a_list_keeps_its_time_and_shows_what_came(flux: Program, service: Start) -> None:
    ids = make_ids(40)
    records = [finished(i, created_at=time.time() - 60 - n) for n, i in enumerate(ids)]

    def script(request: Request) -> list[Step]:
        if request.body.get("created_at_max") is not None:
            return [Wait(100)]
        return [reply(200, batch(records[:30]))]

    service(script)
    started = time.monotonic()

    async def work(client: Client) -> Any:
        return await client.call_tool(LIST, {})

    result = session(flux, work, limits={"look_seconds": 2.0})
    assert time.monotonic() - started < 2 * AT_ONCE
    answer = result.structured_content
    assert list(tasks_of(answer)) == ids[:30]
    assert "The service did not answer in time for more" in answer["next_step"]
    assert "next_cursor" in answer


# To see


def picture_of(result: Any) -> Image.Image:
    (content,) = [block for block in result.content if block.type == "image"]
    data = base64.b64decode(content.data)
    assert len(content.data) < 1_000_000
    picture = Image.open(io.BytesIO(data))
    assert content.mime_type == f"image/{(picture.format or '').lower()}"
    return picture


@TRANSPORTS
def test_a_task_is_shown_in_full_with_its_picture(
    flux: Program, sandbox: Callable[..., Sandbox], transport: str
) -> None:
    (task_id,) = submit(sandbox(), 1, size="1792x1024")
    (record,) = flux("tasks", "check", task_id).records

    async def work(client: Client) -> Any:
        (tool,) = [t for t in (await client.list_tools()).tools if t.name == SHOW]
        result = await client.call_tool(SHOW, {"task_id": task_id})
        jsonschema.validate(result.structured_content, tool.output_schema)
        return result

    result = session(flux, work, transport)
    answer = result.structured_content
    del record["previous_state"]
    assert answer["task"] | {"observed_at": 0} == record | {"observed_at": 0}
    assert json.loads(result.content[0].text.splitlines()[2]) == answer["task"]
    assert answer["picture"] == "Output 1 of 1: 1792x1024 pixels, scaled down here."
    assert picture_of(result).size == (1024, 585)


def test_without_pillow_small_pictures_are_shown_and_large_ones_are_told_of(
    flux: Program, sandbox: Callable[..., Sandbox]
) -> None:
    server = sandbox()
    small, large = (*submit(server, 1, size="1:1"), *submit(server, 1, size="1792x1024"))

    async def work(client: Client) -> tuple[Any, Any]:
        return (
            await client.call_tool(SHOW, {"task_id": small}),
            await client.call_tool(SHOW, {"task_id": large}),
        )

    shown, told = session(flux, work, without="PIL")
    picture = picture_of(shown)
    assert (picture.size, picture.format) == ((512, 512), "PNG")
    assert [block.type for block in told.content] == ["text"]
    assert "scaling it needs Pillow (the extra flux-tasks[preview])" in told.content[0].text
    assert told.structured_content["task"]["outputs"][0]["url"].startswith("http")


def test_what_has_no_picture_says_so(flux: Program, service: Start) -> None:
    ids = make_ids(6)
    links = {
        ids[0]: [{"video_url": "https://cdn.example/a.mp4"}],
        ids[1]: [{"image_url": "/text.png"}],
        ids[2]: [{"image_url": "/gone.png"}],
        ids[3]: [{"image_url": "/slow.png"}],
        ids[4]: [],
    }

    def script(request: Request) -> list[Step]:
        if request.path == "/slow.png":
            return [Wait(100)]
        if request.path.endswith(".png"):
            return [reply(200, b"<html>" * 99) if "text" in request.path else reply(404, b"")]
        return [reply(200, batch(record(i) for i in request.ids))]

    def record(task_id: str) -> Any:
        data = [
            {k: v if "://" in v else server.url + v for k, v in e.items()} for e in links[task_id]
        ]
        return finished(task_id, response={"success": True, "data": data})

    server = service(script)

    async def work(client: Client) -> list[Any]:
        return [(await client.call_tool(SHOW, {"task_id": i})) for i in links] + [
            await client.call_tool(SHOW, {"task_id": ids[1], "output": 2})
        ]

    results = session(flux, work, limits={"look_seconds": 4.0})
    says = [
        "Output 1 of 1 is a video: use its link.",
        "Output 1 of 1 is not shown: ",
        "Output 1 of 1 is not shown: ",
        "Output 1 of 1 is not shown: there was no time to fetch it.",
        "There is no picture: the task has no output.",
        "There is no output 2: the task has 1.",
    ]
    for result, text in zip(results, says, strict=True):
        assert not result.is_error
        assert result.structured_content["picture"].startswith(text)
        assert [block.type for block in result.content] == ["text"]


# To save


@TRANSPORTS
def test_outputs_are_saved_in_the_one_folder(
    flux: Program, sandbox: Callable[..., Sandbox], transport: str, tmp_path: Path
) -> None:
    ids = submit(sandbox(), 7)
    folder = tmp_path / "pictures"

    async def work(client: Client) -> tuple[Any, Any]:
        (tool,) = [t for t in (await client.list_tools()).tools if t.name == SAVE]
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is False
        first = await client.call_tool(SAVE, {"task_ids": [*ids, "not an id"]})
        return first, await client.call_tool(SAVE, {"task_ids": ids})

    first, second = session(flux, work, transport, "--download-dir", str(folder))
    answer = first.structured_content
    assert (answer["folder"], answer["saved"], answer["kept"]) == (str(folder), 6, 0)
    assert answer["invalid"][0]["id"] == "not an id"
    links = [block for block in first.content if block.type == "resource_link"]
    files = [Path(unquote(urlsplit(str(link.uri)).path)) for link in links]
    assert sorted(files) == sorted(folder.iterdir())
    for link, file, entry in zip(links, files, answer["files"], strict=True):
        assert (link.size, link.mime_type) == (file.stat().st_size, "image/png")
        assert file.name == entry["name"]
        assert entry["id"] in ids
    assert "1 failed" in answer["next_step"]
    assert (second.structured_content["saved"], second.structured_content["kept"]) == (0, 6)


def test_a_file_that_does_not_come_is_told_of_in_time(
    flux: Program, service: Start, tmp_path: Path
) -> None:
    ids = make_ids(2)
    folder = tmp_path / "pictures"

    def script(request: Request) -> list[Step]:
        if request.path.endswith(".png"):
            return [Wait(100)]
        url = f"{server.url}/a.png"
        return [
            reply(
                200,
                batch(
                    finished(i, response={"success": True, "data": [{"image_url": url}]})
                    for i in request.ids
                ),
            )
        ]

    server = service(script)
    started = time.monotonic()

    async def work(client: Client) -> Any:
        return await client.call_tool(SAVE, {"task_ids": ids, "timeout_seconds": 2})

    answer = session(flux, work, "stdio", "--download-dir", str(folder)).structured_content
    assert time.monotonic() - started < 2 * AT_ONCE
    assert answer["saved"] == 0
    assert [entry["id"] for entry in answer["not_saved"]] == ids
    assert "call it again with the same task_ids" in answer["next_step"]
    assert list(folder.iterdir()) == []


def test_without_a_folder_nothing_can_be_saved(
    flux: Program, sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    ids = submit(sandbox(), 1)
    assert "there is no such tool" in sentence(call(flux, SAVE, task_ids=ids))
    file = tmp_path / "file"
    file.write_text("")
    flux("mcp", "--download-dir", str(file)).expect(
        ExitCode.USAGE, stderr=f"{file}: file exists. Choose another folder with --download-dir"
    )
