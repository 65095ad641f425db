"""What `flux mcp` promises: how long a call takes, how large an answer is, what errors say."""

import itertools
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp.client.client import Client

from flux_cli.errors import ExitCode
from flux_cli.mcp import tools
from flux_cli.mcp.limits import LIMITS
from tests.faults.rows import always
from tests.support.fault_server import FaultServer, Request, Script, Step, Wait, reply
from tests.support.mcp import (
    BATCH,
    INITIALIZE,
    ONE,
    WAIT,
    call,
    over_http,
    sentence,
    session,
    sizes,
    tasks_of,
)
from tests.support.patience import AT_ONCE, until
from tests.support.program import CANARY, Program
from tests.support.records import batch, error_body, failed, finished, make_ids, running


Start = Callable[[Script], FaultServer]
TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])
IDS = make_ids(4)
PAGE = 10_000  # characters: 2,500 tokens of four
LONG_PROMPT = "a red fox in the snow, watercolour, soft light, in the manner of an old master " * 3


def real(task_id: str) -> dict[str, Any]:
    """Return a record with a link as long as those of the service."""
    url = f"https://platform2.cdn.acedata.cloud/flux/{task_id}.png"
    return finished(
        task_id,
        request={"action": "generate", "model": "flux-dev", "prompt": LONG_PROMPT, "size": "1:1"},
        response={"success": True, "task_id": task_id, "data": [{"image_url": url, "seed": 7}]},
    )


def real_failure(task_id: str) -> dict[str, Any]:
    return real(task_id) | {"response": failed(task_id)["response"]}


def answering(make: Callable[[str], Any]) -> Script:
    """Answer for every id that was asked for, in a batch or alone, with what `make` returns."""

    def script(request: Request) -> list[Step]:
        if "id" in request.body:
            return [reply(200, json.dumps(make(request.body["id"]) or {}).encode())]
        return [reply(200, batch(filter(None, map(make, request.ids))))]

    return script


async def until_asked(server: FaultServer, count: int) -> None:
    """Return once the service has been asked so often."""
    await anyio.to_thread.run_sync(until, lambda: len(server.requests) >= count)


# How large answers are


@TRANSPORTS
def test_fifty_finished_tasks_fit_into_2500_tokens_in_either_form(
    flux: Program, service: Start, transport: str
) -> None:
    service(answering(real))
    ids = make_ids(50)

    async def work(client: Client) -> list[Any]:
        asked = await client.call_tool(BATCH, {"task_ids": ids})
        waited = await client.call_tool(WAIT, {"task_ids": ids})
        return [asked, waited]

    for result in session(flux, work, transport):
        assert max(sizes(result)) <= PAGE
        tasks = tasks_of(result.structured_content)
        assert list(tasks) == ids
        assert "next_cursor" not in result.structured_content
        for task_id, (_, item) in tasks.items():
            url = f"https://platform2.cdn.acedata.cloud/flux/{task_id}.png"
            assert item["urls"] == [url]
            assert item["prompt"].startswith("a red fox in the snow")
            row = f'{task_id}\tsucceeded\t{url}\t"{item["prompt"]}"'
            assert row in result.content[0].text.splitlines()


@TRANSPORTS
@pytest.mark.parametrize("make", [real, real_failure, running, lambda _: None])
def test_ten_thousand_ids_are_never_more_than_a_page(
    flux: Program, service: Start, make: Callable[[str], Any], transport: str
) -> None:
    service(answering(make))
    result = call(flux, BATCH, transport, task_ids=make_ids(10_000))
    assert max(sizes(result)) <= PAGE
    answer = result.structured_content
    assert sum(answer["counts"].values()) == 10_000
    assert f'cursor "{answer["next_cursor"]}"' in result.content[0].text


def test_pages_lead_to_every_task_once(flux: Program, service: Start) -> None:
    def make(task_id: str) -> Any:
        number = ids.index(task_id)
        return real_failure(task_id) if number % 7 == 0 else real(task_id)

    ids = make_ids(300)
    server = service(answering(make))

    async def pages(client: Client, **given: Any) -> tuple[list[str], list[int]]:
        seen: list[str] = []
        requests: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            before = len(server.requests)
            result = await client.call_tool(BATCH, {"task_ids": ids, **given, **cursor})
            answer = result.structured_content
            requests.append(len(server.requests) - before)
            seen += tasks_of(answer)
            if "next_cursor" not in answer:
                return seen, requests
            cursor = {"cursor": answer["next_cursor"]}

    async def work(client: Client) -> None:
        seen, requests = await pages(client)
        assert sorted(seen) == sorted(ids)
        assert requests[0] == 6  # the first page counts all
        assert max(requests[1:]) <= 2
        seen, _ = await pages(client, only="failed", limit=10)
        assert seen == ids[::7]

    session(flux, work)


