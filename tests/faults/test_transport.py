"""The way to the service: connections, time, certificates, proxies, portals."""

import datetime as dt
import itertools
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from flux_cli.errors import ExitCode
from tests.end_to_end.test_check import Start
from tests.faults.rows import (
    CHECK,
    COMMANDS,
    IDS,
    Row,
    always,
    cases,
    check_stderr,
    label,
    meet,
    once,
)
from tests.support.fault_server import End, FaultServer, Request, Script, Step, Wait, answer, reply
from tests.support.program import CANARY, FLUX, Program
from tests.support.records import batch, error_body, finished, running


WHOLE = reply(200, batch(finished(task_id) for task_id in IDS))
HEAD, _, _ = WHOLE.partition(b"\r\n\r\n")
QUICK = ("--request-timeout", "300ms", "--retries", "1")
LATE = "no complete reply within 0.3 seconds"


def drip(request: Request) -> Iterator[Step]:
    """Send one byte after the other, and never come to an end."""
    del request
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
    for _ in itertools.repeat(None):
        yield b" "
        yield Wait(0.05)


BROKEN = "the connection was lost before the reply was complete"
ROWS = [
    Row("reset before the reply", always(End.RESET), says=BROKEN, requests=2),
    Row("close before the reply", always(End.CLOSE), says=BROKEN, requests=2),
    Row("reply cut short", always(WHOLE[:-20], End.CLOSE), says=BROKEN, requests=2),
    Row("stall before headers", always(Wait(20)), says=LATE, requests=2, options=QUICK),
    Row("stall inside headers", always(HEAD[:30], Wait(20)), says=LATE, options=QUICK),
    Row("stall inside the body", always(WHOLE[:-20], Wait(20)), says=LATE, options=QUICK),
    Row("one byte at a time for ever", drip, says=LATE, requests=2, options=QUICK),
    Row(
        "200 with an HTML page",
        always(reply(200, b"<!doctype html><title>Log in</title>", content_type="text/html")),
        says='a web page titled "Log in". This does not look like the API',
        requests=1,
    ),
    Row("not HTTP at all", always(b"SSH-2.0-OpenSSH_9.6\r\n", End.CLOSE), says=BROKEN),
    Row("an endless header", always(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 300_000), says=BROKEN),
] + [
    Row(
        f"a redirect, {status}",
        always(reply(status, b"", location="https://evil.example/")),
        says=f"redirect ({status}), which flux does not follow. This does not look like the API",
        requests=1,
    )
    for status in (301, 302, 303, 307, 308)
]


@pytest.mark.parametrize(("row", "command"), cases(ROWS), ids=label)
def test_rows(flux: Program, service: Start, row: Row, command: str) -> None:
    run, _ = meet(flux, service, row, command)
    assert "<title" not in run.stderr
    if command == "check":
        assert set(run.states.values()) == {"unknown"}


