"""`flux mcp --http`: who is let in, and who is not."""

import asyncio
import json
import socket
from collections.abc import Callable

import httpx
import httpx2  # which the SDK has its clients use
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from flux_cli.errors import ExitCode
from tests.faults.rows import always
from tests.support.fault_server import FaultServer, Script, answer, reply
from tests.support.mcp import INITIALIZE, ONE, over_http
from tests.support.program import CANARY, Program
from tests.support.records import batch, make_ids


Start = Callable[[Script], FaultServer]
BEARER = "bearer-token-for-tests-not-a-secret"
EVERYWHERE = ("--host", "0.0.0.0")  # noqa: S104 - what this is about
ACCEPT = {"accept": "application/json, text/event-stream"}
LOOPBACK = ["127.0.0.1", "127.0.0.2", "LOCALHOST", "localhost", "0:0:0:0:0:0:0:1", "::1"]


def post(url: str, **headers: str) -> int:
    """Return the status of the answer to a first message."""
    return httpx.post(url, json=INITIALIZE, headers=ACCEPT | headers).status_code


def reachable(url: str) -> str:
    return url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104


def test_elsewhere_it_needs_a_bearer_token(flux: Program, service: Start) -> None:
    service(always(reply(200, batch([]))))
    start = ("mcp", "--http", "--port", "0")
    flux(*start, *EVERYWHERE).expect(
        ExitCode.USAGE, stderr="FLUX_MCP_TOKEN: is not set, so anybody who can reach 0.0.0.0 could"
    )
    flux(*start, *EVERYWHERE, FLUX_MCP_TOKEN="x" * 9).expect(
        ExitCode.USAGE, stderr="FLUX_MCP_TOKEN: must be at least 16 printable ASCII characters"
    )
    for host in (EVERYWHERE, ()):
        for token in (CANARY, CANARY.upper()):
            flux(*start, *host, FLUX_MCP_TOKEN=token).expect(
                ExitCode.USAGE, stderr="FLUX_MCP_TOKEN: is the API token"
            )
    with over_http(flux, *EVERYWHERE, FLUX_MCP_TOKEN=BEARER) as url:
        here = reachable(url)
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": BEARER}):
            refusal = httpx.post(here, json=INITIALIZE, headers=ACCEPT | header)
            assert (refusal.status_code, refusal.headers["www-authenticate"]) == (401, "Bearer")
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert post(here, authorization=f"{scheme} {BEARER}") == 200


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("bearer", [None, BEARER])
def test_no_web_page_reaches_a_server_on_this_machine(
    flux: Program, service: Start, host: str, bearer: str | None
) -> None:
    """By a name that was made to resolve to it, or from a page of another origin."""
    service(answer)
    if ":" in host and not has_ipv6():
        pytest.skip("IPv6 is not there")
    own = {"authorization": f"Bearer {BEARER}"} if bearer else {}
    with over_http(flux, "--host", host, FLUX_MCP_TOKEN=bearer) as url:
        assert post(url, **own) == 200
        assert post(url, origin="http://localhost:6274", **own) == 200
        port = httpx.URL(url).port
        for name in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1.evil.example",
            "a@127.0.0.1",
        ):
            assert post(url, host=name, **own) == 421, name
        for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", ""):
            assert post(url, origin=origin, **own) == 403, origin


def test_no_web_page_reaches_a_server_elsewhere(flux: Program, service: Start) -> None:
    service(answer)
    own = {"authorization": f"Bearer {BEARER}"}
    with over_http(flux, *EVERYWHERE, FLUX_MCP_TOKEN=BEARER) as url:
        here = reachable(url)
        assert post(here, host="flux.example", **own) == 200  # as a proxy in front passes it on
        assert post(here, host="flux.example", origin="https://flux.example", **own) == 200
        assert post(here, host="flux.example", origin="https://evil.example", **own) == 403
        assert post(here, origin="http://localhost:6274", **own) == 403


def test_the_official_client_comes_in_with_its_token(flux: Program, service: Start) -> None:
    service(answer)

    async def work(url: str) -> bool:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"bearer {BEARER}"}) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            result = await client.call_tool(ONE, {"task_id": make_ids(1)[0]})
            return bool(result.structured_content["is_final"])

    with over_http(flux, FLUX_MCP_TOKEN=BEARER) as url:
        assert asyncio.run(work(url))


def test_health_is_told_to_whoever_may_ask(flux: Program, service: Start) -> None:
    service(answer)
    with over_http(flux, FLUX_MCP_TOKEN=BEARER) as url:
        health = httpx.URL(url).copy_with(path="/health")
        reply_ = httpx.get(health)
        assert (reply_.status_code, reply_.json()["status"]) == (200, "ok")
        assert httpx.get(health, headers={"host": "evil.example"}).status_code == 421
        assert httpx.get(health, headers={"origin": "https://evil.example"}).status_code == 403


def test_websockets_are_refused(flux: Program, service: Start) -> None:
    service(answer)
    with over_http(flux, FLUX_MCP_TOKEN=BEARER) as url:
        port = httpx.URL(url).port
        with socket.create_connection(("127.0.0.1", port or 0)) as connection:
            connection.sendall(
                f"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            status = connection.recv(4096).split()[1]
    assert status == b"401"  # it is read as what it is without the upgrade


def test_a_scope_that_is_no_request_is_closed() -> None:
    from flux_cli.mcp.web import Guard

    sent: list[dict[str, object]] = []
    passed: list[object] = []

    async def app(scope: object, receive: object, send: object) -> None:
        passed.append((scope, receive, send))

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    guard = Guard(app, host="127.0.0.1", token=None)
    asyncio.run(guard({"type": "websocket", "headers": [(b"host", b"localhost")]}, None, send))
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert passed == []


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_what_is_no_request_is_no_traceback(flux: Program, service: Start) -> None:
    service(answer)
    with over_http(flux) as url:
        for body in (b"", b"{", b"[]", b"\xff\x00", json.dumps([INITIALIZE]).encode(), b"1"):
            status = httpx.post(
                url, content=body, headers=ACCEPT | {"content-type": "application/json"}
            ).status_code
            assert status == 400, body