def test_the_list_of_tools_and_what_is_said_of_them_is_short(flux: Program, service: Start) -> None:
    service(always(reply(200, batch([]))))

    async def work(client: Client) -> Any:
        return await client.list_tools(), client.instructions

    listed, instructions = session(flux, work)
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True)) <= 12_000
    assert len(instructions) <= 2_000
    before = 3_820  # characters that the descriptions of these three had
    after = sum(len(t.description) for t in listed.tools if t.name in (BATCH, ONE, WAIT))
    assert after <= before * 2 / 3
    texts = [json.dumps(tool.output_schema) for tool in listed.tools]
    assert not any("sha256" in text for text in texts)
    assert sum('"trace_id"' in text for text in texts) <= 1


# How long calls take


def test_a_look_answers_in_its_time_with_what_it_has(flux: Program, service: Start) -> None:
    def script(request: Request) -> list[Step]:
        if ids[0] in request.ids:
            return [reply(200, batch(map(finished, request.ids)))]
        return [Wait(100)]

    ids = make_ids(100)
    service(script)
    started = time.monotonic()

    async def work(client: Client) -> Any:
        return await client.call_tool(BATCH, {"task_ids": ids})

    answer = session(flux, work, limits={"look_seconds": 2.0}).structured_content
    assert time.monotonic() - started < 2 * AT_ONCE
    assert answer["counts"] == {"succeeded": 50, "unknown": 50}
    assert answer["open_ids"] == ids[50:]
    text = json.dumps(call(flux, BATCH, task_ids=ids[:1]).structured_content)
    assert "did not answer" not in text


@TRANSPORTS
@pytest.mark.parametrize("tool", [BATCH, ONE])
def test_a_pause_that_outlasts_a_look_is_told_at_once(
    flux: Program, service: Start, tool: str, transport: str
) -> None:
    """It took the 240 seconds that the retries added up to."""
    server = service(always(reply(429, error_body("too_many_requests"), retry_after="55")))
    arguments: dict[str, Any] = {"task_id": IDS[0]} if tool == ONE else {"task_ids": IDS}
    started = time.monotonic()

    async def work(client: Client) -> list[str]:
        return [sentence(await client.call_tool(tool, arguments)) for _ in range(2)]

    first, second = session(flux, work, transport)
    assert time.monotonic() - started < 2 * AT_ONCE
    assert "retry in 55 seconds" in first
    assert "asked for a pause" in second
    assert len(server.requests) == 1


def test_what_cannot_be_stopped_is_given_up_soon_after(flux: Program, service: Start) -> None:
    service(always(Wait(100)))
    started = time.monotonic()

    async def work(client: Client) -> Any:
        return await client.call_tool(ONE, {"task_id": IDS[0]})

    limits = {"look_seconds": 1.0, "grace": 1.0}
    text = sentence(session(flux, work, limits=limits))
    assert "answer within 1 seconds" in text
    assert time.monotonic() - started < 2 * AT_ONCE


def test_a_wait_is_shorter_than_clients_are_patient() -> None:
    (wait,) = [tool for tool in tools.TOOLS if tool.name == WAIT]
    default = wait.takes["timeout_seconds"].default
    assert default == 45
    assert max(default, LIMITS.look_seconds) + LIMITS.grace < 60


@TRANSPORTS
def test_waits_keep_no_look_from_an_answer(flux: Program, service: Start, transport: str) -> None:
    server = service(answering(lambda i: running(i) if i == IDS[0] else finished(i)))
    arguments = {"task_ids": IDS[:1], "timeout_seconds": 300}

    async def work(client: Client) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(client.call_tool, WAIT, arguments)
            await until_asked(server, 40)
            text = sentence(await client.call_tool(WAIT, arguments))
            assert "40 waits are under way" in text
            for _ in range(3):
                result = await client.call_tool(ONE, {"task_id": IDS[1]})
                assert result.structured_content["is_final"]
            group.cancel_scope.cancel()
        await anyio.sleep(1.0)
        short = {**arguments, "timeout_seconds": 1}
        assert not (await client.call_tool(WAIT, short)).is_error  # they ended with who waited

    session(flux, work, transport)