@pytest.mark.parametrize(
    "steps",
    [(End.RESET,), (End.CLOSE,), (WHOLE[:-20], End.CLOSE), (HEAD[:20], End.RESET)],
    ids=["reset", "close", "cut short", "reset inside headers"],
)
@pytest.mark.parametrize("command", ["check", "watch"])
def test_retried_on_a_new_connection(
    flux: Program, service: Start, steps: tuple[Step, ...], command: str
) -> None:
    row = Row("", once(*steps), ExitCode.OK, requests=2)
    run, server = meet(flux, service, row, command)
    assert server.connections == 2
    assert run.stderr == "3 tasks: 3 succeeded\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("https://host.invalid", "cannot connect to host.invalid: "),
        ("http://127.0.0.1:{closed}", "cannot connect to 127.0.0.1:{closed}: connection refused"),
        ("https://255.255.255.255", "cannot connect to 255.255.255.255: "),
    ],
    ids=["host unknown", "connection refused", "unreachable"],
)
def test_out_of_reach(flux: Program, command: str, host: str, says: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    host, says = host.format(closed=closed), says.format(closed=closed)
    options = ("--base-url", host, "--request-timeout", "500ms")
    if command == "login":
        run = flux(*COMMANDS[command], *options, stdin=CANARY, FLUX_API_TOKEN=None)
        assert not flux.config.exists()
    else:
        run = flux(*COMMANDS[command], *options, "--retries", "1", *IDS)
        assert run.states == dict.fromkeys(IDS, "unknown")
    run.expect(ExitCode.NO_ANSWER, stderr=says)
    assert "Check the network" in run.stderr or "--no-verify" in run.stderr
    check_stderr(run)


HANGING_RESOLVER = """
import socket, time
def getaddrinfo(*arguments, **options):
    time.sleep(40)
    raise socket.gaierror(-3, "too late")
socket.getaddrinfo = getaddrinfo
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_resolver_that_hangs_is_not_waited_for(flux: Program, command: str) -> None:
    (flux.folder / "sitecustomize.py").write_text(HANGING_RESOLVER)
    options = ("--request-timeout", "300ms", "--base-url", "https://slow.example")
    run = flux(
        *COMMANDS[command],
        *options,
        *(() if command == "login" else ("--retries", "0", *IDS)),
        stdin=CANARY,
        FLUX_API_TOKEN=None if command == "login" else CANARY,
        PYTHONPATH=str(flux.folder),
    )
    run.expect(
        ExitCode.NO_ANSWER, stderr="slow.example: timed out: no complete reply within 0.3 seconds"
    )
    check_stderr(run)


def test_refused_twice_then_up(flux: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ("--base-url", url, "--retries", "9", "--debug")
    with flux.start(*CHECK, *IDS, *options) as background:
        assert background.process.stderr is not None
        refusals = 0
        while refusals < 2:
            refusals += b"connection refused" in background.process.stderr.readline()
        with FaultServer(answer, port=port) as server:
            run = background.end().expect(ExitCode.OK)
    assert run.states == dict.fromkeys(IDS, "succeeded")
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["after the reply", "when the next request arrives"])
def test_keep_alive_connection_closed_between_two_polls(
    flux: Program, service: Start, how: str
) -> None:
    seen: list[Request] = []

    def script(request: Request) -> list[Step]:
        seen.append(request)
        if len(seen) == 1:
            first: list[Step] = [reply(200, batch(running(i) for i in request.ids))]
            return [*first, End.CLOSE] if how == "after the reply" else first
        if len(seen) == 2 and how != "after the reply":
            return [End.CLOSE]
        return answer(request)

    server = service(script)
    run = flux(*COMMANDS["watch"], *IDS).expect(ExitCode.OK)
    assert run.stderr == "3 tasks: 3 succeeded\n"
    assert server.connections == 2


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


StartSecure = Callable[..., tuple[FaultServer, str]]


@pytest.fixture
def secure(authority: trustme.CA, flux: Program) -> Iterator[StartSecure]:
    """Start a service with a certificate for a name; return it and the authority's file."""
    with ExitStack() as stack:

        def start(
            name: str, *, not_after: dt.datetime | None = None, script: Script = answer
        ) -> tuple[FaultServer, str]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if name:
                authority.issue_cert(name, not_after=not_after).configure_cert(context)
            else:  # signed by nobody else
                key = flux.folder / "authority.key"
                authority.private_key_pem.write_to_path(key)
                authority.cert_pem.write_to_path(key, append=True)
                context.load_cert_chain(key)
            authority.cert_pem.write_to_path(flux.folder / "authority.pem")
            server = stack.enter_context(FaultServer(script, tls=context))
            return server, str(flux.folder / "authority.pem")

        yield start


def test_a_certificate_of_a_known_authority(flux: Program, secure: StartSecure) -> None:
    server, certificates = secure("localhost")
    run = flux(*CHECK, *IDS, "--base-url", server.url, SSL_CERT_FILE=certificates)
    assert run.expect(ExitCode.OK).states == dict.fromkeys(IDS, "succeeded")
    assert len(server.requests) == 1


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("what", ["self-signed", "expired", "for another host"])
def test_certificates(flux: Program, secure: StartSecure, what: str, command: str) -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    server, certificates = secure(
        {"self-signed": "", "for another host": "other.example"}.get(what, "localhost"),
        not_after=yesterday if what == "expired" else None,
    )
    run = flux(
        *COMMANDS[command],
        *(("--base-url", server.url) if command == "login" else (*IDS, "--base-url", server.url)),
        stdin=CANARY,
        FLUX_API_TOKEN=None if command == "login" else CANARY,
        SSL_CERT_FILE=None if what == "self-signed" else certificates,
    )
    run.expect(ExitCode.NO_ANSWER, stderr="localhost: the connection is not secure: ")
    assert {"for another host": "not valid for 'localhost'"}.get(what, what) in run.stderr
    if command != "login":
        assert "SSL_CERT_FILE" in run.stderr
    assert "insecure" not in run.stderr
    assert (server.connections, server.requests) == (1, [])  # no retry


def test_the_deadline_holds_over_tls(flux: Program, secure: StartSecure) -> None:
    server, certificates = secure("localhost", script=drip)
    run = flux(*CHECK, *IDS, *QUICK, "--base-url", server.url, SSL_CERT_FILE=certificates)
    run.expect(ExitCode.NO_ANSWER, stderr=f"localhost: timed out: {LATE}")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("HTTPS_PROXY", "gopher://127.0.0.1:1"),
        ("https_proxy", "http://[::1"),
        ("NO_PROXY", "example.com,[::1"),
        ("no_proxy", "http://[fe80"),
        ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
        ("SSL_CERT_FILE", "/dev/null"),
        ("SSL_CERT_DIR", "/nowhere/certificates"),
    ],
)
def test_variables_that_httpx_cannot_use(
    flux: Program, command: str, variable: str, value: str
) -> None:
    run = flux(
        *COMMANDS[command],
        *(() if command == "login" else IDS),
        stdin=CANARY,
        variables={
            "FLUX_API_TOKEN": None if command == "login" else CANARY,
            "HTTPS_PROXY": "http://127.0.0.1:1" if "no" in variable.lower() else None,
            variable: value,
        },
    )
    run.expect(ExitCode.USAGE, stderr=variable)
    assert run.stdout == b""
    check_stderr(run)


