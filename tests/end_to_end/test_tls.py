"""Over TLS: a good certificate works, any other ends the run at once."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from flux_cli.errors import ExitCode
from tests.support.fault_server import FaultServer, Request, Step, Wait, reply
from tests.support.program import Program


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, tmp_path: Path) -> Iterator[Any]:
    """Start a service with a certificate for a name; return it and the authority's file."""
    with ExitStack() as stack:

        def start(name: str, **options: Any) -> tuple[FaultServer, str]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(name).configure_cert(context)
            authority.cert_pem.write_to_path(tmp_path / "authority.pem")
            server = stack.enter_context(FaultServer(tls=context, **options))
            return server, str(tmp_path / "authority.pem")

        yield start


def check(flux: Program, server: FaultServer, certificates: str | None, *options: str) -> Any:
    return flux(
        *("tasks", "check", "an-id", "--base-url", server.url, *options),
        SSL_CERT_FILE=certificates,
    )


def test_a_certificate_of_a_known_authority(flux: Program, secure: Any) -> None:
    server, certificates = secure("localhost")
    run = check(flux, server, certificates).expect(ExitCode.OK)
    assert run.states == {"an-id": "succeeded"}
    assert len(server.requests) == 1


def test_a_certificate_of_an_unknown_authority(flux: Program, secure: Any) -> None:
    server, _ = secure("localhost")
    run = check(flux, server, None).expect(
        ExitCode.NO_ANSWER, stderr="localhost: the connection is not secure: "
    )
    assert "SSL_CERT_FILE" in run.stderr
    assert (server.connections, server.requests) == (1, [])


def test_a_certificate_for_another_host(flux: Program, secure: Any) -> None:
    server, certificates = secure("other.example")
    check(flux, server, certificates).expect(ExitCode.NO_ANSWER, stderr="not valid for 'localhost'")
    assert (server.connections, server.requests) == (1, [])


def test_the_deadline_holds_over_tls(flux: Program, secure: Any) -> None:
    def drip(request: Request) -> list[Step]:
        del request
        return [step for byte in reply(200, b"{}") for step in (bytes([byte]), Wait(0.1))]

    server, certificates = secure("localhost", script=drip)
    options = ("--request-timeout", "500ms", "--retries", "0")
    check(flux, server, certificates, *options).expect(
        ExitCode.NO_ANSWER, stderr="localhost: no whole reply within 0.5 seconds"
    )