def test_the_process_ends_when_the_client_leaves(flux: Program, service: Start) -> None:
    server = service(answering(running))
    messages: list[dict[str, Any]] = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    for number in range(2, 8):
        params = {"name": WAIT, "arguments": {"task_ids": IDS, "timeout_seconds": 600}}
        messages.append({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    with flux.start("mcp", stdin=subprocess.PIPE) as running_server:
        stdin = running_server.process.stdin
        assert stdin is not None
        stdin.write("".join(f"{json.dumps(message)}\n" for message in messages).encode())
        stdin.flush()
        until(lambda: len(server.requests) >= 6)
        stdin.close()
        running_server.process.stdin = None
        running_server.process.wait(AT_ONCE)
        run = running_server.end()
    assert run.code == ExitCode.OK
    assert run.stderr == ""


def test_a_hundred_calls_of_all_kinds_end_within_their_promise(
    flux: Program, service: Start
) -> None:
    def script(request: Request) -> list[Step]:
        if slow & set(request.ids) or request.body.get("id") in slow:
            return [Wait(100)]
        return answering(lambda i: running(i) if i in open_ids else finished(i))(request)  # type: ignore[return-value]

    ids = make_ids(200)
    slow, open_ids = set(ids[:20]), set(ids[20:60])
    service(script)
    ended: list[float] = []
    limits = {"look_seconds": 8.0, "grace": 2.0, "default_wait": 8.0, "looks": 20, "waits": 20}

    async def work(client: Client) -> None:
        async def one(tool: str, arguments: dict[str, Any]) -> None:
            started = time.monotonic()
            await client.call_tool(tool, arguments)
            ended.append(time.monotonic() - started)

        async with anyio.create_task_group() as group:
            for number in range(25):
                group.start_soon(one, ONE, {"task_id": ids[number]})
                group.start_soon(one, BATCH, {"task_ids": ids[number : number + 100]})
                group.start_soon(one, WAIT, {"task_ids": ids[number + 15 : number + 60]})
                group.start_soon(one, "flux_no_such_tool", {})

    session(flux, work, limits=limits)
    assert len(ended) == 100
    assert max(ended) < 8 + 2 + AT_ONCE


# What a wait says


@pytest.mark.parametrize(
    ("records", "timeout"),
    [
        ([finished, finished], 5),
        ([finished, running], 1.5),
        ([finished, lambda _: None], 1.5),
        ([running, lambda _: None], 1.5),
        ([failed, failed], 5),
    ],
)
def test_all_that_a_wait_says_agrees(
    flux: Program, service: Start, records: list[Callable[[str], Any]], timeout: float
) -> None:
    makers = dict(zip(IDS, records, strict=False))
    service(answering(lambda i: makers[i](i)))
    result = call(flux, WAIT, task_ids=list(makers), timeout_seconds=timeout)
    answer, text = result.structured_content, result.content[0].text
    open_ids = [i for i, make in makers.items() if make is running]
    assert answer["open_ids"] == open_ids
    assert answer["timed_out"] == bool(open_ids)
    assert (answer["ask_again_after_seconds"] is not None) == bool(open_ids)
    assert ("Ask again" in text) == bool(open_ids)
    assert ("the time is over with tasks open" in text) == bool(open_ids)
    assert ("Nothing is open" in text) == (not open_ids)


@TRANSPORTS
def test_progress_moves_and_never_goes_back(flux: Program, service: Start, transport: str) -> None:
    looks: list[Request] = []

    def script(request: Request) -> list[Step]:
        looks.append(request)
        done = IDS[: 2 * len(looks)]
        return answering(lambda i: finished(i) if i in done else running(i))(request)  # type: ignore[return-value]

    service(script)
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    arguments = {"task_ids": IDS, "timeout_seconds": 60}

    async def work(client: Client) -> Any:
        return await client.call_tool(WAIT, arguments, progress_callback=hear)

    answer = session(flux, work, transport, limits={"progress_interval": 0.5}).structured_content
    assert (answer["timed_out"], answer["counts"]) == (False, {"succeeded": 4})
    assert 4 < answer["waited_seconds"] < 50  # of the 60 that it may
    assert [request.ids for request in looks] == [IDS, IDS[2:]]
    seconds = [progress for progress, _, _ in heard]
    assert len(seconds) > 3
    assert all(later > sooner for sooner, later in itertools.pairwise(seconds))
    assert {total for _, total, _ in heard} == {60.0}
    assert "2 of 4 tasks ended" in {message for _, _, message in heard}


# What is not understood

SECRET = {"what": CANARY}
BAD_ARGUMENTS: list[tuple[str, dict[str, Any], str]] = [
    (ONE, {"id": IDS[0]}, 'there is no parameter "id". Did you mean task_id?'),
    (ONE, {}, "task_id is missing; it must be a task id"),
    (ONE, {"task_id": 5}, "task_id must be a task id, as a string; it is a number"),
    (ONE, {"task_id": None}, "task_id must be a task id, as a string; it is null"),
    (ONE, {"task_id": ["a"]}, "it is a list"),
    (ONE, {"task_id": "a b"}, 'none of these is a task id: "a b" contains a space'),
    (ONE, {"task_id": IDS[0], CANARY: 1}, "there is no such parameter"),
    (ONE, {"task_id": IDS[0], "x" * 99: 1}, "there is no such parameter"),
    (ONE, {"task_id": CANARY}, "is the API token, not a task id"),
    (ONE, {"task_id": f"x {CANARY}"}, 'none of these is a task id: "x [token]"'),
    (ONE, {"task_id": f"{'x' * 20} {CANARY}"}, 'xxx [token]"'),  # where it would be cut
    (ONE, {"task_id": IDS[0], "detail": CANARY}, "detail must be one of concise, full"),
    (BATCH, {}, "task_ids is missing; it must be a list of task ids"),
    (BATCH, {"task_ids": []}, "task_ids is empty"),
    (BATCH, {"task_ids": {"a": CANARY}}, "it is an object"),
    (BATCH, {"task_ids": ["a b", SECRET]}, 'none of these is a task id: "a b" contains a space'),
    (BATCH, {"task_ids": IDS, "limit": 51}, "limit must be a whole number from 1 to 50"),
    (BATCH, {"task_ids": IDS, "limit": 1.5}, "limit must be a whole number from 1 to 50"),
    (BATCH, {"task_ids": IDS, "cursor": CANARY}, "cursor must be the next_cursor of an answer"),
    (BATCH, {"task_ids": IDS, "only": "done"}, "only must be one of open, succeeded, failed"),
    (WAIT, {"task_ids": IDS, "timeout_seconds": "30"}, "timeout_seconds must be a number from 1"),
    (WAIT, {"task_ids": IDS, "timeout_seconds": CANARY}, "it is a string"),
    (WAIT, {"task_ids": IDS, "timeout_seconds": True}, "it is a boolean"),
    (WAIT, {"task_ids": IDS, "timeout_seconds": 0}, "it is a number out of range"),
    (WAIT, {"task_ids": IDS, "timeout_seconds": 3601}, "it is a number out of range"),
    ("flux_no_such_tool", {}, "there is no such tool. The tools are flux_get_tasks_batch"),
    (CANARY, {}, "there is no such tool"),
]


@TRANSPORTS
def test_bad_arguments_get_a_sentence_and_nothing_is_sent(
    flux: Program, service: Start, transport: str
) -> None:
    server = service(always(reply(200, batch([]))))

    async def work(client: Client) -> list[str]:
        return [
            sentence(await client.call_tool(tool, arguments))
            for tool, arguments, _ in BAD_ARGUMENTS
        ]

    for text, (_, arguments, says) in zip(
        session(flux, work, transport), BAD_ARGUMENTS, strict=True
    ):
        assert says in text, (arguments, text)
        assert len(text) < 400
        assert "validation" not in text
    assert server.requests == []


@TRANSPORTS
def test_whatever_a_client_sends_is_no_traceback_and_never_the_token(
    flux: Program, service: Start, transport: str
) -> None:
    """Prompts without arguments, resources that there are not, calls that are not even that."""
    service(always(reply(200, batch([]))))

    async def work(client: Client) -> list[str]:
        said = []
        for attempt in (
            lambda: client.get_prompt("track_batch"),
            lambda: client.get_prompt("track_batch", {}),
            lambda: client.get_prompt(CANARY, {"task_ids": CANARY}),
            lambda: client.read_resource(f"flux://tasks/{CANARY}"),
            lambda: client.read_resource(f"flux://tasks/x%20{CANARY}"),
            lambda: client.read_resource(f"flux://{CANARY}"),
            lambda: client.call_tool(ONE, [CANARY]),  # type: ignore[arg-type]
        ):
            try:
                await attempt()
            except Exception as error:  # noqa: BLE001 - of whatever kind the client makes of it
                said.append(str(error))
        prompt = await client.get_prompt("track_batch", {"task_ids": f"{IDS[0]} {CANARY}"})
        return [*said, prompt.messages[0].content.text]  # type: ignore[union-attr]

    said = session(flux, work, transport)
    assert "task_ids is missing" in said[0]
    assert "task_ids is missing" in said[1]
    assert "there is no such prompt" in said[2]
    assert "[token]" in said[-1]
    assert not any(CANARY in text for text in said[:6] + said[-1:])


def test_sigterm_during_calls_over_http_is_no_traceback(flux: Program, service: Start) -> None:
    server = service(answering(running))

    async def work() -> None:
        with over_http(flux) as url:
            async with Client(url) as client, anyio.create_task_group() as group:
                arguments = {"task_ids": IDS, "timeout_seconds": 300}
                for _ in range(3):
                    group.start_soon(quietly, client, arguments)
                await until_asked(server, 3)
                group.cancel_scope.cancel()

    async def quietly(client: Client, arguments: dict[str, Any]) -> None:
        await client.call_tool(WAIT, arguments)

    anyio.run(work)
