"""The tools of `flux mcp --allow-submit`: an agent has a batch made, and it is paid for once."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import jsonschema
import pytest
from mcp.client.client import Client
from mcp_types import ElicitRequestParams, ElicitResult

from flux_cli.errors import ExitCode
from flux_cli.sandbox.faults import Faults
from tests.end_to_end.test_check import StartSandbox
from tests.support.mcp import SAVE, SHOW, WAIT, sentence, session
from tests.support.program import Program


IMAGE, EDIT, VIDEO = "flux_generate_image", "flux_edit_image", "flux_generate_video"
ALLOWED = ("--allow-submit",)
PROMPTS = [f"a fox, number {number}" for number in range(12)]


def run(flux: Program, work: Callable[[Client], Any], *options: str) -> Any:
    return session(flux, work, "stdio", *ALLOWED, *options)


def test_they_are_there_only_where_they_are_allowed(flux: Program, sandbox: StartSandbox) -> None:
    sandbox()
    listed = run(flux, lambda client: client.list_tools(), "--download-dir", str(flux.folder))
    tools = {tool.name: tool for tool in listed.tools}
    without = {tool.name for tool in session(flux, lambda client: client.list_tools()).tools}
    assert set(tools) - without == {SAVE, IMAGE, EDIT, VIDEO}
    for name in (IMAGE, EDIT, VIDEO):
        tool = tools[name]
        hints = tool.annotations
        assert (hints.read_only_hint, hints.idempotent_hint) == (False, False)
        assert hints.open_world_hint is True
        assert "cost" in tool.description
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    published = json.dumps([tool.model_dump(exclude_none=True) for tool in tools.values()])
    assert len(published) <= 12_000


def test_the_whole_life_with_replies_lost(flux: Program, sandbox: StartSandbox) -> None:
    """Submits 12, waits, sees one picture, saves all, reports failures: 12 tasks, not 13."""
    server = sandbox(faults=Faults(lose_replies=0.1, seed=4))
    prompts = [*PROMPTS[:11], "an overloaded fox"]

    async def work(client: Client) -> None:
        for _ in range(2):  # as an agent does whose client has lost the answer
            made = (await client.call_tool(IMAGE, {"prompts": prompts})).structured_content
        assert [task["prompt"] for task in made["tasks"]] == prompts
        ids = [task["id"] for task in made["tasks"]]
        assert len(set(ids)) == 12
        ended = (await client.call_tool(WAIT, {"task_ids": made["open_ids"]})).structured_content
        assert ended["counts"] == {"succeeded": 11, "failed": 1}
        (failure,) = ended["tasks"]["failed"]
        assert failure["error"]["code"] == "service_unavailable"
        shown = await client.call_tool(SHOW, {"task_id": ids[0]})
        assert [part.type for part in shown.content].count("image") == 1
        saved = (await client.call_tool(SAVE, {"task_ids": ids})).structured_content
        assert saved["saved"] == 11

    run(flux, work, "--download-dir", str(flux.folder / "out"))
    assert server.accepted == 12
    assert len(list((flux.folder / "out").glob("*.png"))) == 11


def test_what_was_submitted_is_not_again_unless_it_is_asked_for(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox()

    async def work(client: Client) -> list[Any]:
        answers = [
            await client.call_tool(IMAGE, {"prompts": ["a fox"], "wait_seconds": 10}),
            await client.call_tool(IMAGE, {"prompts": "a fox"}),
            await client.call_tool(IMAGE, {"prompts": ["a fox"], "again": True}),
        ]
        return [answer.structured_content["tasks"][0] for answer in answers]

    first, second, third = run(flux, work)
    assert first["id"] == second["id"] != third["id"]
    assert first["state"] == "succeeded"
    assert first["urls"]
    assert server.accepted == 2
    flux("images", "generate", "a fox").expect(ExitCode.OK)  # the journal is the same
    assert server.accepted == 2


def test_videos_and_edits(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()
    url = "https://example.com/a.png"

    async def work(client: Client) -> None:
        edited = await client.call_tool(EDIT, {"prompts": ["make it night"], "image_url": url})
        assert not edited.is_error, sentence(edited)
        film = await client.call_tool(VIDEO, {"prompts": ["waves"], "duration": "8"})
        assert not film.is_error, sentence(film)

    run(flux, work)
    film, edit = (task.request for task in server.store.newest())
    assert (edit["action"], edit["image_url"]) == ("edit", url)
    assert (film["mode"], film["duration"], film["resolution"]) == ("t2v", 8, "hd")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"prompts": []}, "prompts must be a list of 1 to 50 strings"),
        ({"prompts": ["x"] * 51}, "prompts must be a list of 1 to 50 strings"),
        ({"prompts": [""]}, "prompts must be a list"),
        ({"prompts": ["   "]}, "prompt 1"),
        ({"prompts": ["a fox"], "size": "17:9"}, "size"),
        ({"prompts": ["a fox"], "count": 9}, "count must be a whole number from 1 to 4"),
        ({"prompts": ["a fox"], "model": "flux-3"}, "flux-3"),
        ({"prompts": ["a fox"], "steps": 30}, 'no parameter "steps"'),
        ({}, "prompts is missing"),
    ],
)
def test_wrong_arguments_cost_nothing(
    flux: Program, sandbox: StartSandbox, arguments: dict[str, Any], says: str
) -> None:
    server = sandbox()
    answer = run(flux, lambda client: client.call_tool(IMAGE, arguments))
    assert answer.is_error
    assert says in sentence(answer)
    assert server.accepted == 0


def test_no_more_than_was_allowed(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox()

    async def work(client: Client) -> str:
        await client.call_tool(IMAGE, {"prompts": PROMPTS[:3]})
        more = await client.call_tool(IMAGE, {"prompts": PROMPTS[:6]})
        assert more.is_error
        await client.call_tool(IMAGE, {"prompts": PROMPTS[:5]})  # three of them are there
        return sentence(more)

    said = run(flux, work, "--max-tasks", "5")
    assert "this would submit 3 tasks, and this server may submit 2 more" in said
    assert server.accepted == 5


@pytest.mark.parametrize(("action", "accepted"), [("accept", 2), ("decline", 0), ("cancel", 0)])
def test_the_user_is_asked_where_the_client_can(
    flux: Program, sandbox: StartSandbox, action: Any, accepted: int
) -> None:
    server = sandbox()
    asked: list[str] = []

    async def ask(_: Any, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=action, content={} if action == "accept" else None)

    async def work(client: Client) -> None:
        for _ in range(2):
            await client.call_tool(IMAGE, {"prompts": PROMPTS[:2]})

    session(flux, work, "stdio", *ALLOWED, elicitation=ask)
    assert asked[0] == "Submit 2 image tasks with flux-dev? This costs credits."
    assert len(asked) == (1 if accepted else 2)  # what is submitted is not asked about
    assert server.accepted == accepted


def test_what_is_refused_or_in_doubt_is_said(flux: Program, sandbox: StartSandbox) -> None:
    server = sandbox(faults=Faults(balance=1))
    prompts = ["a forbidden fox", "a fox", "a cat"]
    answer = run(flux, lambda client: client.call_tool(IMAGE, {"prompts": prompts}))
    data = answer.structured_content
    assert data["tasks"][0]["error"]["code"] == "forbidden"
    assert "1 accepted, 1 refused, 1 not submitted" in data["next_step"]
    assert "call this again with the same arguments" in data["next_step"]
    assert "used_up" in data["next_step"]
    assert server.accepted == 1


def test_calls_at_once_on_one_run_each_get_their_own_tasks(
    flux: Program, sandbox: StartSandbox
) -> None:
    server = sandbox(faults=Faults(latency=0.1))
    first = PROMPTS[:8]
    others = [*PROMPTS[4:8], "an owl", "a hen", "a dog", "a pig"]

    async def work(client: Client) -> list[list[str]]:
        await client.call_tool(IMAGE, {"prompts": first[:1]})
        answers: dict[int, list[str]] = {}

        async def ask(number: int, prompts: list[str]) -> None:
            answer = await client.call_tool(IMAGE, {"prompts": prompts})
            answers[number] = [task["prompt"] for task in answer.structured_content["tasks"]]

        async with anyio.create_task_group() as group:
            group.start_soon(ask, 0, first)
            group.start_soon(ask, 1, [*reversed(first)])
            group.start_soon(ask, 2, others)
        return [answers[number] for number in range(3)]

    assert run(flux, work) == [first, first[::-1], others]
    prompts = [task.request["prompt"] for task in server.store.newest()]
    assert sorted(prompts) == sorted({*first, *others})