def test_a_proxy_that_refuses_is_named(flux: Program, service: Start) -> None:
    proxy = service(always(reply(403, b"")))
    run = flux(
        *CHECK, *IDS, "--retries", "0", "--base-url", "https://api.example", HTTPS_PROXY=proxy.url
    )
    run.expect(ExitCode.NO_ANSWER, stderr="HTTPS_PROXY")
    assert all("authorization" not in request.headers for request in proxy.requests)


def test_loopback_needs_no_proxy(flux: Program, service: Start) -> None:
    service(answer)
    run = flux(*CHECK, *IDS, HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
    assert run.expect(ExitCode.OK).states == dict.fromkeys(IDS, "succeeded")


def test_the_token_goes_to_no_other_origin(flux: Program, service: Start) -> None:
    """Whatever a redirect, a refresh or a link in a record points to, nobody asks it."""
    other = service(answer)
    place = f"{other.url}/steal"

    def script(request: Request) -> list[Step]:
        item = finished(request.ids[0], response={"success": True, "data": [{"image_url": place}]})
        headers = {"location": place, "refresh": f"0; url={place}", "link": f"<{place}>; rel=next"}
        return [reply(200, batch([item]), **headers)]

    service(script)
    flux(*CHECK, IDS[0], "-o", "urls").expect(ExitCode.OK)
    service(always(reply(307, b"", location=place)))
    flux(*CHECK, IDS[0]).expect(ExitCode.NO_ANSWER)
    assert other.requests == []
    assert other.connections == 0


def test_the_token_is_in_no_process_listing(flux: Program, service: Start) -> None:
    server = service(always(Wait(20)))
    with flux.start(*CHECK, *IDS) as background:
        while not server.requests:
            pass
        pid = background.process.pid
        assert CANARY not in Path(f"/proc/{pid}/cmdline").read_text()
        listing = subprocess.run(
            ["ps", "-ax", "-o", "args"], capture_output=True, text=True, check=True
        )
        assert FLUX in listing.stdout
        assert CANARY not in listing.stdout


def test_an_error_that_names_the_token_is_not_repeated(flux: Program, service: Start) -> None:
    service(lambda r: [reply(403, error_body("used_up", f"{r.headers['authorization']} is out"))])
    flux(*CHECK, *IDS, "--debug").expect(ExitCode.NO_ANSWER, stderr="Bearer [token] is out")
